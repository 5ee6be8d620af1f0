// A Modbus TCP connection: opened when needed, one transaction at a time, thrown away after any error so that a late answer never fits a later request.
import { connect, type Socket } from 'node:net';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { CancelTimer } from '../../gateway/kernel/clock.js';
import { failed, type Result } from '../../gateway/kernel/result.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import type { BitFunction, IoPolicy } from './device-profile.js';
import { describeFault, type ModbusFault, type ModbusLink } from './link.js';
import type { ModbusRequest } from './pdu.js';
import { RequestQueue, type Waiting } from './request-queue.js';
import { decodeFrame, encodeFrame, frameLength } from './tcp-frame.js';

const ANSWER_TIMEOUT = 1500;
const CONNECT_TIMEOUT = 2000;
/** Pause before each attempt in a row that brought nothing, in milliseconds; the last one repeats. */
const BACK_OFF = [0, 500, 1000, 2000, 5000, 10_000] as const;

const STOPPED: ModbusFault = { kind: 'unreachable', detail: 'stopped' };

interface InFlight {
  readonly transaction: number;
  readonly waiting: Waiting;
  readonly cancelTimeout: CancelTimer;
}

export class TcpLink implements ModbusLink {
  private socket: Socket | undefined;
  private connected = false;
  private received: Buffer = Buffer.alloc(0);
  private inFlight: InFlight | undefined;
  private readonly queue = new RequestQueue();
  private transaction = 0;
  private failures = 0;
  private retryAt = -Infinity;
  /** What a request is told that comes before the next attempt to connect. */
  private lastFault: ModbusFault = STOPPED;
  private cancelWake: CancelTimer = () => undefined;
  private cancelIdle: CancelTimer = () => undefined;
  private cancelConnect: CancelTimer = () => undefined;
  private stopped = false;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly context: AdapterContext,
  ) {}

  read(unit: number, fc: 3 | 4, address: number, count: number, io: IoPolicy): Promise<Result<Buffer, ModbusFault>> {
    return this.enqueue({ kind: 'read', unit, fc, address, count }, io);
  }

  async readBit(unit: number, fc: BitFunction, address: number, io: IoPolicy): Promise<Result<boolean, ModbusFault>> {
    const outcome = await this.enqueue({ kind: 'bit', unit, fc, address }, io);
    return outcome.ok ? { ok: true, value: ((outcome.value[0] ?? 0) & 1) === 1 } : outcome;
  }

  async write(
    unit: number,
    fc: 6 | 16,
    address: number,
    words: Buffer,
    io: IoPolicy,
  ): Promise<Result<void, ModbusFault>> {
    const outcome = await this.enqueue({ kind: 'write', unit, fc, address, words }, io);
    return outcome.ok ? { ok: true, value: undefined } : outcome;
  }

  stop(): Promise<void> {
    this.stopped = true;
    const socket = this.socket;
    const closed =
      socket === undefined || socket.closed
        ? Promise.resolve()
        : new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.drop(STOPPED);
    return closed;
  }

  private enqueue(request: ModbusRequest, io: IoPolicy): Promise<Result<Buffer, ModbusFault>> {
    if (this.stopped) return Promise.resolve(failed(STOPPED));
    if (this.socket === undefined && this.context.clock.monotonic() < this.retryAt) {
      return Promise.resolve(failed(this.lastFault));
    }
    return new Promise((settle) => {
      this.queue.add({ request, io, settle });
      this.proceed();
    });
  }

  private proceed(): void {
    this.cancelWake();
    if (this.inFlight !== undefined || this.queue.empty || this.stopped) return;
    if (this.socket === undefined) return this.open();
    if (!this.connected) return;
    const now = this.context.clock.monotonic();
    const next = this.queue.next(now);
    if (typeof next === 'number') {
      this.cancelWake = this.context.clock.after(milliseconds(next), () => this.proceed());
    } else if (next !== undefined) {
      this.send(this.socket, next);
    }
  }

  private open(): void {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    this.socket = socket;
    this.connected = false;
    this.received = Buffer.alloc(0);
    this.cancelConnect = this.context.clock.after(milliseconds(CONNECT_TIMEOUT), () =>
      this.lose(socket, { kind: 'unreachable', detail: `no connection to ${this.host}:${this.port}` }),
    );
    socket.on('connect', () => {
      if (socket !== this.socket) return;
      this.cancelConnect();
      this.connected = true;
      this.proceed();
    });
    socket.on('data', (chunk) => {
      if (socket === this.socket) this.take(socket, chunk);
    });
    socket.on('error', (err) => this.lose(socket, { kind: 'unreachable', detail: err.message }));
    socket.on('close', () => this.lose(socket, { kind: 'unreachable', detail: 'connection closed by the device' }));
  }

  private send(socket: Socket, waiting: Waiting): void {
    this.cancelIdle();
    this.transaction = (this.transaction + 1) & 0xffff;
    const timeout = milliseconds(waiting.io.timeoutMs ?? ANSWER_TIMEOUT);
    this.inFlight = {
      transaction: this.transaction,
      waiting,
      cancelTimeout: this.context.clock.after(timeout, () => this.lose(socket, { kind: 'timeout' })),
    };
    this.queue.sent(waiting.request, this.context.clock.monotonic());
    socket.write(encodeFrame(this.transaction, waiting.request));
  }

  private take(socket: Socket, chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    const length = frameLength(this.received);
    if (!length.ok) return this.lose(socket, length.error);
    if (length.value === undefined || this.received.length < length.value) return;
    const inFlight = this.inFlight;
    if (inFlight === undefined) return this.lose(socket, { kind: 'protocol', detail: 'answer that nobody asked for' });
    const frame = this.received.subarray(0, length.value);
    const surplus = this.received.length > length.value;
    this.received = Buffer.alloc(0);
    const outcome = decodeFrame(frame, inFlight.transaction, inFlight.waiting.request);
    if (!outcome.ok && outcome.error.kind !== 'exception') return this.lose(socket, outcome.error);
    this.inFlight = undefined;
    inFlight.cancelTimeout();
    this.failures = 0;
    this.queue.answered(this.context.clock.monotonic());
    inFlight.waiting.settle(outcome);
    if (surplus) return this.lose(socket, { kind: 'protocol', detail: 'more than one answer to one request' });
    this.closeWhenIdle(socket, inFlight.waiting.io);
    this.proceed();
  }

  private closeWhenIdle(socket: Socket, io: IoPolicy): void {
    if (io.idleCloseSeconds === undefined) return;
    // One second early, so that a request is never sent into a connection that the device is closing.
    this.cancelIdle = this.context.clock.after(milliseconds((io.idleCloseSeconds - 1) * 1000), () => {
      if (socket !== this.socket) return;
      this.socket = undefined;
      socket.destroy();
    });
  }

  /** The connection is of no more use: its request fails, and what waits goes on over a fresh one unless there is none. */
  private lose(socket: Socket, fault: ModbusFault): void {
    if (socket !== this.socket) return;
    const wasConnected = this.connected;
    const hadRequest = this.inFlight !== undefined;
    const pause = BACK_OFF[Math.min(this.failures, BACK_OFF.length - 1)] ?? 0;
    // A device that closes an idle connection has not failed.
    if (hadRequest || !wasConnected) this.failures += 1;
    this.retryAt = this.context.clock.monotonic() + pause;
    this.lastFault = fault;
    this.context.log.debug(
      { peer: `${this.host}:${this.port}`, reason: describeFault(fault) },
      'Modbus connection dropped',
    );
    const mayGoOn = wasConnected && pause === 0;
    this.drop(fault, mayGoOn);
    if (mayGoOn) this.proceed();
  }

  private drop(fault: ModbusFault, keepWaiting = false): void {
    this.cancelWake();
    this.cancelIdle();
    this.cancelConnect();
    const { socket, inFlight } = this;
    this.socket = undefined;
    this.connected = false;
    this.inFlight = undefined;
    socket?.destroy();
    inFlight?.cancelTimeout();
    inFlight?.waiting.settle(failed(fault));
    if (keepWaiting) return;
    for (const waiting of this.queue.drain()) waiting.settle(failed(fault));
  }
}
