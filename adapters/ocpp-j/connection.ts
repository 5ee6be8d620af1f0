// One OCPP-J connection over a WebSocket, in either role: at most one CALL outstanding each way, answers in the order of the CALLs.
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log, LogFields } from '../../gateway/kernel/log.js';
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';
import { mendJson } from './broken-json.js';
import type { CallHandler, CallOptions, CallOutcome, OcppConnection, Payload } from './contract.js';
import type { OcppVersion, RpcErrorCode } from './contract.js';
import { errorLiteral } from './error-codes.js';
import { formatError, parseFrame, type BadFrame, type Frame, type FrameLimits } from './frame.js';
import { IncomingCalls } from './incoming-calls.js';
import { watchLiveness, type Liveness } from './liveness.js';
import { uuidMessageIds, type NextMessageId } from './message-ids.js';
import { OutgoingCalls } from './outgoing-calls.js';
import { repairPayload } from './quirks.js';
import { describeViolation, errorCodeOf, type MessageKind, type Validators } from './validation.js';

/** Sees every frame as it is on the wire, tokens and all: whoever shows it masks it. */
export type Trace = (direction: 'in' | 'out', text: string) => void;

export interface ConnectionOptions {
  readonly socket: WebSocket;
  /** The stream below, where it is known: frames of one turn then leave in one write. */
  readonly stream?: Duplex | undefined;
  readonly validators: Validators;
  readonly clock: Clock;
  readonly log: Log;
  /** Names the other side in every log line. */
  readonly about: LogFields;
  /** Answers the CALLs of the other side. */
  readonly handler: CallHandler;
  /** Called once, when no frame will come or go any more; every CALL of ours has ended by then. */
  readonly closed: (code: number, reason: string) => void;
  /** Called each time a frame had to be repaired, with the name of the rule; `first` decides whether it is worth a log line. */
  readonly quirk?: ((name: string) => 'first' | 'known') | undefined;
  /** False: what breaks the schema is refused, not repaired. Default true. */
  readonly repair?: boolean | undefined;
  readonly nextMessageId?: NextMessageId | undefined;
  readonly limits?: FrameLimits | undefined;
  /** A silent peer is pinged this often, and given up when one interval passes without a sign of life; 0 never. Default 30 s. */
  readonly pingInterval?: Milliseconds | undefined;
  readonly trace?: Trace | undefined;
}

/** A peer that sends nothing but refused frames for this long does not speak OCPP-J, and would fill the log. */
const mostRefusedInARow = 100;
const closeGrace = milliseconds(5000);

export class Connection implements OcppConnection {
  readonly version: OcppVersion;
  trace: Trace | undefined;
  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #validators: Validators;
  readonly #calls: OutgoingCalls;
  readonly #liveness: Liveness;
  readonly #incoming: IncomingCalls;
  #open = true;
  #corked = false;
  #refusedInARow = 0;
  #cancelGrace: CancelTimer | undefined;

  constructor(options: ConnectionOptions) {
    const { socket, validators, clock } = options;
    this.version = validators.version;
    this.trace = options.trace;
    this.#options = options;
    this.#socket = socket;
    this.#validators = validators;
    this.#calls = new OutgoingCalls({
      validators,
      clock,
      nextId: options.nextMessageId ?? uuidMessageIds,
      send: (text) => this.#send(text),
      suspect: (wait) => void this.#suspect(wait),
      repair: (action, payload, found) => this.#repaired(action, 'response', payload, found),
      log: (level, message, fields) => this.#log(level, message, fields),
    });
    this.#incoming = new IncomingCalls({
      validators,
      handler: options.handler,
      send: (text) => this.#send(text),
      sendError: (id, code, description) => this.#sendError(id, code, description),
      log: (level, message, fields) => this.#log(level, message, fields),
      overflow: () => this.close(1008, 'too many unanswered CALLs'),
    });
    this.#liveness = watchLiveness(socket, clock, options.pingInterval ?? milliseconds(30_000), () => {
      this.#log('info', 'no sign of life: connection given up');
      this.terminate();
    });
    socket.on('message', (data) => this.#receive(data));
    socket.on('close', (code, reason) => this.#ended(code, reason.toString()));
    socket.on('error', (err) => this.#log('info', 'socket error', { err }));
  }

  get open(): boolean {
    return this.#open;
  }

  call(action: string, payload: Payload, options: CallOptions): Promise<CallOutcome> {
    if (!this.#open) return Promise.resolve({ kind: 'closed', sent: false });
    return this.#calls.call(action, payload, options);
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#socket.close(code, reason);
    // A peer that is gone never answers the closing handshake.
    this.#cancelGrace = this.#options.clock.after(closeGrace, () => this.#socket.terminate());
    this.#ended(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
    this.#ended(1006, 'terminated');
  }

  /** Asks for a sign of life; resolves with false when none comes in time or the connection ends. */
  probe(timeout: Milliseconds): Promise<boolean> {
    return this.#open ? this.#liveness.probe(timeout) : Promise.resolve(false);
  }

  async #suspect(wait: Milliseconds): Promise<void> {
    if ((await this.probe(wait)) || !this.#open) return;
    this.#log('info', 'no answer and no sign of life: connection given up');
    this.terminate();
  }

  #ended(code: number, reason: string): void {
    if (this.#socket.readyState === 3) this.#cancelGrace?.();
    if (!this.#open) return;
    this.#open = false;
    this.#liveness.stop();
    this.#incoming.close();
    this.#calls.close();
    this.#options.closed(code, reason);
  }

  #receive(data: RawData): void {
    if (!this.#open) return;
    this.#liveness.heard();
    const text = textOf(data);
    this.trace?.('in', text);
    const frame = parseFrame(text, this.#options.limits);
    if (frame.kind === 'bad' && frame.syntax && this.#options.repair !== false) this.#receiveBroken(text, frame);
    else this.#accept(frame, text);
  }

  #receiveBroken(text: string, broken: BadFrame): void {
    const frame = parseFrame(mendJson(text), this.#options.limits);
    if (frame.kind === 'bad') return this.#refuse(broken);
    this.#note('broken JSON', frame.kind === 'call' ? frame.action : frame.kind);
    this.#accept(frame, text);
  }

  #accept(frame: Frame, text: string): void {
    switch (frame.kind) {
      case 'call':
        return this.#acceptCall(frame.id, frame.action, frame.payload, text);
      case 'result':
        return this.#calls.answered(frame.id, frame.payload ?? {});
      case 'error':
        return this.#calls.failed(frame.id, frame.code, frame.description);
      case 'bad':
        return this.#refuse(frame);
    }
  }

  #acceptCall(id: string, action: string, given: unknown, text: string): void {
    let payload = given;
    let violation = this.#validators.validate(action, 'request', payload);
    if (violation !== undefined && (payload === undefined || payload === null) && this.#options.repair !== false) {
      this.#note('no payload', action);
      payload = {};
      violation = this.#validators.validate(action, 'request', payload);
    }
    if (violation !== undefined) violation = this.#repaired(action, 'request', payload, violation);
    if (violation !== undefined) {
      const description = describeViolation(violation);
      this.#log('warn', 'CALL refused', { fault: this.#fault, action: action.slice(0, 50), description });
      if (++this.#refusedInARow > mostRefusedInARow) return this.close(1008, 'not OCPP-J');
      return this.#sendError(id, errorCodeOf(violation), description);
    }
    this.#refusedInARow = 0;
    this.#incoming.accept({ id, action, payload: payload as Payload, text });
  }

  /** Whose frames are refused: a CSMS's, or a charger's. */
  get #fault(): string {
    return (this.#options.about.csms === undefined ? FAULTS.invalidFrame : FAULTS.csmsInvalid).code;
  }

  #refuse(frame: BadFrame): void {
    if (++this.#refusedInARow > mostRefusedInARow) return this.close(1008, 'not OCPP-J');
    this.#log('warn', 'frame refused', { fault: this.#fault, description: frame.reason });
    // OCPP 2.0.1 Part 4 section 4.2.3 answers an unreadable id with "-1"; 1.6 has no answer for it.
    const id = frame.id ?? (this.version === 'ocpp2.0.1' ? '-1' : undefined);
    const code = frame.syntax && this.version === 'ocpp1.6' ? 'FormatViolation' : frame.code;
    if (id !== undefined) this.#sendError(id, code, frame.reason);
  }

  #repaired(action: string, kind: MessageKind, payload: unknown, found: Parameters<typeof repairPayload>[4]) {
    if (this.#options.repair === false) return found;
    return repairPayload(this.#validators, action, kind, payload, found, (name) => this.#note(name, action));
  }

  #note(quirk: string, action: string): void {
    if (this.#options.quirk?.(quirk) === 'first') {
      this.#log('info', 'frame repaired', { fault: FAULTS.repairedFrame.code, quirk, action });
    }
  }

  #sendError(id: string, code: RpcErrorCode, description: string): void {
    this.#send(formatError(id, errorLiteral(this.version, code), description));
  }

  #send(text: string): void {
    if (!this.#open) return;
    const { stream } = this.#options;
    if (stream !== undefined && !this.#corked) {
      this.#corked = true;
      stream.cork();
      process.nextTick(this.#uncork);
    }
    this.trace?.('out', text);
    this.#socket.send(text);
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#options.stream?.uncork();
  };

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields): void {
    this.#options.log[level]({ ...this.#options.about, ...fields }, message);
  }
}

/** ws hands a text message over in one Buffer unless told otherwise; the other shapes are only in its type. */
const textOf = (data: RawData): string =>
  Buffer.isBuffer(data)
    ? data.toString('utf8')
    : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString('utf8');
