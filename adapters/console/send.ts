// Puts an answer on the wire, with the headers that every answer of the console has.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AnswerHeaders, ConsoleAnswer } from '../../gateway/ports/console-routes.js';
import type { EventStreams } from './event-streams.js';

/** Nothing that is answered here may be kept, framed, guessed at or read by a page of another origin. */
const ALWAYS: AnswerHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * @param stays whether whoever asked may still read, of an answer that goes on
 * @throws what reading the lines throws, after the answer was cut off; an error of the socket
 */
export async function send(
  response: ServerResponse,
  answer: ConsoleAnswer,
  streams: EventStreams,
  stays: () => boolean,
): Promise<void> {
  switch (answer.kind) {
    case 'json':
      return whole(
        response,
        answer.status,
        'application/json; charset=utf-8',
        `${JSON.stringify(answer.body)}\n`,
        answer.headers,
      );
    case 'text':
      return whole(response, answer.status ?? 200, answer.contentType, answer.body, answer.headers);
    case 'lines':
      return inPieces(response, 'application/x-ndjson; charset=utf-8', asText(answer.lines), answer.headers);
    case 'pieces':
      return inPieces(response, answer.contentType, answer.pieces, answer.headers);
    case 'events':
      response.writeHead(200, { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8' });
      if (wantsHead(response)) return void response.end();
      return streams.open(response, answer.join, stays);
  }
}

/** Nothing is read, and nobody is made to look on, for an answer that has no body. */
const wantsHead = ({ req }: ServerResponse): boolean => req.method === 'HEAD';

function whole(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers?: AnswerHeaders,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const empty = status === 204 || status === 304;
  response.writeHead(status, {
    ...ALWAYS,
    ...headers,
    ...(!empty && { 'content-type': contentType, 'content-length': bytes.length }),
  });
  response.end(empty || wantsHead(response) ? undefined : bytes);
}

async function inPieces(
  response: ServerResponse,
  contentType: string,
  pieces: AsyncIterable<string>,
  headers?: AnswerHeaders,
): Promise<void> {
  response.writeHead(200, { ...ALWAYS, ...headers, 'content-type': contentType });
  if (wantsHead(response)) return void response.end();
  // An answer that breaks off lacks its last chunk: whoever reads it can tell.
  return pipeline(Readable.from(pieces), response);
}

async function* asText(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
