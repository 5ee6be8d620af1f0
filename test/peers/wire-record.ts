// What went over the sockets of one peer, and whether both sides kept to the rules of OCPP-J.
import type { EventEmitter } from 'node:events';
import type { Changes } from './changes.js';

export type OcppVersion = 'ocpp1.6' | 'ocpp2.0.1';
export type Payload = Readonly<Record<string, unknown>>;

/** One CALL that a peer received. */
export interface ReceivedCall {
  /** Milliseconds of the system clock. */
  readonly at: number;
  readonly messageId: string;
  readonly action: string;
  readonly payload: Payload;
  /** Counts the sockets of the peer from 1. */
  readonly socket: number;
}

interface Direction {
  /** Message id and action of the CALL that has no answer yet. */
  outstanding: { readonly id: string; readonly action: string; readonly at: number } | undefined;
}

/** A CALL that was given up may be followed by another one (the shortest MessageTimeout is 5 s). */
const GIVEN_UP_MS = 4900;

export class WireRecord {
  /** CALLs of the gateway, in the order of arrival. */
  readonly calls: ReceivedCall[] = [];
  /** CALLs of the peer itself, in the order in which they left. */
  readonly sent: ReceivedCall[] = [];
  /** Payloads of CALLRESULTs in either direction, by message id. */
  readonly answers = new Map<string, Payload>();
  /** Whatever broke a rule, beginning with the rule's number (`I1` to `I3`); a sound journey leaves it empty. */
  readonly faults: string[] = [];
  /** All ids of the gateway's CALLs, over all sockets. */
  readonly #ids = new Set<string>();
  #sockets = 0;

  constructor(
    readonly peer: string,
    readonly changes: Changes,
    /** Where the test itself sends something wrong on purpose. */
    readonly tolerate: { badMessages: boolean } = { badMessages: false },
  ) {}

  /** Listens to a socket of ocpp-rpc; the answer is its number. */
  listen(socket: EventEmitter): number {
    const number = ++this.#sockets;
    const gateway: Direction = { outstanding: undefined };
    const mine: Direction = { outstanding: undefined };
    socket.on('message', ({ message, outbound }: { message: unknown; outbound: boolean }) => {
      this.#frame(String(message), outbound ? mine : gateway, outbound ? gateway : mine, outbound, number);
      this.changes.happened();
    });
    socket.on('strictValidationFailure', (event: Invalid) => {
      const side = event.outbound ? 'the peer itself' : 'the gateway';
      this.#fault(
        'I1',
        `${event.method} of ${side} is not valid: ${event.error.message} ${JSON.stringify(event.result ?? event.params)}`,
      );
    });
    socket.on('badMessage', ({ error, buffer }: { error: Error; buffer: unknown }) => {
      if (!this.tolerate.badMessages)
        this.#fault('I1', `bad message: ${error.message} ${String(buffer).slice(0, 300)}`);
    });
    socket.on('close', () => this.changes.happened());
    return number;
  }

  /** The gateway's CALLs of one action. */
  of(action: string): readonly ReceivedCall[] {
    return this.calls.filter((call) => call.action === action);
  }

  #frame(text: string, sender: Direction, other: Direction, outbound: boolean, socket: number): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return; // reported as a bad message
    }
    if (!Array.isArray(frame)) return;
    const [type, id, action, payload] = frame as [unknown, unknown, unknown, unknown];
    if (typeof id !== 'string') return;
    if (type === 3 || type === 4) {
      if (other.outstanding?.id === id) other.outstanding = undefined;
      if (type === 3 && isPayload(action)) this.answers.set(id, action);
      return;
    }
    if (type !== 2 || typeof action !== 'string') return;
    const { outstanding } = sender;
    const now = Date.now();
    if (!outbound && outstanding !== undefined && now - outstanding.at < GIVEN_UP_MS)
      this.#fault('I2', `${action} was sent while ${outstanding.action} had no answer yet`);
    sender.outstanding = { id, action, at: now };
    const call = { at: now, messageId: id, action, payload: isPayload(payload) ? payload : {}, socket };
    if (outbound) return void this.sent.push(call);
    if (this.#ids.has(id)) this.#fault('I3', `the message id ${id} of ${action} was used before`);
    if (id.length > 36) this.#fault('I1', `the message id ${id} of ${action} is too long`);
    this.#ids.add(id);
    this.calls.push(call);
  }

  #fault(rule: 'I1' | 'I2' | 'I3', text: string): void {
    this.faults.push(`${rule} ${this.peer}: ${text}`);
  }
}

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Invalid {
  readonly method: string;
  readonly params: unknown;
  readonly result: unknown;
  readonly error: Error;
  readonly outbound: boolean;
}
