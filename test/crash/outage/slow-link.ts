// A CSMS at the other end of a slow line: one message at a time, by priority, each answered after a while; it keeps digests only.
import { CallQueue } from '../../../adapters/ocpp-j/call-queue.js';
import { PRIORITIES } from '../../../adapters/ocpp-j/csms-delivery.js';
import { milliseconds } from '../../../gateway/kernel/units.js';
import type { CsmsLink, CsmsMessage, DeliveryOutcome } from '../../../gateway/ports/csms.js';
import type { Csms } from '../../../gateway/site/topology.js';
import type { FakeClock } from '../../fakes/fake-clock.js';

/** What it was told of one transaction. */
export interface Heard {
  readonly startedAt: number;
  readonly meterStart: number;
  /** The `n` of each record, in the order in which they came. */
  readonly records: number[];
  readonly seqNos: number[];
  endedAt?: number;
  meterStop?: number;
}

interface Waiting {
  readonly message: CsmsMessage;
  readonly resolve: (outcome: DeliveryOutcome) => void;
}

export class SlowLink implements CsmsLink {
  accepted = false;
  get connected(): boolean {
    return this.accepted;
  }
  readonly heard = new Map<string, Heard>();
  /** Uid of each start, in the order in which they came. */
  readonly starts: string[] = [];
  /** What must never happen, in words. */
  readonly faults: string[] = [];
  messages = 0;
  /** Ends so far. */
  ended = 0;
  readonly #queue = new CallQueue<Waiting>();
  #busy = false;
  #lastId = 100;

  /** @param roundTrip milliseconds of `clock`; 0: at once */
  constructor(
    readonly version: Csms['ocpp'],
    readonly clock: FakeClock,
    readonly roundTrip: number,
  ) {}

  start(): void {
    this.accepted = true;
  }
  stop(): Promise<void> {
    this.accepted = false;
    return Promise.resolve();
  }
  probe(): Promise<boolean> {
    return Promise.resolve(this.accepted);
  }
  askTime(): Promise<void> {
    return Promise.resolve();
  }
  reboot(): void {
    throw new Error('nobody asks for that here');
  }

  deliver(message: CsmsMessage): Promise<DeliveryOutcome> {
    if (!this.accepted) return Promise.resolve({ kind: 'unsent' });
    return new Promise((resolve) => {
      this.#queue.push({ message, resolve }, priorityOf(message));
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    this.#busy = true;
    const answered = (): void => {
      this.#busy = false;
      waiting.resolve(this.#answer(waiting.message));
      this.#next();
    };
    if (this.roundTrip === 0) setImmediate(answered);
    else this.clock.after(milliseconds(this.roundTrip), answered);
  }

  #answer(message: CsmsMessage): DeliveryOutcome {
    if (message.type === 'authorize') return { kind: 'answered', idTokenInfo: { status: 'Accepted' } };
    if (message.type !== 'transaction') return { kind: 'answered' };
    this.messages++;
    const { record, state, offline } = message;
    if (!offline) this.faults.push(`${record.uid} ${record.n} is not said to be of the time without a link`);
    this.#note(message);
    const info = record.kind === 'started' ? { idTokenInfo: { status: 'Accepted' as const } } : {};
    if (this.version === '2.0.1')
      return { kind: 'answered', state: { seqNo: Number(state['seqNo'] ?? 0) + 1 }, ...info };
    const known = state['csmsTransactionId'];
    return { kind: 'answered', state: known === undefined ? { csmsTransactionId: ++this.#lastId } : state, ...info };
  }

  #note({ record, state }: Extract<CsmsMessage, { type: 'transaction' }>): void {
    const { uid, n, kind } = record;
    let heard = this.heard.get(uid);
    if (heard === undefined) {
      if (kind !== 'started') this.faults.push(`${uid} begins with ${kind}`);
      heard = { startedAt: record.at, meterStart: record.meterStart ?? NaN, records: [], seqNos: [] };
      this.heard.set(uid, heard);
      this.starts.push(uid);
    }
    if (heard.endedAt !== undefined) this.faults.push(`${uid} ${n} comes after its end`);
    if (n <= (heard.records.at(-1) ?? -1)) this.faults.push(`${uid}: ${n} comes after ${heard.records.at(-1)}`);
    heard.records.push(n);
    if (this.version === '2.0.1') heard.seqNos.push(Number(state['seqNo'] ?? 0));
    if (kind !== 'ended') return;
    this.ended++;
    Object.assign(heard, { endedAt: record.at, meterStop: record.register });
  }
}

function priorityOf(message: CsmsMessage): number {
  if (message.type === 'authorize') return PRIORITIES.authorize;
  if (message.type !== 'transaction') return PRIORITIES.status;
  return message.record.kind === 'updated' ? PRIORITIES.values : PRIORITIES.transaction;
}
