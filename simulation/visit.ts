// One driver's visit in eight steps, from the reservation to the bill, at a charger of any protocol.
import type { Clock } from '../gateway/kernel/clock.js';
import type { EvseNumber } from '../gateway/kernel/ids.js';
import { minutes, seconds, timestamp, toRfc3339 } from '../gateway/kernel/units.js';
import { CAR_MODELS, Car } from './car.js';
import type { VisitTruth } from './compare-books.js';
import type { CsmsServer } from './csms-server.js';
import type { EventEar } from './event-ear.js';
import { operatorDesk } from './operator-desk.js';
import type { SimulatedSite } from './site.js';
import { pause, until } from './wait.js';

/** Where the uplink is lost during a visit, if it is. */
export type UplinkLoss = 'none' | 'started offline' | 'stopped offline' | 'both offline';

export interface VisitPlan {
  readonly number: number;
  readonly evse: EvseNumber;
  readonly token: string;
  readonly uplink: UplinkLoss;
  /** Seconds of energy. */
  readonly charge: number;
}

export interface StepReport {
  readonly step: number;
  readonly name: string;
  readonly ok: boolean;
  readonly at: string;
  readonly detail?: string;
}

export interface VisitReport {
  readonly evse: number;
  readonly station: string;
  readonly protocol: string;
  readonly token: string;
  readonly uplink: UplinkLoss;
  readonly ok: boolean;
  readonly energy: number;
  readonly steps: readonly StepReport[];
}

/** What a visit waits for when it needs the uplink to be gone, or back. */
export interface Uplink {
  readonly up: boolean;
  readonly lost: Promise<void>;
  readonly back: Promise<void>;
}

export interface VisitSurroundings {
  readonly simulated: SimulatedSite;
  readonly authority: CsmsServer;
  readonly ear: EventEar;
  readonly clock: Clock;
  readonly uplink: Uplink;
}

/** Clock seconds that a step may take: the slowest charger is read every four seconds and written every five. */
const PATIENCE = 90;
/** Clock seconds that a car may have to wait for current while others charge. */
const QUEUE = 180;
/** Wh */
const LEAST_ENERGY = 5;
const STRANGER = 'STRANGER-CARD';

export class Visit {
  readonly #steps: StepReport[] = [];
  readonly #car: Car;
  #meterStart = 0;
  /** Resolves when energy flows; a coordinator cuts the uplink then. */
  readonly charging: Promise<void>;
  #chargingNow: () => void = () => undefined;
  /** Resolves when the EVSE is held for the driver, or could not be. */
  readonly held: Promise<void>;
  #heldNow: () => void = () => undefined;

  constructor(
    readonly plan: VisitPlan,
    readonly surroundings: VisitSurroundings,
  ) {
    const model = CAR_MODELS[plan.number % CAR_MODELS.length];
    if (model === undefined) throw new Error('there are no cars');
    this.#car = new Car(model, 0.3);
    this.charging = new Promise((resolve) => (this.#chargingNow = resolve));
    this.held = new Promise((resolve) => (this.#heldNow = resolve));
  }

  /** Runs the visit to its end; a step that fails ends it, with the cable out. */
  async run(): Promise<void> {
    const { uplink } = this.plan;
    const { uplink: line } = this.surroundings;
    const startsOffline = uplink === 'started offline' || uplink === 'both offline';
    const stopsOffline = uplink === 'stopped offline' || uplink === 'both offline';
    await this.#reserve();
    this.#heldNow();
    if (startsOffline) await line.lost;
    const begun = this.#good && (await this.#identifyAndPlug());
    if (begun) await this.#charge();
    this.#chargingNow();
    if (stopsOffline) await line.lost;
    else if (startsOffline) await line.back;
    if (begun) await this.#finish(stopsOffline);
    else this.#hardware.unplugAtCar();
  }

  /** For the comparison of the books. */
  truth(): VisitTruth {
    const session = this.#charger?.book.find(({ token }) => token === this.plan.token);
    return {
      token: this.plan.token,
      evse: this.plan.evse,
      carEnergy: this.#car.drawn,
      meterStart: this.#meterStart,
      meterStop: this.#hardware.register,
      ...(session && { session: { startedAt: session.startedAt, endedAt: session.endedAt } }),
    };
  }

  report(): VisitReport {
    const { evse, token, uplink } = this.plan;
    const { simulated } = this.surroundings;
    return {
      evse,
      station: simulated.world.evse(evse).evse.station,
      protocol: simulated.protocolOf(evse),
      token,
      uplink,
      ok: this.#good && this.#steps.length === 8,
      energy: this.#hardware.register - this.#meterStart,
      steps: this.#steps,
    };
  }

  get #good(): boolean {
    return this.#steps.every(({ ok }) => ok);
  }
  get #hardware() {
    return this.surroundings.simulated.world.evse(this.plan.evse).hardware;
  }
  get #charger() {
    return this.surroundings.simulated.chargerOf(this.plan.evse);
  }
  get #desk() {
    return operatorDesk(this.surroundings.authority.csms);
  }

  async #reserve(): Promise<void> {
    const { evse, token, number } = this.plan;
    const { clock } = this.surroundings;
    this.#meterStart = this.#hardware.register;
    const expiry = timestamp(clock.now() + minutes(60));
    const reserved = await this.#desk.reserve({ id: 100 + number, evse, token, expiry });
    this.#note('reserved by the CSMS', reserved === 'Accepted', reserved);
    if (!this.#good) return;
    const shown = await this.#until(() => this.#cloudStatus() === 'Reserved');
    const stranger = await this.#desk.remoteStart(evse, STRANGER, 900_000 + number);
    this.#note('held for the driver', shown && stranger === 'Rejected', `${this.#cloudStatus()}, stranger ${stranger}`);
  }

  /** With a reader: the card, then the cable. Without one: the cable waits for the start that the driver's app asked for. */
  async #identifyAndPlug(): Promise<boolean> {
    const { evse, token, number } = this.plan;
    const charger = this.#charger;
    const verdict =
      charger === undefined
        ? await this.#desk.remoteStart(evse, token, 1000 + number)
        : await charger.present(this.#hardware.number, token);
    this.#note('identified and authorized', verdict === 'accepted' || verdict === 'Accepted', verdict);
    if (!this.#good) return false;
    this.#hardware.plug(this.#car);
    const locked = await this.#until(() => this.#hardware.locked);
    this.#note('cable in and locked', locked);
    return locked;
  }

  async #charge(): Promise<void> {
    const { clock, uplink } = this.surroundings;
    const flows = await this.#until(() => this.#hardware.charging);
    const told = await this.#until(() => this.#heard('started'));
    const booked = !uplink.up || (await this.#until(() => this.#booked() !== undefined));
    await pause(clock, seconds(this.plan.charge));
    // It may have to wait for its turn, but a visit without energy is none.
    const served = await until(clock, QUEUE, () => this.#car.drawn >= LEAST_ENERGY);
    const drawn = `${this.#car.drawn.toFixed(1)} Wh, now ${this.#hardware.currents[0].toFixed(1)} A`;
    this.#note('charging', flows && told && booked && served, drawn);
  }

  async #finish(offline: boolean): Promise<void> {
    const { clock } = this.surroundings;
    const { token } = this.plan;
    let stopped = 'unplugged';
    if (this.#charger !== undefined) stopped = await this.#charger.present(this.#hardware.number, token);
    else if (!offline) stopped = await this.#desk.remoteStop(token);
    // A driver without a reader and without a network pulls the plug at the car.
    else this.#hardware.unplugAtCar();
    const notified = await this.#until(() => this.#heard('ended'));
    this.#note('driver notified of the end', notified, stopped);
    const released = await this.#until(() => this.#hardware.car === undefined || this.#hardware.unplug());
    if (!released) this.#hardware.unplugAtCar();
    await pause(clock, seconds(1));
    const { uplink, simulated } = this.surroundings;
    const free = await this.#until(() => (uplink.up ? this.#cloudStatus() === 'Available' : true));
    this.#note('connector released', released && free, uplink.up ? String(this.#cloudStatus()) : 'no uplink');
    const billed = await this.#until(() => this.#heard('cdr'));
    this.#note('charge detail record', billed, `${simulated.world.evse(this.plan.evse).hardware.register} Wh`);
  }

  /** Events name no driver, so the first start at this EVSE tells which transaction the others have to be about. */
  #heard(what: 'started' | 'ended' | 'cdr'): boolean {
    const here = this.surroundings.ear.heard.filter(({ evse }) => evse === this.plan.evse);
    const uid = here.find(({ event }) => event === 'started')?.transaction;
    return here.some(({ topic, event, transaction }) => transaction === uid && (event === what || topic === what));
  }

  #booked() {
    const { transactions } = this.surroundings.authority.csms.book;
    return [...transactions.values()].find(({ idToken }) => idToken?.toLowerCase() === this.plan.token.toLowerCase());
  }

  /** As the authority sees the connector: one connector an EVSE, so the slot is the EVSE's number. */
  #cloudStatus(): string | undefined {
    const { csms } = this.surroundings.authority;
    const { evse } = this.plan;
    return csms.book.statuses.get(csms.settings.version === 'ocpp1.6' ? String(evse) : `${evse}/1`);
  }

  #until(condition: () => boolean): Promise<boolean> {
    return until(this.surroundings.clock, PATIENCE, condition);
  }

  #note(name: string, ok: boolean, detail?: string): void {
    const at = toRfc3339(this.surroundings.clock.now());
    this.#steps.push({ step: this.#steps.length + 1, name, ok, at, ...(detail !== undefined && { detail }) });
  }
}
