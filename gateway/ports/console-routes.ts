// An address of the console as data: who may use it, and what becomes of it. Each capability contributes its own list.
import type { Role } from './console-users.js';

/**
 * Who may use an address.
 * - `open`: everybody who reaches it.
 * - `local`: programs on the box; from elsewhere it takes a viewer.
 * - a role: whoever has signed in with that role or a higher one; while there are no users, everybody on the box.
 */
export type Access = 'open' | 'local' | Role;

export interface ConsoleRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `*` stands for one part of the path, which is never empty. */
  readonly path: string;
  readonly access: Access;
  /** The largest body in bytes, where the usual 64 KiB are too few. */
  readonly largestBody?: number;
  /** Throws only what is a defect. */
  readonly answer: (asked: Asked) => ConsoleAnswer | Promise<ConsoleAnswer>;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Asked {
  /** The parts of the path that the pattern leaves open, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** Of a command; {} where nothing was sent, and for GET. */
  readonly body: JsonObject;
  readonly caller: Caller;
}

/** Who asks. */
export interface Caller {
  /** Of a user; `console` for programs on the box: the command line, and everybody there while no users exist. */
  readonly name: string;
  readonly role: Role;
  /** The address that the question came from, without its port. */
  readonly address: string;
  /** Absent where nobody had to sign in with a name. */
  readonly session?: string;
}

export type ConsoleAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly body: object; readonly headers?: AnswerHeaders }
  /** A file or a text, as it is. */
  | {
      readonly kind: 'text';
      readonly status?: number;
      readonly contentType: string;
      readonly body: string | Uint8Array;
      readonly headers?: AnswerHeaders;
    }
  /** JSON lines, written as fast as they are read and no faster. */
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<object>; readonly headers?: AnswerHeaders }
  /** Pieces of text of any type, written as fast as they are read and no faster. */
  | {
      readonly kind: 'pieces';
      readonly contentType: string;
      readonly pieces: AsyncIterable<string>;
      readonly headers?: AnswerHeaders;
    }
  /** Server-sent events, for as long as the reader stays. `join` is called once, and the answer to it when he has gone. */
  | { readonly kind: 'events'; readonly join: (reader: EventReader) => () => void };

export type AnswerHeaders = Readonly<Record<string, string>>;

/** One reader of server-sent events. */
export interface EventReader {
  /** False while he has not taken what he was sent: skip him, and send the newest when he calls back. */
  readonly ready: boolean;
  /** @param data one line of text, such as JSON */
  send(event: string, data: string): void;
  /** Called each time he has caught up. */
  onReady(again: () => void): void;
}

export const answer = (body: object, status = 200): ConsoleAnswer => ({ kind: 'json', status, body });

/** An error in words, with what to do about it. */
export const problem = (
  status: number,
  error: string,
  action: string,
  headers?: AnswerHeaders,
): Extract<ConsoleAnswer, { readonly kind: 'json' }> => ({
  kind: 'json',
  status,
  body: { error, action },
  ...(headers && { headers }),
});
