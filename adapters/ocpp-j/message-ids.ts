// Message ids of our CALLs: never used twice towards one station identity (OCPP 2.0.1 Part 4 section 4.1.4).
import { randomBytes, randomUUID } from 'node:crypto';

export type NextMessageId = () => string;

export const uuidMessageIds: NextMessageId = () => randomUUID();

/**
 * Ids of 9 and more characters: a random start of 40 bits for each connection, then a count. They compress to a few bytes,
 * where each UUID costs 16 that no compression can save.
 */
export function shortMessageIds(): NextMessageId {
  const start = randomBytes(5).toString('base64url');
  let count = 0;
  return () => `${start}-${(count++).toString(36)}`;
}
