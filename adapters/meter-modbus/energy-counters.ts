// The energy counters of a meter: read with every poll, and done without where a version of the meter refuses them.
import { ok, type Result } from '../../gateway/kernel/result.js';
import type { ModbusDevice, RegisterValues } from '../modbus/device.js';
import type { ModbusFault } from '../modbus/link.js';
import { ENERGY_EXPORT, ENERGY_IMPORT } from './reading.js';

/** Of one device: what it refuses once is not asked for again. */
export class EnergyCounters {
  private groups: readonly (readonly string[])[] = [[...ENERGY_IMPORT, ...ENERGY_EXPORT]];

  /** @param onRefused called once for each direction that the meter does not count */
  constructor(
    private readonly device: ModbusDevice,
    private readonly onRefused: (direction: 'import' | 'export') => void,
  ) {}

  /** What can be read; fails where the meter does not answer, or only this once. */
  async read(): Promise<Result<RegisterValues, ModbusFault>> {
    const values = new Map(NOTHING);
    for (const group of this.groups) {
      const answer = await this.device.read(group);
      if (answer.ok) for (const [name, value] of answer.value) values.set(name, value);
      else if (isRefusal(answer.error)) this.doWithout(group);
      else return answer;
    }
    return ok(values);
  }

  /** Of both directions each is tried alone first, with the next poll. */
  private doWithout(group: readonly string[]): void {
    const others = this.groups.filter((each) => each !== group);
    if (group === ENERGY_IMPORT || group === ENERGY_EXPORT) {
      this.groups = others;
      this.onRefused(group === ENERGY_IMPORT ? 'import' : 'export');
    } else this.groups = [ENERGY_IMPORT, ENERGY_EXPORT];
  }
}

const NOTHING: RegisterValues = new Map();

/** It has no such function, address or length, and will not have them later; every other exception may pass. */
const isRefusal = (fault: ModbusFault): boolean => fault.kind === 'exception' && fault.code <= 3;
