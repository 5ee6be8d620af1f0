// The other side's CALLs on one connection: handed over one at a time in their order, each answered validly or with an error.
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { LogFields } from '../../gateway/kernel/log.js';
import type { CallAnswer, CallHandler, IncomingCall, RpcErrorCode } from './contract.js';
import { formatResult } from './frame.js';
import { describeViolation, type Validators } from './validation.js';

export interface IncomingFrame extends IncomingCall {
  readonly id: string;
}

export interface IncomingCallsContext {
  readonly validators: Validators;
  readonly handler: CallHandler;
  readonly send: (text: string) => void;
  readonly sendError: (id: string, code: RpcErrorCode, description: string) => void;
  readonly log: (level: 'warn' | 'error', message: string, fields?: LogFields) => void;
  /** More CALLs wait than a peer that waits for answers could have sent. */
  readonly overflow: () => void;
}

/** CALLs that may wait while one is being answered; a charger that empties its queue without waiting for answers stays below. */
const mostWaiting = 128;

export class IncomingCalls {
  readonly #context: IncomingCallsContext;
  readonly #waiting: IncomingFrame[] = [];
  #current: IncomingFrame | undefined;
  #closed = false;

  constructor(context: IncomingCallsContext) {
    this.#context = context;
  }

  accept(frame: IncomingFrame): void {
    if (this.#current === undefined) return this.#handle(frame);
    // The same CALL once more while it is being answered: one answer serves both.
    if (this.#current.id === frame.id && this.#current.text === frame.text) return;
    if (this.#waiting.length >= mostWaiting) return this.#context.overflow();
    this.#waiting.push(frame);
  }

  /** Forgets what waits; the answer to the CALL at hand goes nowhere. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #handle(frame: IncomingFrame): void {
    this.#current = frame;
    let answer: Promise<CallAnswer>;
    try {
      answer = this.#context.handler(frame);
    } catch (err) {
      return this.#failed(err);
    }
    answer.then(this.#answer, this.#failed);
  }

  readonly #failed = (err: unknown): void => {
    this.#context.log('error', 'CALL could not be handled', { err, action: this.#current?.action });
    this.#answer({ kind: 'error', code: 'InternalError', description: 'the CALL could not be handled' });
  };

  readonly #answer = (answer: CallAnswer): void => {
    const frame = this.#current;
    if (frame === undefined || this.#closed) return;
    if (answer.kind === 'error') this.#context.sendError(frame.id, answer.code, answer.description);
    else this.#sendResult(frame, answer);
    this.#current = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#handle(next);
  };

  #sendResult(frame: IncomingFrame, { payload, afterwards }: Extract<CallAnswer, { kind: 'result' }>): void {
    const { validators, send, sendError, log } = this.#context;
    const violation = validators.validate(frame.action, 'response', payload);
    if (violation !== undefined) {
      const description = describeViolation(violation);
      const fields = { fault: FAULTS.ownFrameInvalid.code, action: frame.action, description };
      log('error', 'our answer breaks the schema and was not sent', fields);
      return sendError(frame.id, 'InternalError', 'no valid answer');
    }
    send(formatResult(frame.id, payload));
    try {
      afterwards?.();
    } catch (err) {
      log('error', 'what follows an answer failed', { err, action: frame.action });
    }
  }
}
