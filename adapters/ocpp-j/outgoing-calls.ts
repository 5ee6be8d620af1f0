// Our CALLs on one connection: validated, queued by priority, one outstanding at a time, matched with their answers.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { LogFields } from '../../gateway/kernel/log.js';
import { milliseconds } from '../../gateway/kernel/units.js';
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
  readonly timeout: number;
  readonly resolve: (outcome: CallOutcome) => void;
}

export interface OutgoingCallsContext {
  readonly validators: Validators;
  readonly clock: Clock;
  readonly nextId: NextMessageId;
  readonly send: (text: string) => void;
  /** Repairs an answer in place; what it returns is still wrong. */
  readonly repair: (action: string, payload: unknown, found: Violation) => Violation | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields) => void;
}

export class OutgoingCalls {
  readonly #context: OutgoingCallsContext;
  readonly #queue = new CallQueue<OutgoingCall>();
  #outstanding: OutgoingCall | undefined;
  #cancelTimeout: CancelTimer | undefined;

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
      this.#queue.push({ id, action, text, timeout: options.timeout, resolve }, options.priority ?? 1);
      this.#sendNext();
    });
  }

  answered(id: string, payload: unknown): void {
    const call = this.#take(id);
    if (call === undefined) return;
    let violation = this.#context.validators.validate(call.action, 'response', payload);
    if (violation !== undefined) violation = this.#context.repair(call.action, payload, violation);
    if (violation === undefined) call.resolve({ kind: 'result', payload: payload as Payload });
    else {
      const reason = describeViolation(violation);
      this.#context.log('warn', 'answer breaks the schema', { action: call.action, description: reason });
      call.resolve({ kind: 'invalid', reason });
    }
    this.#sendNext();
  }

  failed(id: string, code: string, description: string): void {
    const call = this.#take(id);
    if (call === undefined) return;
    call.resolve({ kind: 'error', code: errorCodeFrom(code), description });
    this.#sendNext();
  }

  /** Ends every CALL: the outstanding one may have been carried out, the waiting ones cannot. */
  close(): void {
    this.#cancelTimeout?.();
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
    this.#cancelTimeout?.();
    return call;
  }

  #sendNext(): void {
    if (this.#outstanding !== undefined) return;
    const call = this.#queue.shift();
    if (call === undefined) return;
    this.#outstanding = call;
    this.#cancelTimeout = this.#context.clock.after(milliseconds(call.timeout), this.#timedOut);
    this.#context.send(call.text);
  }

  readonly #timedOut = (): void => {
    const call = this.#outstanding;
    if (call === undefined) return;
    this.#outstanding = undefined;
    call.resolve({ kind: 'timeout' });
    this.#sendNext();
  };
}
