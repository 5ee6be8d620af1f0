// What polls show that the charger should not do: left its limit, takes more than its share, stays in a state. Seen often enough to act.
import type { Confirmation, Recovery } from '../modbus/charger-behaviour.js';
import { holds } from '../modbus/condition.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import { exceedingPhases, limitsPower, shows, type Outlet } from './setpoint.js';

/** One poll may have been read just before a setpoint was written. */
const POLLS = 3;
/** Before a recovery that did not help is tried again, in milliseconds. */
const RECOVERY_PAUSE = 30_000;

/** @param target in A per phase; 0 for a pause */
export const confirmationsOf = ({ control }: ChargerProfile, target: number): readonly Confirmation[] =>
  target === 0 ? control.confirmPause : control.confirmLimit;

export class PollWatch {
  /** Polls in a row in which the device showed something else than it was told. */
  private drift = 0;
  /** Polls in a row in which the car took more than its share of a power limit. */
  private exceeding = 0;
  /** Monotonic milliseconds from which a recovery may be tried. */
  private recoverAt = -Infinity;

  constructor(private readonly profile: ChargerProfile) {}

  /** The device has just shown that it took its limit. */
  confirmed(): void {
    this.drift = 0;
  }

  /** What helps it out of the state that it is in; undefined where it needs nothing, or has just had it. */
  recovery(values: RegisterValues, now: number): Recovery | undefined {
    const recovery = this.profile.recovery.find(({ when }) => holds(when, values));
    if (recovery === undefined || now < this.recoverAt) return undefined;
    this.recoverAt = now + RECOVERY_PAUSE;
    return recovery;
  }

  /** On how many phases the car has taken more than the `told` ampere of a power limit, for several polls. */
  exceedingPhases(values: RegisterValues, told: number): number | undefined {
    const phases = limitsPower(this.profile) ? exceedingPhases(values, told) : undefined;
    this.exceeding = phases === undefined ? 0 : this.exceeding + 1;
    return this.exceeding < POLLS ? undefined : phases;
  }

  /** What shows that the device has not kept the `told` ampere, for several polls. */
  lost(values: RegisterValues, told: number, outlet: Outlet): Confirmation | undefined {
    const lost = confirmationsOf(this.profile, told).find((one) => !shows(one, values.get(one.register), told, outlet));
    this.drift = lost === undefined ? 0 : this.drift + 1;
    if (this.drift < POLLS) return undefined;
    this.drift = 0;
    return lost;
  }
}
