// Leaves a charger without what its watchdog wants, for a while, to see whether it falls back as it should.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { seconds, type Milliseconds } from '../../gateway/kernel/units.js';
import type { StarvedDevice } from '../../gateway/ports/station.js';
import type { ModbusDevice } from '../modbus/device.js';
import type { Watchdog } from '../modbus/charger-behaviour.js';
import type { EvseControl } from './evse-control.js';
import type { WatchdogFeeder } from './watchdog.js';

/** For the device to act, and its car to follow. */
const REACTION_SECONDS = 10;
const CURRENTS = ['Current.Import.L1', 'Current.Import.L2', 'Current.Import.L3'] as const;

export interface Starvable {
  readonly device: ModbusDevice;
  readonly control: EvseControl;
  readonly watchdog: WatchdogFeeder;
}

export class Starvation {
  #running: { readonly point: Starvable; readonly settle: (outcome: StarvedDevice) => void } | undefined;
  #cancel: CancelTimer = () => undefined;

  constructor(
    private readonly watchdog: Watchdog,
    private readonly clock: Clock,
  ) {}

  /** Absent where the device has no watchdog. */
  get after(): Milliseconds | 'unknown' | undefined {
    const { watchdog } = this;
    if (watchdog.kind !== 'none' && !Number.isFinite(watchdog.seconds)) return 'unknown';
    // Fed just before, it is fed once more after up to a whole refresh.
    return watchdog.kind === 'none' ? undefined : seconds(watchdog.seconds + REACTION_SECONDS);
  }

  get note(): string {
    return this.watchdog.kind === 'none' ? this.watchdog.note : `watchdog of kind ${this.watchdog.kind}`;
  }

  /** Nothing may be asked of the station now, since any question feeds it. */
  get silences(): boolean {
    return this.#running !== undefined && this.watchdog.kind === 'any-traffic';
  }

  begin(point: Starvable, during: Milliseconds): Promise<StarvedDevice> {
    this.end('another was begun');
    point.watchdog.disarm();
    point.control.leaveAlone(true);
    return new Promise((settle) => {
      this.#running = { point, settle };
      this.#cancel = this.clock.after(during, () => void this.#look(point));
    });
  }

  /** Nothing where none is running. */
  end(detail: string): void {
    this.#finish({ status: 'interrupted', detail });
  }

  async #look(point: Starvable): Promise<void> {
    const read = await point.device.read(CURRENTS.filter((name) => point.device.has(name)));
    const on = (name: string): number => {
      const value = read.ok ? read.value.get(name) : undefined;
      return typeof value === 'number' ? value : 0;
    };
    const [L1, L2, L3] = CURRENTS;
    // Vestel closes the connection when its time is over: nothing can be read then.
    if (!read.ok) this.end('the charger does not answer after it was left alone');
    else this.#finish({ status: 'ended', current: [on(L1), on(L2), on(L3)] });
  }

  #finish(outcome: StarvedDevice): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#cancel();
    running.point.control.leaveAlone(false);
    // What it was told may have been forgotten with its fallback.
    void running.point.control.reconnected(false);
    running.point.watchdog.arm();
    running.settle(outcome);
  }
}
