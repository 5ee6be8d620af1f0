// The only way in which a device is asked that nobody knows yet: reads and nothing else, at a polite pace, none twice, none that is known to do harm.
import type { AdapterContext } from '../../gateway/ports/station.js';
import { failed, type Result } from '../../gateway/kernel/result.js';
import { milliseconds } from '../../gateway/kernel/units.js';
import type { IoPolicy } from '../modbus/device-profile.js';
import type { DeviceIdentification, IdentifyingLink, ModbusFault, ModbusLink } from '../modbus/link.js';
import type { MayRead } from './never-probe.js';

export interface Pace {
  /** Milliseconds that a device has for its answer. */
  readonly timeoutMs: number;
  /** Milliseconds of silence before each request. */
  readonly requestDelayMs: number;
}

/** The link lets a unit rest after it was silent twice, and refuses at once: then it is asked again after this long, in ms. */
const REST = milliseconds(1100);
const AT_ONCE = 5;

const REFUSED: Result<never, ModbusFault> = failed({ kind: 'protocol', detail: 'not while looking for devices' });

export class CarefulLink implements ModbusLink {
  readonly #answers = new Map<string, Promise<Result<Buffer, ModbusFault>>>();

  constructor(
    private readonly link: IdentifyingLink,
    private readonly may: MayRead,
    private readonly pace: Pace,
    private readonly clock: AdapterContext['clock'],
  ) {}

  identification(unit: number): Promise<Result<DeviceIdentification, ModbusFault>> {
    return this.link.identification(unit, this.pace);
  }

  read(unit: number, fc: 3 | 4, address: number, count: number, io: IoPolicy): Promise<Result<Buffer, ModbusFault>> {
    if (!this.may(fc, address, count)) return Promise.resolve(REFUSED);
    const key = [unit, fc, address, count].join();
    const known = this.#answers.get(key) ?? this.#ask(unit, fc, address, count, { ...io, ...this.#paced(io) });
    this.#answers.set(key, known);
    return known;
  }

  readBit(): Promise<Result<boolean, ModbusFault>> {
    return Promise.resolve(REFUSED);
  }

  write(): Promise<Result<void, ModbusFault>> {
    return Promise.resolve(REFUSED);
  }

  stop(): Promise<void> {
    return this.link.stop();
  }

  #paced({ requestDelayMs = 0 }: IoPolicy): Pace {
    return { ...this.pace, requestDelayMs: Math.max(requestDelayMs, this.pace.requestDelayMs) };
  }

  async #ask(
    unit: number,
    fc: 3 | 4,
    address: number,
    count: number,
    io: IoPolicy,
  ): Promise<Result<Buffer, ModbusFault>> {
    const askedAt = this.clock.monotonic();
    const answer = await this.link.read(unit, fc, address, count, io);
    if (answer.ok || answer.error.kind !== 'timeout' || this.clock.monotonic() - askedAt > AT_ONCE) return answer;
    await new Promise<void>((resolve) => this.clock.after(REST, resolve));
    return this.link.read(unit, fc, address, count, io);
  }
}
