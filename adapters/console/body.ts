// The body of a command: a JSON object of bounded size.
import type { IncomingMessage } from 'node:http';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { problem, type ConsoleAnswer, type JsonObject } from '../../gateway/ports/console-routes.js';

/** Bytes: the sequence numbers of some thousand dead letters. */
const LARGEST_BODY = 64 * 1024;

/** @throws an error of the socket */
export async function readBody(
  request: IncomingMessage,
  largest = LARGEST_BODY,
): Promise<Result<JsonObject, ConsoleAnswer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest)
      return failed(
        problem(413, `the body is larger than ${largest} bytes`, 'send less at a time', { connection: 'close' }),
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
