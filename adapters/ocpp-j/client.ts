// Dials one CSMS once and answers with a connection, or with why there is none; when to try again is for others to say.
import type { IncomingMessage } from 'node:http';
import { WebSocket, type ClientOptions } from 'ws';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Log, LogFields } from '../../gateway/kernel/log.js';
import { milliseconds, type Milliseconds, seconds } from '../../gateway/kernel/units.js';
import { Connection, type ConnectionOptions, type Trace } from './connection.js';
import type { CallHandler, OcppVersion } from './contract.js';
import { basicHeader } from './credentials.js';
import { defaultFrameLimits, type FrameLimits } from './frame.js';
import type { NextMessageId } from './message-ids.js';
import { loadValidators } from './validation.js';

export interface DialOptions {
  /** Without the identity: `wss://csms.example/ocpp`. */
  readonly url: string;
  /** The station identity that the CSMS knows us by. */
  readonly identity: string;
  readonly version: OcppVersion;
  /** Security profiles 1 and 2: Basic authentication. */
  readonly password?: string | undefined;
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
  /** Offers permessage-deflate with one context for the whole connection; default true. */
  readonly compression?: boolean | undefined;
  /** For name, TCP, TLS and upgrade together; default 20 s. */
  readonly handshakeTimeout?: Milliseconds | undefined;
  readonly pingInterval?: Milliseconds | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly about: LogFields;
  readonly handler: CallHandler;
  readonly closed: ConnectionOptions['closed'];
  readonly quirk?: ConnectionOptions['quirk'];
  readonly repair?: boolean | undefined;
  readonly nextMessageId?: NextMessageId | undefined;
  readonly limits?: FrameLimits | undefined;
  readonly trace?: Trace | undefined;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal | undefined;
}

export type DialOutcome =
  | { readonly ok: true; readonly connection: Connection }
  /** Answered with an HTTP status instead of a WebSocket: 401 and 404 need the operator. */
  | {
      readonly ok: false;
      readonly reason: 'refused';
      readonly status: number;
      readonly detail: string;
      /** What its Retry-After asks for (RFC 9110 section 10.2.3). */
      readonly retryAfter?: Milliseconds;
    }
  /** TLS that does not hold: the certificate has expired, is for another name, or nobody here knows who signed it. */
  | { readonly ok: false; readonly reason: 'untrusted'; readonly detail: string }
  /** Nobody there, no common subprotocol, no answer in time. */
  | { readonly ok: false; readonly reason: 'unreachable'; readonly detail: string };

/** A frame below this many bytes leaves uncompressed: nothing but pings and empty answers is that small. */
const compressFrom = 32;

export async function dial(options: DialOptions): Promise<DialOutcome> {
  const validators = await loadValidators(options.version);
  const { promise, resolve } = outcome();
  let socket: WebSocket;
  try {
    socket = new WebSocket(endpoint(options.url, options.identity), [options.version], clientOptions(options));
  } catch (err) {
    return { ok: false, reason: 'unreachable', detail: messageOf(err) };
  }
  const abort = (): void => socket.terminate();
  // ws itself only minds silence: a door that speaks a byte now and then would keep us waiting for ever.
  const cancelDeadline = options.clock.after(options.handshakeTimeout ?? seconds(20), abort);
  options.signal?.addEventListener('abort', abort, { once: true });

  const failed = (err: unknown): void =>
    resolve({ ok: false, reason: isTlsFault(err) ? 'untrusted' : 'unreachable', detail: messageOf(err) });
  socket.on('error', failed);
  socket.once('unexpected-response', (request, response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    const retryAfter = retryAfterOf(response.headers['retry-after'], options.clock);
    const detail = response.statusMessage ?? '';
    resolve({ ok: false, reason: 'refused', status, detail, ...(retryAfter !== undefined && { retryAfter }) });
    response.resume();
    request.destroy();
  });
  socket.once('open', () => {
    socket.off('error', failed);
    options.signal?.removeEventListener('abort', abort);
    // The constructor listens before any frame is read: nothing can arrive in between.
    resolve({ ok: true, connection: new Connection({ ...options, socket, validators }) });
  });
  if (options.signal?.aborted === true) abort();
  const result = await promise;
  cancelDeadline();
  if (!result.ok) options.signal?.removeEventListener('abort', abort);
  return result;
}

function outcome(): { promise: Promise<DialOutcome>; resolve: (outcome: DialOutcome) => void } {
  let resolve: (outcome: DialOutcome) => void = () => undefined;
  const promise = new Promise<DialOutcome>((settle) => (resolve = settle));
  return { promise, resolve };
}

const messageOf = (err: unknown): string => (err instanceof Error ? err.message || err.name : String(err));

/** What Node says when the other side cannot prove who it is, or the two find no common TLS. */
const TLS_FAULTS =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

const isTlsFault = (err: unknown): boolean =>
  err instanceof Error && 'code' in err && typeof err.code === 'string' && TLS_FAULTS.test(err.code);

/** Seconds or an HTTP date. */
function retryAfterOf(header: string | undefined, clock: Clock): Milliseconds | undefined {
  if (header === undefined) return undefined;
  const wait = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isFinite(wait) ? milliseconds(Math.max(0, wait)) : undefined;
}

const endpoint = (url: string, identity: string): string =>
  `${url.replace(/\/+$/, '')}/${encodeURIComponent(identity)}`;

function clientOptions(options: DialOptions): ClientOptions {
  const { version, identity, password, tls = {} } = options;
  return {
    followRedirects: false,
    maxPayload: (options.limits ?? defaultFrameLimits).length,
    perMessageDeflate: options.compression === false ? false : { threshold: compressFrom },
    headers: password === undefined ? {} : { Authorization: basicHeader(version, identity, password) },
    ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
  };
}
