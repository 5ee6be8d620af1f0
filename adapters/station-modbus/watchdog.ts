// Keeps the charger's own watchdog fed, and finds out whether it would really fall back: a fallback that was not read back is none.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { Evse } from '../../gateway/site/topology.js';
import { seconds, type Volt } from '../../gateway/kernel/units.js';
import type { Watchdog } from '../modbus/charger-behaviour.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { ModbusDevice } from '../modbus/device.js';
import type { EvseControl } from './evse-control.js';
import { inAmpere, inUnitOf, type Outlet } from './setpoint.js';

export interface Fallback {
  readonly proven: boolean;
  /** Milliseconds after the last write in which the device has certainly fallen back. */
  readonly after?: number;
}

type FedWatchdog = Exclude<Watchdog, { kind: 'none' }>;

const NONE: Fallback = { proven: false };
/** Time for the device to act after its watchdog has run out. */
const REACTION_SECONDS = 5;

export class WatchdogFeeder {
  private readonly watchdog: Watchdog;
  private readonly outlet: Outlet;
  private proven = false;
  private warned = false;
  private cancel: () => void = () => undefined;
  private feeding: Promise<void> | undefined;

  /** @param learned told when it is first known, after each `arm`, that the device falls back */
  constructor(
    private readonly evse: Evse,
    profile: ChargerProfile,
    nominalVoltage: Volt,
    private readonly device: ModbusDevice,
    private readonly control: EvseControl,
    private readonly learned: (fallback: Fallback) => void,
    private readonly context: AdapterContext,
  ) {
    this.watchdog = profile.watchdog;
    this.outlet = { evse, profile, nominalVoltage };
  }

  /** The device is there (again): programs it where it can be, reads back what holds, and feeds it from now on. */
  arm(): void {
    this.cancel();
    this.proven = false;
    const { watchdog } = this;
    if (watchdog.kind === 'none') return;
    const feed = (): void => {
      this.feeding ??= this.feed(watchdog).finally(() => (this.feeding = undefined));
    };
    this.cancel = this.context.clock.every(seconds(watchdog.refreshSeconds), feed);
    feed();
  }

  /** The device is away: what it holds is unknown. */
  disarm(): void {
    this.cancel();
    this.proven = false;
  }

  async stop(): Promise<void> {
    this.cancel();
    await this.feeding;
  }

  /** A failed write shows in the next poll as well, and the next feeding tries again. */
  private async feed(watchdog: FedWatchdog): Promise<void> {
    const programmed = this.proven || (await this.program(watchdog));
    // Programming has just written the time-out, and some devices take one write in five seconds.
    const kept = !this.proven && watchdog.kind === 'rewrite-timeout' ? programmed : await this.keep(watchdog);
    if (this.proven || (watchdog.kind === 'rewrite-setpoint' && !kept)) return;
    const counts = watchdog.fallsTo === 'fallback-current' || watchdog.fallsTo === 'stop';
    const safe = programmed && kept && counts;
    const fallback = safe ? await this.inspect(watchdog) : NONE;
    if (fallback.proven) {
      this.proven = true;
      this.warned = false;
      this.learned(fallback);
    } else if (!this.warned) {
      this.warned = true;
      this.context.log.warn(
        { station: this.evse.station, evse: this.evse.number, current: this.evse.fallbackCurrent },
        'charger does not fall back to the fallback current by itself',
      );
    }
  }

  private async keep(watchdog: FedWatchdog): Promise<boolean> {
    switch (watchdog.kind) {
      case 'any-traffic':
        return true;
      case 'rewrite-setpoint':
        return this.control.refresh();
      case 'rewrite-timeout':
        return (await this.device.write(watchdog.timeout, watchdog.seconds)).ok;
      case 'write-token':
        return (await this.device.write(watchdog.register, watchdog.token)).ok;
    }
  }

  /** Writes what can be written. False: the device has not taken it. */
  private async program(watchdog: FedWatchdog): Promise<boolean> {
    const { fallbackCurrent, timeout, enable } = watchdog;
    const { registers } = this.device.profile;
    const writes = [...enable];
    if (timeout !== undefined && registers[timeout]?.write !== undefined)
      writes.unshift({ register: timeout, value: watchdog.seconds });
    if (
      fallbackCurrent !== undefined &&
      registers[fallbackCurrent]?.write !== undefined &&
      this.device.has(fallbackCurrent)
    )
      writes.unshift({ register: fallbackCurrent, value: this.fallbackValue(fallbackCurrent) });
    for (const { register, value } of writes) if (!(await this.device.write(register, value)).ok) return false;
    return true;
  }

  /** In the register's unit: 0 where the device could not charge with it, or the least that it takes where 0 means something else. */
  private fallbackValue(name: string): number {
    const { min = 0, max = Infinity, never = [] } = this.device.profile.registers[name] ?? {};
    const wanted = Math.min(inUnitOf(name, this.evse.fallbackCurrent, this.outlet), max);
    if (wanted >= min && !never.includes(wanted)) return wanted;
    return never.includes(0) ? min : 0;
  }

  /** What the device itself says that it would do. */
  private async inspect(watchdog: FedWatchdog): Promise<Fallback> {
    const current =
      watchdog.fallsTo === 'stop'
        ? undefined
        : this.readable(watchdog.fallbackCurrentReadBack ?? watchdog.fallbackCurrent);
    if (current === undefined && watchdog.fallsTo !== 'stop') return NONE;
    const remaining = watchdog.kind === 'rewrite-setpoint' ? watchdog.remaining : undefined;
    const time = this.readable(remaining ?? watchdog.timeoutReadBack ?? watchdog.timeout);
    const held = await this.device.read([current, time].filter((name) => name !== undefined));
    if (!held.ok) return NONE;
    const shownCurrent = current === undefined ? 0 : held.value.get(current);
    if (typeof shownCurrent !== 'number') return NONE;
    const fallsTo = current === undefined ? 0 : inAmpere(current, shownCurrent, this.outlet);
    if (fallsTo > this.evse.fallbackCurrent + 0.05) return NONE;
    const shown = time === undefined ? watchdog.seconds : held.value.get(time);
    if (typeof shown !== 'number' || !Number.isFinite(shown) || (time !== remaining && shown <= 0)) return NONE;
    // Read just after a setpoint was written: what remains is the whole of its validity, whatever was set in the device.
    const validity = time !== undefined && time === remaining ? Math.max(shown, watchdog.seconds) : shown;
    if (validity < watchdog.refreshSeconds) return NONE;
    return { proven: true, after: (validity + REACTION_SECONDS) * 1000 };
  }

  private readable(register: string | undefined): string | undefined {
    if (register === undefined) return undefined;
    return this.device.profile.registers[register]?.read === undefined ? undefined : register;
  }
}
