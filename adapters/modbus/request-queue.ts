// What waits for the bus, unit by unit: units take turns, writes go before reads, every device's own pauses are kept.
import type { Result } from '../../gateway/kernel/result.js';
import type { IoPolicy } from './device-profile.js';
import type { ModbusFault } from './link.js';
import type { ModbusRequest } from './pdu.js';

export interface Waiting {
  readonly request: ModbusRequest;
  readonly io: IoPolicy;
  readonly settle: (outcome: Result<Buffer, ModbusFault>) => void;
}

/** Requests that may wait for one unit; a driver has a few at a time. */
const MOST_PER_UNIT = 64;
/** Writes in a row before a read has its turn. */
const MOST_WRITES = 8;

type Kind = 'write' | 'read';

const kindOf = (request: ModbusRequest): Kind => (request.kind === 'write' ? 'write' : 'read');

interface UnitQueue {
  readonly write: Waiting[];
  readonly read: Waiting[];
}

/** When a unit may be asked again; times are monotonic milliseconds. */
interface Pace {
  readonly lastSent: Record<Kind, number>;
  settledAt: number;
  /** Until when an overdue answer of this shape may still come. */
  readonly overdue: Map<string, number>;
}

/** Never fails by time: the bus empties it. */
export class RequestQueue {
  /** In the order of turns; only units for which something waits. */
  private readonly units = new Map<number, UnitQueue>();
  private readonly paces = new Map<number, Pace>();
  private writesInRow = 0;

  get empty(): boolean {
    return this.units.size === 0;
  }

  /** False where too much waits for the unit already. */
  add(waiting: Waiting): boolean {
    const { unit } = waiting.request;
    const queue = this.units.get(unit) ?? { write: [], read: [] };
    if (queue.write.length + queue.read.length >= MOST_PER_UNIT) return false;
    queue[kindOf(waiting.request)].push(waiting);
    this.units.set(unit, queue);
    return true;
  }

  /** The request to send now, or the milliseconds until one may be; undefined when nothing waits. */
  next(now: number): Waiting | number | undefined {
    const first: Kind = this.writesInRow < MOST_WRITES ? 'write' : 'read';
    return this.take(first, now) ?? this.take(first === 'write' ? 'read' : 'write', now) ?? this.soonest(now);
  }

  sent(request: ModbusRequest, now: number): void {
    const { lastSent, overdue } = this.pace(request.unit);
    lastSent[kindOf(request)] = now;
    for (const [shape, until] of overdue) if (until <= now) overdue.delete(shape);
  }

  /** A write was taken (or may have been): the device is left alone while it settles. */
  written({ request, io }: Waiting, now: number): void {
    this.pace(request.unit).settledAt = now + (io.settleAfterWriteMs ?? 0);
  }

  /** An answer may come too late: until then the unit is asked nothing whose answer would look the same. */
  overdue(request: ModbusRequest, until: number): void {
    this.pace(request.unit).overdue.set(shape(request), until);
  }

  /** Takes out what waits for one unit, or for all. */
  drain(unit?: number): readonly Waiting[] {
    const drained = [...this.units].filter(([number]) => unit === undefined || number === unit);
    for (const [number] of drained) this.units.delete(number);
    return drained.flatMap(([, queue]) => [...queue.write, ...queue.read]);
  }

  private take(kind: Kind, now: number): Waiting | undefined {
    for (const [unit, queue] of this.units) {
      const waiting = queue[kind][0];
      if (waiting === undefined || this.readyAt(waiting) > now) continue;
      queue[kind].shift();
      // To the end of the turns.
      this.units.delete(unit);
      if (queue.write.length + queue.read.length > 0) this.units.set(unit, queue);
      this.writesInRow = kind === 'write' ? this.writesInRow + 1 : 0;
      return waiting;
    }
    return undefined;
  }

  private soonest(now: number): number | undefined {
    let soonest: number | undefined;
    for (const { write, read } of this.units.values()) {
      for (const waiting of [write[0], read[0]]) {
        if (waiting !== undefined) soonest = Math.min(soonest ?? Infinity, this.readyAt(waiting) - now);
      }
    }
    return soonest;
  }

  private readyAt({ request, io }: Waiting): number {
    const pace = this.paces.get(request.unit);
    if (pace === undefined) return -Infinity;
    const kind = kindOf(request);
    const interval = kind === 'read' ? io.minReadIntervalMs : io.minWriteIntervalMs;
    const overdue = pace.overdue.size === 0 ? undefined : pace.overdue.get(shape(request));
    return Math.max(pace.lastSent[kind] + (interval ?? 0), pace.settledAt, overdue ?? -Infinity);
  }

  private pace(unit: number): Pace {
    const known = this.paces.get(unit);
    if (known !== undefined) return known;
    const pace: Pace = {
      lastSent: { read: -Infinity, write: -Infinity },
      settledAt: -Infinity,
      overdue: new Map(),
    };
    this.paces.set(unit, pace);
    return pace;
  }
}

/** What cannot be told apart in two answers of one unit without numbers: the echo of a write names its register. */
const shape = (request: ModbusRequest): string =>
  request.kind === 'read'
    ? `${request.fc} ${request.count}`
    : request.kind === 'write'
      ? `${request.fc} at ${request.address}`
      : `${request.fc}`;
