// The energy register of one EVSE: never falls inside a transaction, and a jump is read again before it is believed.
import { PHASES } from '../../gateway/site/topology.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { ModbusDevice, RegisterValues } from '../modbus/device.js';

const TOTAL = 'Energy.Active.Import.Register';
/** Begins anew with each car, or with each charge. */
const SESSION = 'Energy.Active.Import.Session';
/** Registers of some devices count in whole kilowatt hours. */
const RESOLUTION = 1000;
/** Polls in a row that show a lower register until it counts as one that has begun anew; one that does so with each car: 1. */
const FALLS_BELIEVED = 60;

/** The registers that tell its energy: the total, the totals of its phases, or the charge's own. */
export function energyRegisters({ registers }: Pick<ChargerProfile, 'registers'>): readonly string[] {
  if (registers[TOTAL] !== undefined) return [TOTAL];
  const phases = PHASES.map((phase) => `${TOTAL}.${phase}`).filter((name) => registers[name] !== undefined);
  return phases.length > 0 ? phases : [SESSION].filter((name) => registers[name] !== undefined);
}

/** In Wh; undefined where one of them is not told. */
function energyIn(names: readonly string[], values: RegisterValues): number | undefined {
  const told = names.map((name) => values.get(name)).filter((value) => typeof value === 'number');
  return names.length === 0 || told.length < names.length ? undefined : told.reduce((sum, value) => sum + value, 0);
}

export interface RegisterPoint {
  /** Wh. */
  readonly energy: number;
  /** Monotonic milliseconds; undefined where the value is older than the process. */
  readonly at?: number;
}

/** @param maxPower what the EVSE can give, in W */
export function isPlausible(last: RegisterPoint | undefined, energy: number, now: number, maxPower: number): boolean {
  if (last === undefined) return true;
  if (energy < last.energy) return false;
  if (last.at === undefined) return true;
  return energy - last.energy <= (1.5 * maxPower * (now - last.at)) / 3_600_000 + RESOLUTION;
}

/** Where a value had to be read again, in Wh. */
export interface Jump {
  readonly before: number;
  readonly read: number;
  readonly again: number | undefined;
}

export class EnergyRegister {
  /** The registers that tell it. */
  readonly names: readonly string[];
  private readonly fallsBelieved: number;
  private point: RegisterPoint | undefined;
  /** What the device counted before it began anew, in Wh. */
  private carried = 0;
  private falls = 0;

  /** @param maxPower what the EVSE can give, in W */
  constructor(
    profile: ChargerProfile,
    private readonly device: ModbusDevice,
    private readonly maxPower: number,
  ) {
    this.names = energyRegisters(profile);
    this.fallsBelieved = this.names[0] === SESSION ? 1 : FALLS_BELIEVED;
  }

  /** In Wh, as believed; undefined where the device has told none. */
  get energy(): number | undefined {
    return this.point?.energy;
  }

  /** Goes on from what was last seen of a transaction that is still open. */
  resume(energy: number): void {
    this.point = { energy };
  }

  /**
   * Takes in the values of a poll. A second jump upwards is believed; a fall inside a transaction only when it stays, and then
   * the counting goes on from where it was.
   * @returns a jump that is worth a line in the log
   */
  async take(values: RegisterValues, now: number, inTransaction: boolean): Promise<Jump | undefined> {
    const told = energyIn(this.names, values);
    if (told === undefined) return undefined;
    if (!inTransaction || this.point === undefined) {
      // Outside a transaction the charger may have been replaced.
      this.begin(told, now);
      return undefined;
    }
    const before = this.point;
    const read = told + this.carried;
    if (isPlausible(before, read, now, this.maxPower)) {
      this.believe(read, now);
      return undefined;
    }
    // After all it counts on from where it once was.
    if (this.carried > 0 && isPlausible(before, told, now, this.maxPower)) {
      this.begin(told, now);
      return undefined;
    }
    const again = await this.readAgain();
    if (again !== undefined && again >= before.energy) this.believe(again, now);
    else if (again !== undefined && (this.falls += 1) >= this.fallsBelieved) this.restart(before.energy, again, now);
    return this.falls > 1 ? undefined : { before: before.energy, read, again };
  }

  private begin(energy: number, at: number): void {
    this.carried = 0;
    this.believe(energy, at);
  }

  private believe(energy: number, at: number): void {
    this.falls = 0;
    this.point = { energy, at };
  }

  /** The device counts from the beginning: what it shows now has been charged since. */
  private restart(before: number, shown: number, at: number): void {
    const since = shown - this.carried;
    this.carried = before;
    this.believe(before + since, at);
  }

  private async readAgain(): Promise<number | undefined> {
    const values = await this.device.read(this.names);
    const told = values.ok ? energyIn(this.names, values.value) : undefined;
    return told === undefined ? undefined : told + this.carried;
  }
}
