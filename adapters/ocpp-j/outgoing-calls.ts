// Our CALLs on one connection: validated, queued by priority, one outstanding at a time, matched with their answers.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { LogFields } from '../../gateway/kernel/log.js';
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';
import { CallQueue } from './call-queue.js';
import type { CallOptions, CallOutcome, Payload } from './contract.js';
import { errorCodeFrom } from './error-codes.js';
import { formatCall } from './frame.js';
import type { NextMessageId } from './message-ids.js';
import { describeViolation, type Validators, type Violation } from './validation.js';

interface OutgoingCall {
  readonly id: string;
  readonly action: string;
  readonly text: string;
  readonly options: CallOptions;
  readonly resolve: (outcome: CallOutcome) => void;
}

export interface OutgoingCallsContext {
  readonly validators: Validators;
  readonly clock: Clock;
  readonly nextId: NextMessageId;
  readonly send: (text: string) => void;
  /** A CALL has waited for long: is anybody there? A sign of life may take `wait`. */
  readonly suspect: (wait: Milliseconds) => void;
  /** Repairs an answer in place; what it returns is still wrong. */
  readonly repair: (action: string, payload: unknown, found: Violation) => Violation | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void;
}

/** CALLs that were given up and may still be answered; more would be those of a peer that answers nothing. */
const mostLate = 16;

export class OutgoingCalls {
  readonly #context: OutgoingCallsContext;
  readonly #queue = new CallQueue<OutgoingCall>();
  #outstanding: OutgoingCall | undefined;
  #cancelTimeout: CancelTimer | undefined;
  #cancelProbe: CancelTimer | undefined;
  /** Given up, the oldest first. */
  readonly #late = new Map<string, { readonly action: string; readonly came: (payload: Payload) => void }>();

  constructor(context: OutgoingCallsContext) {
    this.#context = context;
  }

  call(action: string, payload: Payload, options: CallOptions): Promise<CallOutcome> {
    const { validators, nextId, log } = this.#context;
    const violation = validators.validate(action, 'request', payload);
    if (violation !== undefined) {
      const reason = describeViolation(violation);
      log('error', 'our CALL breaks the schema and was not sent', {
        fault: FAULTS.ownFrameInvalid.code,
        action,
        description: reason,
      });
      return Promise.resolve({ kind: 'invalid', reason });
    }
    const id = nextId();
    const text = formatCall(id, action, payload);
    return new Promise((resolve) => {
      this.#queue.push({ id, action, text, options, resolve }, options.priority ?? 1);
      this.#sendNext();
    });
  }

  answered(id: string, payload: unknown): void {
    const late = this.#late.get(id);
    if (late !== undefined) {
      this.#late.delete(id);
      const outcome = this.#read(late.action, payload);
      if (outcome.kind === 'result') late.came(outcome.payload);
      return;
    }
    const call = this.#take(id);
    if (call === undefined) return;
    call.resolve(this.#read(call.action, payload));
    this.#sendNext();
  }

  #read(action: string, payload: unknown): Extract<CallOutcome, { kind: 'result' | 'invalid' }> {
    let violation = this.#context.validators.validate(action, 'response', payload);
    if (violation !== undefined) violation = this.#context.repair(action, payload, violation);
    if (violation === undefined) return { kind: 'result', payload: payload as Payload };
    const reason = describeViolation(violation);
    this.#context.log('warn', 'answer breaks the schema', { action, description: reason });
    return { kind: 'invalid', reason };
  }

  failed(id: string, code: string, description: string): void {
    const call = this.#take(id);
    if (call === undefined) return;
    call.resolve({ kind: 'error', code: errorCodeFrom(code), description });
    this.#sendNext();
  }

  /** Ends every CALL: the outstanding one may have been carried out, the waiting ones cannot. */
  close(): void {
    this.#cancelTimers();
    this.#late.clear();
    this.#outstanding?.resolve({ kind: 'closed', sent: true });
    this.#outstanding = undefined;
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      call.resolve({ kind: 'closed', sent: false });
    }
  }

  #take(id: string): OutgoingCall | undefined {
    const call = this.#outstanding;
    if (call === undefined || call.id !== id) {
      this.#context.log('info', 'answer to no CALL of ours, or one that came too late', {});
      return undefined;
    }
    this.#outstanding = undefined;
    this.#cancelTimers();
    return call;
  }

  #cancelTimers(): void {
    this.#cancelTimeout?.();
    this.#cancelProbe?.();
  }

  #sendNext(): void {
    if (this.#outstanding !== undefined) return;
    const call = this.#queue.shift();
    if (call === undefined) return;
    this.#outstanding = call;
    const { clock, suspect } = this.#context;
    const { timeout, probeAfter } = call.options;
    this.#cancelTimeout = clock.after(milliseconds(timeout), this.#timedOut);
    this.#cancelProbe = probeAfter && clock.after(probeAfter, () => suspect(probeAfter));
    this.#context.send(call.text);
  }

  readonly #timedOut = (): void => {
    const call = this.#outstanding;
    if (call === undefined) return;
    this.#outstanding = undefined;
    this.#cancelTimers();
    call.resolve(call.options.late === true ? { kind: 'timeout', late: this.#listenOn(call) } : { kind: 'timeout' });
    this.#sendNext();
  };

  #listenOn({ id, action }: OutgoingCall): Promise<Payload> {
    const [oldest] = this.#late.keys();
    if (oldest !== undefined && this.#late.size >= mostLate) this.#late.delete(oldest);
    return new Promise((came) => this.#late.set(id, { action, came }));
  }
}
