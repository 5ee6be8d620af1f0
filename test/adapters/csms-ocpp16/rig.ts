// A CSMS adapter's neighbours in memory: a clock that stands still, a wire that checks every frame, a view that remembers.
import t from 'tap';
import type {
  CallHandler,
  CallOutcome,
  OcppConnection,
  OcppVersion,
  Payload,
} from '../../../adapters/ocpp-j/contract.js';
import type { Dial } from '../../../adapters/ocpp-j/csms-session.js';
import { loadValidators, type Validators } from '../../../adapters/ocpp-j/validation.js';
import type { CancelTimer, Clock } from '../../../gateway/kernel/clock.js';
import { csmsId, evseNumber, stationId, transactionUid } from '../../../gateway/kernel/ids.js';
import { silentLog } from '../../../gateway/kernel/log.js';
import { milliseconds, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import type {
  CsmsAnswer,
  CsmsCommand,
  CsmsHost,
  CsmsMessage,
  ConnectorView,
  Slot,
} from '../../../gateway/ports/csms.js';
import type { IdToken } from '../../../gateway/site/tokens.js';
import type { Csms } from '../../../gateway/site/topology.js';
import type { TransactionRecord } from '../../../gateway/site/transaction.js';

export const AT = timestamp(Date.parse('2026-03-01T12:00:00.000Z'));
export const AT_TEXT = '2026-03-01T12:00:00.000Z';

/** Lets everything that waits on settled promises run. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

export class StillClock implements Clock {
  #elapsed = 0;
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>();
  now = () => timestamp(AT + this.#elapsed);
  monotonic = () => milliseconds(this.#elapsed);
  after(delay: number, action: () => void): CancelTimer {
    const timer = { at: this.#elapsed + delay, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  every(interval: number, action: () => void): CancelTimer {
    let cancel: CancelTimer = () => undefined;
    const again = (): void => {
      cancel = this.after(interval, () => {
        again();
        action();
      });
    };
    again();
    return () => cancel();
  }
  get pending(): number {
    return this.#timers.size;
  }
  async advance(seconds: number): Promise<void> {
    await settle();
    const end = this.#elapsed + seconds * 1000;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.action();
      await settle();
    }
    this.#elapsed = end;
  }
}

export interface Sent {
  readonly action: string;
  readonly payload: Payload;
}

/** `silent`: no answer until the time-out or the end of the link. */
export type Responder = (action: string, payload: Payload) => CallOutcome | Payload | 'silent';

export const boot = (status: 'Accepted' | 'Pending' | 'Rejected', interval = 300): Payload => ({
  status,
  interval,
  currentTime: AT_TEXT,
});
export const callError = (
  code: 'SecurityError' | 'NotImplemented' | 'InternalError' | 'GenericError',
): CallOutcome => ({
  kind: 'error',
  code,
  description: 'scripted',
});

const isOutcome = (answer: CallOutcome | Payload): answer is CallOutcome =>
  'kind' in answer && typeof answer.kind === 'string';

/** The CSMS end: dials are answered, refused or cut as the test says, and every frame either way must be valid. */
export class FakeCsms {
  readonly sent: Sent[] = [];
  /** The priority with which each CALL was given to the wire. */
  readonly priorities: [action: string, priority: number | undefined][] = [];
  readonly dials: number[] = [];
  refuse: string | undefined;
  /** Overrides the usual answers. */
  responder: Responder | undefined;
  #handler: CallHandler | undefined;
  #close: ((reason: string) => void) | undefined;
  #waiting: ((outcome: CallOutcome) => void)[] = [];

  constructor(
    readonly version: OcppVersion,
    readonly validators: Validators,
    readonly clock: StillClock,
  ) {}

  readonly dial: Dial = (handler, onClose) => {
    this.dials.push(this.clock.monotonic() / 1000);
    if (this.refuse !== undefined) return Promise.resolve({ refused: this.refuse });
    const state = { open: true };
    const end = (reason: string): void => {
      if (!state.open) return;
      state.open = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve({ kind: 'closed', sent: true });
      onClose(reason);
    };
    this.#handler = handler;
    this.#close = end;
    const connection: OcppConnection = {
      version: this.version,
      get open() {
        return state.open;
      },
      call: (action, payload, { timeout, priority }) => {
        this.priorities.push([action, priority]);
        return state.open ? this.#answer(action, payload, timeout) : Promise.resolve({ kind: 'closed', sent: false });
      },
      close: (_code, reason) => end(reason),
      terminate: () => end('terminated'),
    };
    return Promise.resolve({ connection });
  };

  #answer(action: string, payload: Payload, timeout: number): Promise<CallOutcome> {
    // As on the wire: what JSON drops is gone.
    const text: Payload = JSON.parse(JSON.stringify(payload));
    const violation = this.validators.validate(action, 'request', text);
    if (violation) t.fail(`${action} is not valid: ${violation.path} ${violation.message}`, { payload });
    this.sent.push({ action, payload: text });
    const answer = this.responder?.(action, text) ?? usualAnswer(this.version, action);
    if (answer === 'silent')
      return new Promise((resolve) => {
        this.#waiting.push(resolve);
        this.clock.after(timeout, () => resolve({ kind: 'timeout' }));
      });
    if (isOutcome(answer)) return Promise.resolve(answer);
    const broken = this.validators.validate(action, 'response', answer);
    if (broken) t.fail(`the test answers ${action} with what is not valid: ${broken.path} ${broken.message}`);
    return Promise.resolve({ kind: 'result', payload: answer });
  }

  cut(reason = 'cut'): void {
    this.#close?.(reason);
  }

  /** A CALL of the CSMS; its answer is checked against the schema, then what follows the answer runs. */
  async ask(action: string, payload: Payload = {}): Promise<Payload | string> {
    const violation = this.validators.validate(action, 'request', payload);
    if (violation && violation.keyword !== 'action')
      t.fail(`the test asks what is not valid: ${action} ${violation.path}`);
    if (!this.#handler) throw new Error('not dialled');
    const answer = await this.#handler({ action, payload, text: '' });
    if (answer.kind === 'error') return answer.code;
    const text: Payload = JSON.parse(JSON.stringify(answer.payload));
    const broken = this.validators.validate(action, 'response', text);
    if (broken) t.fail(`the answer to ${action} is not valid: ${broken.path} ${broken.message}`, { text });
    answer.afterwards?.();
    await settle();
    return text;
  }

  actions(): string[] {
    return this.sent.map(({ action }) => action);
  }

  last(action: string): Payload | undefined {
    return this.sent.findLast((one) => one.action === action)?.payload;
  }
}

function usualAnswer(version: OcppVersion, action: string): Payload {
  const info = { status: 'Accepted' };
  switch (action) {
    case 'BootNotification':
      return boot('Accepted');
    case 'Heartbeat':
      return { currentTime: AT_TEXT };
    case 'Authorize':
      return version === 'ocpp1.6' ? { idTagInfo: info } : { idTokenInfo: info };
    case 'StartTransaction':
      return { transactionId: 113, idTagInfo: info };
    case 'DataTransfer':
      return { status: 'Accepted' };
    default:
      return {};
  }
}

export interface RememberingHost extends CsmsHost {
  readonly commands: CsmsCommand[];
  readonly events: string[];
  answer: (command: CsmsCommand) => CsmsAnswer;
  readonly settings: Map<string, number>;
}

/** Connectors 1.1, 2.1 and 2.2, in 1.6 numbers 1, 2, 3. */
export const SLOTS: readonly Slot[] = [
  { evse: 1, connector: 1, flat: 1 },
  { evse: 2, connector: 1, flat: 2 },
  { evse: 2, connector: 2, flat: 3 },
];
export const [SLOT_1, , SLOT_3] = SLOTS as readonly [Slot, Slot, Slot];

export function rememberingHost(): RememberingHost {
  const commands: CsmsCommand[] = [];
  const events: string[] = [];
  const settings = new Map([
    ['HeartbeatInterval', 900],
    ['WebSocketPingInterval', 0],
    ['RetryBackOffWaitMinimum', 10],
    ['RetryBackOffRandomRange', 4],
    ['RetryBackOffRepeatTimes', 2],
    ['MessageTimeout', 30],
  ]);
  const host: RememberingHost = {
    csms: csmsId('operator'),
    identity: { vendor: 'Forecourt', model: 'Gateway', serialNumber: 'GW-1', firmwareVersion: '0.1.0' },
    bootReason: 'PowerUp',
    commands,
    events,
    settings,
    answer: () => ({ status: 'Accepted' }),
    setting: (name) => settings.get(name) ?? 0,
    linkUp: (booted) => events.push(booted ? 'up booted' : 'up'),
    linkDown: (reason) => events.push(`down: ${reason}`),
    timeFromCsms: () => undefined,
    heartbeatInterval: (seconds) => settings.set('HeartbeatInterval', seconds),
    command: (command) => {
      commands.push(command);
      return Promise.resolve(host.answer(command));
    },
    slotOf: (evse, connector = 1) => SLOTS.find((slot) => slot.evse === evse && slot.connector === connector),
    slotOfFlat: (flat) => SLOTS.find((slot) => slot.flat === flat),
  };
  return host;
}

export const csmsOf = (ocpp: Csms['ocpp'], url = 'ws://127.0.0.1'): Csms => ({
  id: csmsId('operator'),
  url,
  ocpp,
  role: 'authority',
  securityProfile: 0,
  identity: 'SITE-01',
  present: 'site',
  resetScope: 'gateway',
  sendMinusOne: true,
});

export function aliasTable() {
  const table = new Map<string, IdToken>();
  return {
    table,
    remember: (alias: string, token: IdToken) => void table.set(alias, token),
    resolve: (alias: string) => table.get(alias),
  };
}

export async function wiring(version: OcppVersion) {
  const clock = new StillClock();
  const csms = new FakeCsms(version, await loadValidators(version), clock);
  return { clock, csms, host: rememberingHost(), context: { clock, log: silentLog } };
}

export const TOKEN: IdToken = { idToken: '04A1B2C3', type: 'ISO14443' };

export const record = (more: Partial<TransactionRecord> = {}): TransactionRecord => ({
  type: 'transaction',
  uid: transactionUid('0190a5b0-0000-7000-8000-000000000001'),
  n: 0,
  kind: 'started',
  station: stationId('CP01'),
  evse: evseNumber(1),
  connector: 1,
  at: AT,
  trigger: 'Authorized',
  chargingState: 'EVConnected',
  meterValues: [],
  offline: false,
  meterStart: wattHour(1000.7),
  startToken: TOKEN,
  ...more,
});

export const transaction = (
  more: Partial<TransactionRecord> = {},
  state: Readonly<Record<string, unknown>> = {},
  slot: Slot = SLOT_1,
): Extract<CsmsMessage, { type: 'transaction' }> => ({
  type: 'transaction',
  record: record(more),
  slot,
  offline: false,
  state,
});

export const view = (more: Partial<ConnectorView> = {}): ConnectorView => ({
  slot: SLOT_1,
  status: 'Available',
  transaction: 'none',
  chargingState: 'Idle',
  at: AT,
  ...more,
});

export const energy = (value: number) => ({ at: AT, sampled: [{ value, context: 'Sample.Periodic' as const }] });
