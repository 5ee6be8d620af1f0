// The body of a command: a JSON object of bounded size.
import type { IncomingMessage } from 'node:http';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { problem, type Reply } from './reply.js';

/** Bytes: the sequence numbers of some thousand dead letters. */
const LARGEST_BODY = 64 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws an error of the socket */
export async function readBody(request: IncomingMessage): Promise<Result<JsonObject, Reply>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY)
      return failed(
        problem(413, `the body is larger than ${LARGEST_BODY} bytes`, 'send less at a time', { connection: 'close' }),
      );
    chunks.push(chunk);
  }
  if (size === 0) return ok({});
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return ok(value as JsonObject);
  } catch {
    // What cannot be parsed is answered like everything that is no object.
  }
  return failed(problem(400, 'the body is not a JSON object', 'send {} or for example {"seqs":[17]}'));
}
