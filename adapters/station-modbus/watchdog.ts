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
    const fallback =
      watchdog.kind === 'rewrite-setpoint' ? await this.rewrite(watchdog) : await this.restartTimeout(watchdog);
    if (fallback === undefined) return;
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

  private async rewrite(watchdog: FedWatchdog & { kind: 'rewrite-setpoint' }): Promise<Fallback | undefined> {
    const written = await this.control.refresh();
    return written && !this.proven ? this.inspect(watchdog) : undefined;
  }

  private async restartTimeout(watchdog: FedWatchdog & { kind: 'rewrite-timeout' }): Promise<Fallback | undefined> {
    if (!this.proven) return this.program(watchdog);
    await this.device.write(watchdog.timeout, watchdog.timeoutSeconds);
    return undefined;
  }

  private async program(watchdog: FedWatchdog & { kind: 'rewrite-timeout' }): Promise<Fallback> {
    const register = this.device.profile.registers[watchdog.fallbackCurrent];
    const current = this.evse.fallbackCurrent < (register?.min ?? 0) ? 0 : this.evse.fallbackCurrent;
    const set = await this.device.write(watchdog.fallbackCurrent, Math.min(current, register?.max ?? current));
    const started = await this.device.write(watchdog.timeout, watchdog.timeoutSeconds);
    if (!set.ok || !started.ok) return NONE;
    const held = await this.device.read([watchdog.fallbackCurrentReadBack, watchdog.timeoutReadBack]);
    if (!held.ok) return NONE;
    const fallsTo = held.value.get(watchdog.fallbackCurrentReadBack);
    const after = held.value.get(watchdog.timeoutReadBack);
    const proven =
      typeof fallsTo === 'number' &&
      fallsTo <= this.evse.fallbackCurrent + 0.05 &&
      typeof after === 'number' &&
      after > 0 &&
      after <= watchdog.timeoutSeconds;
    return proven ? { proven, after: (watchdog.timeoutSeconds + REACTION_SECONDS) * 1000 } : NONE;
  }

  private async inspect(watchdog: FedWatchdog & { kind: 'rewrite-setpoint' }): Promise<Fallback> {
    const held = await this.device.read([watchdog.fallbackCurrent, watchdog.remaining]);
    if (!held.ok) return NONE;
    const fallsTo = held.value.get(watchdog.fallbackCurrent);
    if (typeof fallsTo !== 'number' || fallsTo > this.evse.fallbackCurrent + 0.05) return NONE;
    // Read just after a setpoint was written: what remains is the whole of its validity, whatever was set in the device.
    const remaining = held.value.get(watchdog.remaining);
    const validity = Math.max(typeof remaining === 'number' ? remaining : 0, watchdog.defaultSeconds);
    if (validity < watchdog.refreshSeconds) return NONE;
    return { proven: true, after: (validity + REACTION_SECONDS) * 1000 };
  }
}
