// Drivers who come and go by a random schedule, the same for the same seed: plug in, identify, charge, leave.
import type { CancelTimer, Clock } from '../gateway/kernel/clock.js';
import { csmsId, type CsmsId, type EvseNumber } from '../gateway/kernel/ids.js';
import { maskToken, type Log } from '../gateway/kernel/log.js';
import { seconds } from '../gateway/kernel/units.js';
import { CAR_MODELS, Car } from './car.js';
import { operatorDesk } from './operator-desk.js';
import { seededRandom, type Random } from './random.js';
import type { SimulatedSite } from './site.js';
import { until } from './wait.js';

/** Seconds, each from and to. */
export interface TrafficSettings {
  readonly seed: number;
  /** How long an EVSE stays empty between two drivers; the first ones come sooner. */
  readonly empty: readonly [number, number];
  readonly stay: readonly [number, number];
  /** Between two losses of the uplink, and how long each lasts; absent: it never fails. */
  readonly uplink?: { readonly between: readonly [number, number]; readonly lasts: readonly [number, number] };
}

/** An afternoon that is worth looking at for a few minutes. */
export const BUSY: Omit<TrafficSettings, 'seed'> = {
  empty: [15, 60],
  stay: [90, 420],
  uplink: { between: [120, 240], lasts: [30, 60] },
};

const PATIENCE = 60;

export class Traffic {
  readonly #cars = new Map<EvseNumber, string>();
  readonly #running: Promise<void>[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #random: Random;
  #stopped = false;
  #drivers = 0;

  /** @param authority where drivers without a reader ask for their start */
  constructor(
    private readonly simulated: SimulatedSite,
    private readonly authority: CsmsId,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly settings: TrafficSettings,
  ) {
    this.#random = seededRandom(settings.seed);
  }

  /** The model of the car at an EVSE. */
  carAt(evse: EvseNumber): string | undefined {
    return this.#cars.get(evse);
  }

  start(): void {
    for (const evse of this.simulated.world.evses.keys()) {
      this.#run(this.#evse(evse, seededRandom(this.settings.seed * 1000 + evse)));
    }
    if (this.settings.uplink !== undefined) this.#run(this.#uplink(this.settings.uplink));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
    await Promise.all(this.#running);
  }

  #run(work: Promise<void>): void {
    this.#running.push(work.catch((err: unknown) => this.log.error({ err }, 'simulated traffic failed')));
  }

  async #evse(evse: EvseNumber, random: Random): Promise<void> {
    await this.#wait(random.between(2, this.settings.empty[0] + 10));
    while (!this.#stopped) {
      await this.#visit(evse, random);
      await this.#wait(random.between(...this.settings.empty));
    }
  }

  async #visit(evse: EvseNumber, random: Random): Promise<void> {
    const model = random.pick(CAR_MODELS);
    const car = new Car(model, random.between(0.1, 0.85));
    const token = `CARD${String(++this.#drivers).padStart(4, '0')}`;
    const { hardware } = this.simulated.world.evse(evse);
    hardware.plug(car);
    this.#cars.set(evse, model.name);
    await this.#wait(random.between(2, 8));
    const charger = this.simulated.chargerOf(evse);
    const desk = this.#desk();
    const verdict =
      charger === undefined
        ? await desk?.remoteStart(evse, token, 10_000 + this.#drivers)
        : await charger.present(hardware.number, token);
    const allowed = verdict === 'accepted' || verdict === 'Accepted';
    if (!allowed) this.log.info({ evse, idToken: maskToken(token), verdict }, 'simulated driver was not let in');
    const stay = random.between(...this.settings.stay);
    if (allowed) await this.#wait(stay);
    if (allowed && charger !== undefined) await charger.present(hardware.number, token);
    else if (allowed) await desk?.remoteStop(token);
    const patience = this.#stopped ? 0 : PATIENCE;
    const released = await until(this.clock, patience, () => hardware.unplug());
    if (!released) hardware.unplugAtCar();
    this.#cars.delete(evse);
  }

  async #uplink({ between, lasts }: NonNullable<TrafficSettings['uplink']>): Promise<void> {
    while (!this.#stopped) {
      await this.#wait(this.#random.between(...between));
      if (this.#stopped) return;
      for (const server of this.simulated.csms.values()) await server.cutUplink();
      await this.#wait(this.#random.between(...lasts));
      for (const server of this.simulated.csms.values()) await server.restoreUplink();
    }
  }

  #desk() {
    const server = this.simulated.csms.get(csmsId(this.authority));
    return server && operatorDesk(server.csms);
  }

  /** Ends early when the traffic stops. */
  #wait(time: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      let cancel: CancelTimer = () => undefined;
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      cancel = this.clock.after(seconds(time), done);
    });
  }
}
