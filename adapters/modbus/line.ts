// Keeps the way to a bus open while it is needed: opens it at the first request, again after a loss, ever more rarely while that fails.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import type { Channel, OpenChannel } from './channel.js';
import type { ModbusFault } from './link.js';

const OPEN_TIMEOUT = milliseconds(2000);
/** Pause before each attempt in a row that brought nothing, in milliseconds; the last one repeats. */
const BACK_OFF = [0, 500, 1000, 2000, 5000, 10_000] as const;

export interface LineEvents {
  readonly opened: () => void;
  readonly received: (bytes: Buffer) => void;
  /** @param mayGoOn what waits can go over a fresh connection at once */
  readonly lost: (fault: ModbusFault, mayGoOn: boolean) => void;
}

export class Line {
  private channel: Channel | undefined;
  private isOpen = false;
  /** A request has gone out and is not answered. */
  private asked = false;
  private failures = 0;
  private retryAt = -Infinity;
  private lastFault: ModbusFault = { kind: 'unreachable', detail: 'not opened yet' };
  /** A device may take one connection at a time, a serial port is opened exclusively: the next one waits for the end of this. */
  private closing: Promise<void> | undefined;
  private wanted = false;
  private cancelOpen: CancelTimer = () => undefined;
  private cancelIdle: CancelTimer = () => undefined;

  constructor(
    private readonly openChannel: OpenChannel,
    private readonly clock: Clock,
    private readonly events: LineEvents,
  ) {}

  get open(): boolean {
    return this.isOpen;
  }

  /** What a request is told that comes before the next attempt to open. */
  refusal(): ModbusFault | undefined {
    return this.channel === undefined && this.clock.monotonic() < this.retryAt ? this.lastFault : undefined;
  }

  /** Begins to open it, unless that has begun. */
  ensure(): void {
    if (this.channel !== undefined) return;
    this.wanted = this.closing !== undefined;
    if (this.wanted) return;
    const ours = (): boolean => this.channel === channel;
    const channel = this.openChannel({
      opened: () => {
        if (!ours()) return;
        this.cancelOpen();
        this.isOpen = true;
        this.events.opened();
      },
      received: (bytes) => {
        if (ours()) this.events.received(bytes);
      },
      lost: (reason) => {
        if (ours()) this.lose({ kind: 'unreachable', detail: reason });
      },
    });
    this.channel = channel;
    this.isOpen = false;
    this.asked = false;
    this.cancelOpen = this.clock.after(OPEN_TIMEOUT, () => {
      if (ours() && !this.isOpen) this.lose({ kind: 'unreachable', detail: 'it cannot be opened in time' });
    });
  }

  send(bytes: Buffer): void {
    this.cancelIdle();
    this.asked = true;
    this.channel?.send(bytes);
  }

  /** @param idleCloseSeconds the other side drops a connection that was silent for so long */
  answered(idleCloseSeconds: number | undefined): void {
    this.asked = false;
    this.failures = 0;
    if (idleCloseSeconds === undefined) return;
    // One second early, so that a request is never sent into a connection that the device is closing.
    this.cancelIdle = this.clock.after(milliseconds((idleCloseSeconds - 1) * 1000), () => this.renew());
  }

  /** Closes it, to be opened afresh when it is needed. */
  renew(): void {
    this.cancelOpen();
    this.cancelIdle();
    const { channel } = this;
    if (channel === undefined) return;
    this.channel = undefined;
    this.isOpen = false;
    this.closing = channel.close().finally(() => {
      this.closing = undefined;
      if (this.wanted) this.ensure();
    });
  }

  /** Resolves when nothing is open any more; not to be used afterwards. */
  async stop(): Promise<void> {
    this.wanted = false;
    this.renew();
    await this.closing;
  }

  private lose(fault: ModbusFault): void {
    const wasOpen = this.isOpen;
    const pause = BACK_OFF[Math.min(this.failures, BACK_OFF.length - 1)] ?? 0;
    // A device that closes an idle connection has not failed.
    if (this.asked || !wasOpen) this.failures += 1;
    this.retryAt = this.clock.monotonic() + pause;
    this.lastFault = fault;
    this.renew();
    this.events.lost(fault, wasOpen && pause === 0);
  }
}
