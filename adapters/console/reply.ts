// What a route answers, and how it is put on the wire.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: object; readonly headers?: Headers }
  | { readonly kind: 'text'; readonly contentType: string; readonly body: string }
  /** JSON lines, written as fast as they are read and no faster. */
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<object> };

type Headers = Readonly<Record<string, string>>;

/** Nothing that is answered here may be kept, framed, guessed at or read by a page of another origin. */
const ALWAYS: Headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export const json = (body: object): Reply => ({ kind: 'json', status: 200, body });

/** An error in words, with what to do about it. */
export const problem = (status: number, error: string, action: string, headers?: Headers): Reply => ({
  kind: 'json',
  status,
  body: { error, action },
  ...(headers && { headers }),
});

/** @throws what reading the lines throws, after the answer was cut off; an error of the socket */
export async function send(response: ServerResponse, reply: Reply): Promise<void> {
  switch (reply.kind) {
    case 'json':
      return whole(
        response,
        reply.status,
        'application/json; charset=utf-8',
        `${JSON.stringify(reply.body)}\n`,
        reply.headers,
      );
    case 'text':
      return whole(response, 200, reply.contentType, reply.body);
    case 'lines':
      response.writeHead(200, { ...ALWAYS, 'content-type': 'application/x-ndjson; charset=utf-8' });
      // An answer that breaks off lacks its last chunk: whoever reads it can tell.
      return pipeline(Readable.from(asText(reply.lines)), response);
  }
}

function whole(response: ServerResponse, status: number, contentType: string, body: string, headers?: Headers): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...ALWAYS, ...headers, 'content-type': contentType, 'content-length': bytes.length });
  response.end(bytes);
}

async function* asText(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
