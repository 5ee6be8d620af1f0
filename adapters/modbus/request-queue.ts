// What waits for the bus and when it may go: writes before reads, and every device's own pauses kept.
import type { Milliseconds } from '../../gateway/kernel/units.js';
import type { Result } from '../../gateway/kernel/result.js';
import type { IoPolicy } from './device-profile.js';
import type { ModbusFault } from './link.js';
import type { ModbusRequest } from './pdu.js';

export interface Waiting {
  readonly request: ModbusRequest;
  readonly io: IoPolicy;
  readonly settle: (outcome: Result<Buffer, ModbusFault>) => void;
}

/** Never fails by time: the link empties it when the bus is lost. */
export class RequestQueue {
  private readonly waiting: Waiting[] = [];
  private readonly lastSent = new Map<string, Milliseconds>();
  private lastAnswer = -Infinity;

  get empty(): boolean {
    return this.waiting.length === 0;
  }

  add(waiting: Waiting): void {
    this.waiting.push(waiting);
  }

  /** The request to send now, or the milliseconds until one may be; undefined when nothing waits. */
  next(now: Milliseconds): Waiting | number | undefined {
    const candidates = [...this.waiting].sort((a, b) => rank(a) - rank(b));
    let soonest: number | undefined;
    for (const candidate of candidates) {
      const wait = this.readyAt(candidate) - now;
      if (wait <= 0) {
        this.waiting.splice(this.waiting.indexOf(candidate), 1);
        return candidate;
      }
      soonest = Math.min(soonest ?? wait, wait);
    }
    return soonest;
  }

  sent(request: ModbusRequest, now: Milliseconds): void {
    this.lastSent.set(pace(request), now);
  }

  answered(now: Milliseconds): void {
    this.lastAnswer = now;
  }

  /** Takes everything out, so that it can be told that the bus is lost. */
  drain(): readonly Waiting[] {
    return this.waiting.splice(0);
  }

  private readyAt({ request, io }: Waiting): number {
    const interval = request.kind === 'read' ? io.minReadIntervalMs : io.minWriteIntervalMs;
    const last = this.lastSent.get(pace(request)) ?? -Infinity;
    return Math.max(this.lastAnswer + (io.requestDelayMs ?? 0), last + (interval ?? 0));
  }
}

const rank = (waiting: Waiting): number => (waiting.request.kind === 'write' ? 0 : 1);
const pace = (request: ModbusRequest): string => `${request.kind} ${request.unit}`;
