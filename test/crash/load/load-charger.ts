// A charger under load: visit after visit on each of its EVSEs, every message kept until it is answered, now and then a reboot.
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../../simulation/random.js';
import type { Changes } from '../../peers/changes.js';
import { answer } from '../../peers/reactions.js';
import { RpcCharger } from '../../peers/rpc-charger.js';
import type { OcppVersion, Payload } from '../../peers/wire-record.js';
import { Dialect16 } from './dialect-16.js';
import { Dialect201 } from './dialect-201.js';
import type { Dialect, Place } from './dialect.js';
import { Visit } from './visit.js';

export interface LoadChargerOptions {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly port: number;
  /** Numbers of its EVSEs on the site. */
  readonly evses: readonly number[];
  readonly random: Random;
  readonly changes: Changes;
  readonly visits: Visit[];
  /** Resolves when the gateway may be there (again). */
  readonly gatewayUp: () => Promise<void>;
  /** Something has happened at which the gateway may be killed. */
  readonly point: (name: string) => void;
  /** The gateway has answered. */
  readonly served: () => void;
  readonly remoteStart: (evse: number, token: string) => Promise<void>;
  readonly remoteStop: (token: string) => Promise<void>;
}

/** Milliseconds between two attempts. */
const PAUSE = 30;
/** Milliseconds that a remote command may take before the driver acts himself. */
const REMOTE_PATIENCE = 700;
/** Milliseconds after which a message that nobody answers is a failure. */
const SEND_PATIENCE = 60_000;

export class LoadCharger {
  readonly peer: RpcCharger;
  readonly places: readonly Place[];
  readonly #is: LoadChargerOptions;
  readonly #dialect: Dialect;
  #connecting: Promise<void> | undefined;
  #mustBoot = true;
  #leaving = false;
  #gone = false;

  constructor(options: LoadChargerOptions) {
    this.#is = options;
    this.peer = new RpcCharger(options);
    this.#dialect = options.version === 'ocpp1.6' ? new Dialect16() : new Dialect201(() => !this.peer.connected);
    this.places = options.evses.map((evse, index) => ({
      id: index + 1,
      evse,
      register: 10_000 * evse,
      status: 'free',
      startAsked: undefined,
      stopAsked: false,
    }));
    const { scripts } = this.peer;
    // Its limits are no part of this.
    scripts.always('SetChargingProfile', answer({ status: 'Accepted' }));
    scripts.always('RemoteStartTransaction', (request) =>
      this.#startAsked(Number(request['connectorId'] ?? 1), String(request['idTag']), undefined),
    );
    scripts.always('RequestStartTransaction', (request) =>
      this.#startAsked(
        Number(request['evseId'] ?? 1),
        (request['idToken'] as { readonly idToken: string }).idToken,
        Number(request['remoteStartId']),
      ),
    );
    for (const action of ['RemoteStopTransaction', 'RequestStopTransaction'])
      scripts.always(action, (request) => this.#stopAsked(String(request['transactionId'])));
  }

  /** Visit after visit until `leave`; rejects when a message could not be brought home. */
  async run(): Promise<void> {
    await Promise.all(
      this.places.map(async (place) => {
        for (let count = 1; !this.#leaving; count++) await this.#visit(place, count);
      }),
    );
  }

  /** The visits under way are the last ones. */
  leave(): void {
    this.#leaving = true;
  }

  /** Whatever is under way is given up: the round has failed. */
  async close(): Promise<void> {
    this.#leaving = true;
    this.#gone = true;
    await this.peer.drop();
  }

  async #visit(place: Place, count: number): Promise<void> {
    const { random, identity, visits } = this.#is;
    const visit = new Visit(`${identity}.${place.id}-${count}`, identity, place.evse, place.register);
    visits.push(visit);
    await pause(random.between(0, 150));
    const asked = random.next() < 0.2 ? await this.#askedToStart(place, visit) : undefined;
    await this.#status(place, 'plugged', visit);
    await this.#begin(place, visit, asked?.remoteStartId, asked !== undefined);
    await this.#status(place, 'charging', visit);
    const samples = Math.floor(random.between(2, 6));
    for (let sample = 0; sample < samples; sample++) {
      await pause(random.between(0, 120));
      await this.#values(place, visit);
      const what = random.next();
      if (what < 0.15) await this.#pauseOfTheCar(place, visit);
      else if (what < 0.21) {
        // One that forgot the car says free, and remembers the transaction only to end it.
        const over = random.next() < 0.5;
        if (over) place.status = 'free';
        await this.#reboot(visit);
        if (over) return this.#end(place, visit, 'PowerLoss');
      }
    }
    if (random.next() < 0.2) {
      await this.#askedToStop(place, visit);
      await this.#end(place, visit, place.stopAsked ? 'Remote' : 'Local');
    } else await this.#end(place, visit, random.next() < 0.7 ? 'Local' : 'EVDisconnected');
  }

  async #begin(place: Place, visit: Visit, remoteStartId: number | undefined, remote: boolean): Promise<void> {
    const { random } = this.#is;
    const dialect = this.#dialect;
    const early = !remote && dialect.identify !== undefined && random.next() < 0.3;
    if (!remote && random.next() < 0.5) {
      const [action, payload] = dialect.authorize(visit.token);
      await this.#send(visit, action, payload);
    }
    visit.startedAt = Date.now();
    const answered = await this.#send(visit, ...dialect.start(place, visit, visit.startedAt, remoteStartId, early));
    dialect.started(place, visit, answered);
    if (!early || dialect.identify === undefined) return;
    await pause(random.between(0, 60));
    dialect.started(place, visit, await this.#send(visit, ...dialect.identify(place, visit, Date.now())));
  }

  async #values(place: Place, visit: Visit): Promise<void> {
    const { random } = this.#is;
    place.register += Math.ceil(random.between(1, 400));
    const at = Date.now();
    const milestone = random.next() < 0.5;
    visit.registers.push(place.register);
    if (milestone) visit.milestones.push({ at, register: place.register });
    await this.#send(visit, ...this.#dialect.values(place, visit, at, milestone));
  }

  async #pauseOfTheCar(place: Place, visit: Visit): Promise<void> {
    for (const status of ['paused', 'charging'] as const) {
      place.status = status;
      const event = this.#dialect.state(place, Date.now());
      if (event === undefined) await this.#status(place, status, visit);
      else await this.#send(visit, ...event);
      await pause(this.#is.random.between(0, 60));
    }
  }

  async #end(place: Place, visit: Visit, reason: NonNullable<Visit['reason']>): Promise<void> {
    place.register += Math.ceil(this.#is.random.between(1, 100));
    visit.registers.push(place.register);
    visit.reason = reason;
    visit.meterStop = place.register;
    const at = Date.now();
    await this.#send(visit, ...this.#dialect.stop(place, visit, at));
    visit.endedAt = at;
    place.stopAsked = false;
    place.startAsked = undefined;
    await this.#status(place, 'over', visit);
    await this.#status(place, 'free', visit);
  }

  async #reboot(visit: Visit): Promise<void> {
    await this.#connected();
    visit.tell(`${this.#is.identity} reboots`);
    this.#mustBoot = true;
    await this.peer.drop();
  }

  async #status(place: Place, status: Place['status'], visit: Visit): Promise<void> {
    place.status = status;
    await this.#send(visit, 'StatusNotification', this.#dialect.status(place, Date.now()));
  }

  /** The same payload until it is answered. */
  async #send(visit: Visit, action: string, payload: Payload): Promise<Payload> {
    const { identity, point, served } = this.#is;
    const detail = (payload['eventType'] ?? payload['status'] ?? payload['connectorStatus']) as string | undefined;
    const what = detail === undefined ? action : `${action} ${detail}`;
    for (const since = Date.now(); ; await pause(PAUSE)) {
      await this.#connected();
      try {
        visit.tell(`${identity} sends ${what}`);
        point(`charger sends ${action}`);
        const answered = await this.peer.call(action, payload);
        served();
        point(`charger answered ${action}`);
        visit.tell(`${identity} is answered ${what}`);
        return answered;
      } catch (err) {
        visit.tell(`${identity} is not answered: ${err instanceof Error ? err.message : String(err)}`);
        if (this.#gone || Date.now() - since > SEND_PATIENCE) throw err;
      }
    }
  }

  #connected(): Promise<void> {
    if (this.peer.connected) return Promise.resolve();
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    for (; ; await pause(PAUSE)) {
      await this.#is.gatewayUp();
      if (this.#gone) throw new Error(`${this.#is.identity} is gone`);
      try {
        await this.peer.drop();
        await this.peer.connect();
        if (!this.#mustBoot && this.#is.random.next() < 0.7) return;
        const { status } = await this.peer.act.boot();
        if (status !== 'Accepted') continue;
        this.#is.served();
        for (const place of this.places)
          await this.peer.call('StatusNotification', this.#dialect.status(place, Date.now()));
        this.#mustBoot = false;
        return;
      } catch {
        // Gone again, or not there yet.
        this.#is.changes.happened();
      }
    }
  }

  async #askedToStart(place: Place, visit: Visit): Promise<Place['startAsked']> {
    place.startAsked = undefined;
    await this.#within(REMOTE_PATIENCE, this.#is.remoteStart(place.evse, visit.token));
    const asked = place.startAsked as Place['startAsked'];
    visit.tell(asked === undefined ? 'the remote start did not arrive' : 'started remotely');
    return asked?.token === visit.token ? asked : undefined;
  }

  async #askedToStop(place: Place, visit: Visit): Promise<void> {
    place.stopAsked = false;
    await this.#within(REMOTE_PATIENCE, this.#is.remoteStop(visit.token));
    visit.tell(place.stopAsked ? 'stopped remotely' : 'the remote stop did not arrive');
  }

  async #within(patience: number, work: Promise<void>): Promise<void> {
    const give = new AbortController();
    const late = pause(patience, undefined, { signal: give.signal }).catch(() => undefined);
    await Promise.race([work, late]);
    give.abort();
  }

  #startAsked(id: number, token: string, remoteStartId: number | undefined) {
    const place = this.places.find((each) => each.id === id);
    if (place === undefined || place.status !== 'free') return answer({ status: 'Rejected' });
    place.startAsked = { token, remoteStartId };
    return answer({ status: 'Accepted' });
  }

  #stopAsked(transaction: string) {
    const place = this.places.find((each) => this.#dialect.transaction(each) === transaction);
    if (place === undefined) return answer({ status: 'Rejected' });
    place.stopAsked = true;
    return answer({ status: 'Accepted' });
  }
}
