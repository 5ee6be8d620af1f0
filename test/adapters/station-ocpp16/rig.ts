// A charger in memory for the tests of the OCPP station adapters: scripted answers, a clock that is moved by hand, a host that keeps what it hears.
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { OCPP16, OCPP20 } from 'typed-ocpp';
import type {
  CallAnswer,
  CallHandler,
  CallOutcome,
  OcppConnection,
  OcppVersion,
  Payload,
} from '../../../adapters/ocpp-j/contract.js';
import type { Clock } from '../../../gateway/kernel/clock.js';
import { evseNumber, circuitId, stationId, stationTransactionId } from '../../../gateway/kernel/ids.js';
import type { Log, LogFields } from '../../../gateway/kernel/log.js';
import { ampere, milliseconds, timestamp, type Milliseconds } from '../../../gateway/kernel/units.js';
import type { StationHost } from '../../../gateway/ports/station.js';
import type { StationAnswer, StationEvent } from '../../../gateway/site/station-event.js';
import type { Evse, Station } from '../../../gateway/site/topology.js';

export const NOON = timestamp(Date.UTC(2026, 5, 1, 12));

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** Time stands still until it is moved. */
export class HandClock implements Clock {
  #elapsed = 0;
  #timers: Timer[] = [];
  now() {
    return timestamp(NOON + this.#elapsed);
  }
  monotonic() {
    return milliseconds(this.#elapsed);
  }
  after(delay: Milliseconds, action: () => void) {
    const timer: Timer = { at: this.#elapsed + delay, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  every(): never {
    throw new Error('not used by these adapters');
  }
  get pending(): number {
    return this.#timers.length;
  }
  /** Moves time on, timer by timer, and lets everything happen that follows. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#elapsed = due.at;
      due.action();
      await settled();
    }
    this.#elapsed = end;
    await settled();
  }
}

/** Resolves when every promise chain that can go on has gone on. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ajv = new Ajv({ strict: false, multipleOfPrecision: 6, allErrors: true });
addFormats.default(ajv);
const compiled = new Map<string, ValidateFunction>();

/** @throws when the payload is not what the schemas of that version allow */
export function mustBeValid(
  version: OcppVersion,
  action: string,
  kind: 'Request' | 'Response',
  payload: Payload,
): void {
  const schemas: Readonly<Record<string, object>> = version === 'ocpp1.6' ? OCPP16.schemas : OCPP20.schemas;
  const name = `${action}${kind}`;
  const schema = schemas[name];
  if (!schema) throw new Error(`${version} has no ${name}`);
  const key = `${version} ${name}`;
  const validate = compiled.get(key) ?? ajv.compile(schema);
  compiled.set(key, validate);
  if (!validate(payload))
    throw new Error(`${key} is invalid: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(payload)}`);
}

export const result = (payload: Payload): CallOutcome => ({ kind: 'result', payload });
export const callError = (code: 'NotSupported' | 'NotImplemented' | 'InternalError' | 'GenericError'): CallOutcome => ({
  kind: 'error',
  code,
  description: '',
});

export interface SentCall {
  readonly action: string;
  readonly payload: Payload;
  readonly timeout: number;
  readonly priority: number;
}

export type Script = (action: string, payload: Payload) => CallOutcome | Promise<CallOutcome>;

export class FakeConnection implements OcppConnection {
  readonly version: OcppVersion;
  readonly sent: SentCall[] = [];
  /** Frames that broke a schema: must stay empty. */
  readonly invalid: string[] = [];
  open = true;
  script: Script;

  constructor(version: OcppVersion, script: Script) {
    this.version = version;
    this.script = script;
  }
  async call(action: string, payload: Payload, options: { timeout: number; priority?: number }): Promise<CallOutcome> {
    try {
      mustBeValid(this.version, action, 'Request', payload);
    } catch (err) {
      this.invalid.push(String(err));
    }
    this.sent.push({ action, payload, timeout: options.timeout, priority: options.priority ?? 1 });
    return this.script(action, payload);
  }
  close(): void {
    this.open = false;
  }
  terminate(): void {
    this.open = false;
  }
  of(action: string): readonly Payload[] {
    return this.sent.filter((call) => call.action === action).map((call) => call.payload);
  }
  forget(): void {
    this.sent.length = 0;
  }
}

/** Asks the driver as the charger would, checks the answer against its schema and lets `afterwards` run. */
export async function ask(
  version: OcppVersion,
  handler: CallHandler,
  action: string,
  payload: Payload,
): Promise<CallAnswer> {
  const given = await handler({ action, payload, text: JSON.stringify([2, 'id', action, payload]) });
  if (given.kind === 'result') {
    mustBeValid(version, action, 'Response', given.payload);
    given.afterwards?.();
  }
  await settled();
  return given;
}

type Answers = { [T in StationEvent['type']]?: (event: Extract<StationEvent, { type: T }>) => unknown };

/** Keeps every event and answers what the test says, or something friendly. */
export class FakeHost implements StationHost {
  readonly events: StationEvent[] = [];
  answers: Answers = {};
  #next = 40;

  report<E extends StationEvent>(event: E): Promise<StationAnswer<E>> {
    this.events.push(event);
    return Promise.resolve().then(() => this.#answer(event) as StationAnswer<E>);
  }
  of<T extends StationEvent['type']>(type: T): readonly Extract<StationEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<StationEvent, { type: T }> => event.type === type);
  }
  #answer(event: StationEvent): unknown {
    const scripted = this.answers[event.type] as ((event: StationEvent) => unknown) | undefined;
    if (scripted) return scripted(event);
    switch (event.type) {
      case 'booted':
        return { status: 'Accepted', now: NOON, interval: 300 };
      case 'authorize':
        return { status: 'Accepted' };
      case 'transaction':
        return {
          stationTransactionId: event.stationTransactionId ?? stationTransactionId(String(++this.#next)),
          ...(event.idToken && { idTokenInfo: { status: 'Accepted' } }),
        };
      case 'dataTransfer':
        return { status: 'UnknownVendorId' };
      default:
        return undefined;
    }
  }
}

/** Keeps the lines, so that tests can look for tokens that must not be in them. */
export class FakeLog implements Log {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];
  #keep = (level: string) => (fields: LogFields, message: string) => {
    this.lines.push({ level, fields, message });
  };
  debug = this.#keep('debug');
  info = this.#keep('info');
  warn = this.#keep('warn');
  error = this.#keep('error');
  get errors(): readonly string[] {
    return this.lines
      .filter(({ level }) => level === 'error')
      .map(({ message, fields }) => `${message} ${String(fields.err)}`);
  }
}

export const evse = (number: number, stationEvse: number, change: Partial<Evse> = {}): Evse => ({
  number: evseNumber(number),
  station: stationId('CP1'),
  stationEvse,
  connectors: [{ number: 1, type: 'Type2' }],
  circuit: circuitId('grid'),
  maxCurrent: ampere(32),
  minCurrent: ampere(6),
  fallbackCurrent: ampere(8),
  phases: ['L1', 'L2', 'L3'],
  rotationKnown: true,
  ...change,
});

export const stationOf = (...evses: readonly Evse[]): Station => ({
  id: stationId('CP1'),
  link: { kind: 'ocpp', securityProfile: 1 },
  evses,
  start: { kind: 'authorized' },
});
