// Keeps the charger's own watchdog fed, and finds out whether it would really fall back: a fallback that was not read back is none.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { Evse } from '../../gateway/site/topology.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { Watchdog } from '../modbus/device-profile.js';
import type { ModbusDevice } from '../modbus/device.js';
import type { EvseControl } from './evse-control.js';

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
  private proven = false;
  private warned = false;
  private cancel: () => void = () => undefined;
  private feeding: Promise<void> | undefined;

  /** @param learned told when it is first known, after each `arm`, that the device falls back */
  constructor(
    private readonly evse: Evse,
    private readonly watchdog: Watchdog,
    private readonly device: ModbusDevice,
    private readonly control: EvseControl,
    private readonly learned: (fallback: Fallback) => void,
    private readonly context: AdapterContext,
  ) {}

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
    const safe = programmed && kept && watchdog.toFullPower !== true;
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
    const { fallbackCurrent, timeout } = watchdog;
    const register = fallbackCurrent === undefined ? undefined : this.device.profile.registers[fallbackCurrent];
    if (fallbackCurrent !== undefined && register?.write !== undefined) {
      const current = this.evse.fallbackCurrent < (register.min ?? 0) ? 0 : this.evse.fallbackCurrent;
      const set = await this.device.write(fallbackCurrent, Math.min(current, register.max ?? current));
      if (!set.ok) return false;
    }
    const programs = timeout !== undefined && this.device.profile.registers[timeout]?.write !== undefined;
    return !programs || (await this.device.write(timeout, watchdog.seconds)).ok;
  }

  /** What the device itself says that it would do. */
  private async inspect(watchdog: FedWatchdog): Promise<Fallback> {
    const current = this.readable(watchdog.fallbackCurrentReadBack ?? watchdog.fallbackCurrent);
    if (current === undefined) return NONE;
    const remaining = watchdog.kind === 'rewrite-setpoint' ? watchdog.remaining : undefined;
    const time = this.readable(remaining ?? watchdog.timeoutReadBack ?? watchdog.timeout);
    const held = await this.device.read(time === undefined ? [current] : [current, time]);
    if (!held.ok) return NONE;
    const fallsTo = held.value.get(current);
    if (typeof fallsTo !== 'number' || fallsTo > this.evse.fallbackCurrent + 0.05) return NONE;
    const shown = time === undefined ? watchdog.seconds : held.value.get(time);
    if (typeof shown !== 'number' || (time !== remaining && shown <= 0)) return NONE;
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
