// One bus or connection and everything behind it: one transaction at a time, each unit in its turn, and none that can hold up the others.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { CancelTimer } from '../../gateway/kernel/clock.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import { BusHealth } from './bus-health.js';
import type { OpenChannel } from './channel.js';
import type { BitFunction, IoPolicy, ReadFunction, WriteFunction } from './device-profile.js';
import type { Framing, Missed } from './framing.js';
import { Line } from './line.js';
import { LineSilence } from './line-silence.js';
import type { DeviceIdentification, IdentifyingLink, ModbusFault } from './link.js';
import { IDENTIFICATION, identificationOf, protocolFault, type ModbusRequest } from './pdu.js';
import { RequestQueue, type Waiting } from './request-queue.js';
import { UnitBreaker } from './unit-breaker.js';

/** Time for all devices to act on a broadcast (Modbus over Serial Line 1.02 section 2.4.1: 100 to 200 ms). */
const TURNAROUND = milliseconds(150);
/** Requests in a row without an answer from anybody before the connection is renewed: its other end may have forgotten it. */
const RENEW_AFTER = 3;
/** Exceptions of a gateway that speak of a device behind it: path unavailable, target failed to respond. */
const GATEWAY_EXCEPTIONS: readonly number[] = [10, 11];

const STOPPED: ModbusFault = { kind: 'unreachable', detail: 'stopped' };

export interface BusOptions {
  /** As in site.yaml, for the log. */
  readonly peer: string;
  readonly open: OpenChannel;
  readonly framing: Framing;
  /** Milliseconds of silence that part two frames on the wire. */
  readonly silence: number;
  /** Milliseconds that a device has for its answer unless its profile says otherwise. */
  readonly answerTimeout: number;
  /** Milliseconds that a byte is on the wire, beside that; 0 where it is not known. */
  readonly byteTime: number;
}

interface InFlight {
  readonly waiting: Waiting;
  readonly whole: number;
  readonly sentAt: number;
  /** Milliseconds that question and answer are on the wire. */
  readonly wireTime: number;
  readonly attempt: number;
  readonly cancelTimeout: CancelTimer;
}

export class Bus implements IdentifyingLink {
  private readonly queue = new RequestQueue();
  private readonly breakers = new Map<number, UnitBreaker>();
  private readonly line: Line;
  private readonly health: BusHealth;
  private readonly silence: LineSilence;
  private inFlight: InFlight | undefined;
  private idleCloseSeconds: number | undefined;
  private unanswered = 0;
  /** Until when an answer that nobody waits for any more is a late one. */
  private lateUntil = -Infinity;
  private stopped = false;
  private cancelWake: CancelTimer = () => undefined;

  constructor(
    private readonly options: BusOptions,
    private readonly context: AdapterContext,
  ) {
    this.health = new BusHealth(options.peer, context.log);
    this.silence = new LineSilence(options.framing.numbered ? undefined : options.silence);
    this.line = new Line(options.open, context.clock, {
      opened: () => this.proceed(),
      received: (bytes) => this.receive(bytes),
      lost: (fault, mayGoOn) => this.lost(fault, mayGoOn),
    });
  }

  read(
    unit: number,
    fc: ReadFunction,
    address: number,
    count: number,
    io: IoPolicy,
  ): Promise<Result<Buffer, ModbusFault>> {
    return this.enqueue({ kind: 'read', unit, fc, address, count }, io);
  }

  async readBit(unit: number, fc: BitFunction, address: number, io: IoPolicy): Promise<Result<boolean, ModbusFault>> {
    const outcome = await this.enqueue({ kind: 'bit', unit, fc, address }, io);
    return outcome.ok ? ok(((outcome.value[0] ?? 0) & 1) === 1) : outcome;
  }

  async identification(unit: number, io: IoPolicy): Promise<Result<DeviceIdentification, ModbusFault>> {
    const outcome = await this.enqueue({ kind: 'identification', unit, fc: IDENTIFICATION }, io);
    return outcome.ok ? ok(identificationOf(outcome.value)) : outcome;
  }

  async write(
    unit: number,
    fc: WriteFunction,
    address: number,
    words: Buffer,
    io: IoPolicy,
  ): Promise<Result<void, ModbusFault>> {
    const outcome = await this.enqueue({ kind: 'write', unit, fc, address, words }, io);
    return outcome.ok ? ok(undefined) : outcome;
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.cancelWake();
    const closed = this.line.stop();
    this.finish(failed(STOPPED));
    this.refuse(this.queue.drain(), STOPPED);
    return closed;
  }

  private enqueue(request: ModbusRequest, io: IoPolicy): Promise<Result<Buffer, ModbusFault>> {
    const refusal = this.refusal(request);
    if (refusal !== undefined) return Promise.resolve(failed(refusal));
    this.silence.asksFor(io.requestDelayMs ?? 0);
    if (io.idleCloseSeconds !== undefined) {
      this.idleCloseSeconds = Math.min(this.idleCloseSeconds ?? Infinity, io.idleCloseSeconds);
    }
    return new Promise((settle) => {
      if (!this.queue.add({ request, io, settle })) {
        settle(protocolFault(`too many requests wait for unit ${request.unit}`));
      }
      this.proceed();
    });
  }

  private refusal({ unit, kind }: ModbusRequest): ModbusFault | undefined {
    if (this.stopped) return STOPPED;
    if (this.isBroadcast(unit) && kind !== 'write')
      return { kind: 'protocol', detail: 'unit 0 is everybody, and nobody answers' };
    if (this.breaker(unit).rests(this.context.clock.monotonic())) return { kind: 'timeout' };
    return this.line.refusal();
  }

  private proceed(): void {
    this.cancelWake();
    if (this.inFlight !== undefined || this.queue.empty || this.stopped) return;
    if (!this.line.open) return this.line.ensure();
    const now = this.context.clock.monotonic();
    const pause = this.silence.freeAt() - now;
    const next = pause > 0 ? pause : this.queue.next(now);
    if (typeof next === 'number') {
      this.cancelWake = this.context.clock.after(milliseconds(Math.ceil(next)), () => this.proceed());
    } else if (next !== undefined) {
      this.send(next, 1);
    }
  }

  private send(waiting: Waiting, attempt: number): void {
    const { request, io } = waiting;
    const { clock } = this.context;
    const bytes = this.options.framing.begin(request);
    const wireTime = (bytes.length + answerLength(request)) * this.options.byteTime;
    const answerTime = io.timeoutMs ?? this.options.answerTimeout;
    const broadcast = this.isBroadcast(request.unit);
    const patience = milliseconds(
      broadcast ? TURNAROUND : wireTime + this.breaker(request.unit).patience(answerTime, this.breakers.size === 1),
    );
    const whole = wireTime + answerTime;
    const sentAt = clock.monotonic();
    this.inFlight = {
      waiting,
      whole,
      sentAt,
      wireTime,
      attempt,
      cancelTimeout: clock.after(patience, () => (broadcast ? this.broadcastEnded(waiting) : this.expire())),
    };
    this.queue.sent(request, sentAt);
    this.line.send(bytes);
  }

  private receive(bytes: Buffer): void {
    const now = this.context.clock.monotonic();
    this.silence.heard(now);
    const { inFlight } = this;
    if (inFlight === undefined || this.isBroadcast(inFlight.waiting.request.unit)) return this.unasked(bytes, now);
    const { framing } = this.options;
    const verdict = framing.take(bytes);
    if (verdict === undefined) return;
    const { outcome, inStep } = verdict;
    if (!outcome.ok && outcome.error.kind !== 'exception') {
      return this.fail(inFlight, outcome.error, { cause: 'misfit', detail: detailOf(outcome.error) });
    }
    if (framing.echoing) this.health.echoing();
    if (!inStep) {
      this.health.strike('misfit', 'more than one answer to one request');
      // Before the next request goes out, which would be lost with the connection.
      this.line.renew();
    }
    this.answered(inFlight, outcome, now);
  }

  private answered(
    { waiting, sentAt, wireTime, attempt, whole }: InFlight,
    outcome: Result<Buffer, ModbusFault>,
    now: number,
  ): void {
    const { unit } = waiting.request;
    this.line.answered(this.idleCloseSeconds);
    this.unanswered = 0;
    if (!outcome.ok && outcome.error.kind === 'exception' && GATEWAY_EXCEPTIONS.includes(outcome.error.code)) {
      this.unitMissed(unit, `gateway exception ${outcome.error.code}`);
    } else {
      this.breaker(unit).answered(Math.max(0, now - sentAt - wireTime));
      this.health.answered(unit);
    }
    if (waiting.request.kind === 'write') this.queue.written(waiting, now);
    // The earlier request may be answered too, and that answer would look like the next one's.
    if (attempt > 1 && !this.options.framing.numbered) this.queue.overdue(waiting.request, sentAt + whole);
    this.finish(outcome);
    this.proceed();
  }

  private broadcastEnded(waiting: Waiting): void {
    const now = this.context.clock.monotonic();
    this.line.answered(this.idleCloseSeconds);
    this.queue.written(waiting, now);
    this.finish(ok(Buffer.alloc(0)));
    this.proceed();
  }

  /** The time is over. */
  private expire(): void {
    const { inFlight } = this;
    if (inFlight === undefined) return;
    const { waiting, attempt } = inFlight;
    const { framing } = this.options;
    const missed = framing.missed();
    if (attempt < (waiting.io.attempts ?? 1) && !framing.numbered) return this.send(waiting, attempt + 1);
    this.fail(
      inFlight,
      missed.cause === 'silence' ? { kind: 'timeout' } : { kind: 'protocol', detail: missed.detail },
      missed,
    );
  }

  private fail(inFlight: InFlight, fault: ModbusFault, { cause, detail }: Missed): void {
    const now = this.context.clock.monotonic();
    const { request } = inFlight.waiting;
    this.unanswered += 1;
    if (cause === 'silence') {
      // Where one unit answers between two that are silent, the line is not to blame.
      if (this.unanswered > 1 && this.options.framing.shared) this.health.strike('silent', detail);
    } else {
      this.health.strike(cause, `unit ${request.unit}: ${detail}`);
    }
    if (request.kind === 'write') this.queue.written(inFlight.waiting, now);
    this.lateUntil = now + inFlight.whole;
    if (this.options.framing.numbered || this.unanswered % RENEW_AFTER === 0) this.line.renew();
    if (!this.options.framing.numbered) {
      const until = Math.max(inFlight.sentAt + inFlight.whole, now) + inFlight.whole;
      this.queue.overdue(request, until);
    }
    this.finish(failed(fault));
    this.unitMissed(request.unit, detail);
    this.proceed();
  }

  private unitMissed(unit: number, reason: string): void {
    const now = this.context.clock.monotonic();
    const breaker = this.breaker(unit);
    breaker.missed(now);
    if (breaker.silent) this.health.unitSilent(unit, reason);
    if (breaker.rests(now)) this.refuse(this.queue.drain(unit), { kind: 'timeout' });
  }

  private unasked(bytes: Buffer, now: number): void {
    if (now < this.lateUntil) this.health.strike('late', `${bytes.length} bytes after the time was over`);
    else this.health.strike('unasked', `${bytes.length} bytes`);
    // With numbers nothing can be mistaken, but what is cut in two would be.
    if (this.options.framing.numbered) this.line.renew();
  }

  private lost(fault: ModbusFault, mayGoOn: boolean): void {
    const { kind } = fault;
    const detail = kind === 'unreachable' ? fault.detail : kind;
    this.context.log.debug({ peer: this.options.peer, reason: detail }, 'Modbus connection lost');
    if (!mayGoOn) this.health.lost(detail);
    this.cancelWake();
    this.finish(failed(fault));
    if (!mayGoOn) this.refuse(this.queue.drain(), fault);
    this.proceed();
  }

  private finish(outcome: Result<Buffer, ModbusFault>): void {
    const { inFlight } = this;
    if (inFlight === undefined) return;
    this.inFlight = undefined;
    inFlight.cancelTimeout();
    this.silence.ended(this.context.clock.monotonic(), !outcome.ok && outcome.error.kind !== 'exception');
    inFlight.waiting.settle(outcome);
  }

  private refuse(requests: readonly Waiting[], fault: ModbusFault): void {
    for (const waiting of requests) waiting.settle(failed(fault));
  }

  private isBroadcast(unit: number): boolean {
    return unit === 0 && this.options.framing.shared;
  }

  private breaker(unit: number): UnitBreaker {
    const known = this.breakers.get(unit) ?? new UnitBreaker();
    this.breakers.set(unit, known);
    return known;
  }
}

const detailOf = (fault: ModbusFault): string => (fault.kind === 'protocol' ? fault.detail : fault.kind);

/** Of an RTU frame, in bytes. */
const answerLength = (request: ModbusRequest): number => (request.kind === 'read' ? 5 + 2 * request.count : 8);
