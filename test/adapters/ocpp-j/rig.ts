// Real time, a silent log that remembers, and a server with one known station: what the socket tests stand on.
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../../gateway/kernel/clock.js';
import type { Log, LogFields } from '../../../gateway/kernel/log.js';
import { milliseconds, timestamp } from '../../../gateway/kernel/units.js';
import { dial, type DialOptions, type DialOutcome } from '../../../adapters/ocpp-j/client.js';
import type { CallAnswer, CallHandler, IncomingCall } from '../../../adapters/ocpp-j/contract.js';
import {
  OcppServer,
  type Accepted,
  type Admission,
  type AdmissionRequest,
  type OcppServerOptions,
  type ServerSecurityEvent,
} from '../../../adapters/ocpp-j/server.js';

export const realClock: Clock = {
  now: () => timestamp(Date.now()),
  monotonic: () => milliseconds(performance.now()),
  after: (delay, action) => {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  every: (interval, action) => {
    const timer = setInterval(action, interval);
    return () => clearInterval(timer);
  },
};

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

export function rememberingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: LogFields, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const bootAnswer = { currentTime: '2026-01-01T00:00:00.000Z', interval: 300, status: 'Accepted' };

/** Answers what a charger says in the tests. */
export const answers: CallHandler = (call) => {
  const payloads: Readonly<Record<string, Record<string, unknown>>> = {
    BootNotification: bootAnswer,
    Heartbeat: { currentTime: bootAnswer.currentTime },
  };
  const answer: CallAnswer = { kind: 'result', payload: payloads[call.action] ?? {} };
  return Promise.resolve(answer);
};

export interface TestServer {
  readonly server: OcppServer<string>;
  readonly url: string;
  readonly log: ReturnType<typeof rememberingLog>;
  readonly calls: IncomingCall[];
  readonly accepted: Accepted<string>[];
  readonly closed: { readonly identity: string; readonly code: number }[];
  readonly securityEvents: ServerSecurityEvent[];
  /** Resolves with the n-th accepted connection, from 0. */
  nth(n: number): Promise<Accepted<string>>;
}

export async function startServer(
  admit: (request: AdmissionRequest) => Admission<string> = ({ identity }) => ({
    ok: true,
    station: identity,
    proven: true,
  }),
  more: Partial<OcppServerOptions<string>> & { readonly handler?: CallHandler } = {},
): Promise<TestServer> {
  const log = rememberingLog();
  const calls: IncomingCall[] = [];
  const accepted: Accepted<string>[] = [];
  const closed: { identity: string; code: number }[] = [];
  const securityEvents: ServerSecurityEvent[] = [];
  const waiting: { n: number; resolve: (accepted: Accepted<string>) => void }[] = [];
  const server = new OcppServer<string>({
    clock: realClock,
    log,
    admit,
    accepted: (one) => {
      accepted.push(one);
      for (const { n, resolve } of waiting) if (n === accepted.length - 1) resolve(one);
      return {
        handler: (call) => {
          calls.push(call);
          return (more.handler ?? answers)(call);
        },
        closed: (code) => closed.push({ identity: one.identity, code }),
      };
    },
    securityEvent: (event) => securityEvents.push(event),
    ...more,
  });
  const { port } = await server.listen(0, '127.0.0.1');
  return {
    server,
    url: `ws://127.0.0.1:${port}/ocpp`,
    log,
    calls,
    accepted,
    closed,
    securityEvents,
    nth: (n) => {
      const one = accepted[n];
      return one === undefined ? new Promise((resolve) => waiting.push({ n, resolve })) : Promise.resolve(one);
    },
  };
}

export const dialTest = (
  options: Pick<DialOptions, 'url' | 'identity' | 'version'> & Partial<DialOptions>,
): Promise<DialOutcome> =>
  dial({
    clock: realClock,
    log: rememberingLog(),
    about: { csms: 'test' },
    handler: answers,
    closed: () => undefined,
    ...options,
  });
