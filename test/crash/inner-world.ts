// The whole shell without a socket: fake time, a journal in memory, chargers and CSMSs on a string.
import { Gateway } from '../../gateway/gateway.js';
import {
  circuitId,
  csmsId,
  evseNumber,
  meterId,
  stationId,
  stationTransactionId,
  type StationId,
  type StationTransactionId,
} from '../../gateway/kernel/ids.js';
import { ampere, milliseconds, seconds, timestamp, type Timestamp } from '../../gateway/kernel/units.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Machine } from '../../gateway/ports/machine.js';
import type { CsmsMessage, DeliveryOutcome } from '../../gateway/ports/csms.js';
import type { StationDriver } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type {
  ConnectorStatus,
  StationAnswer,
  StationEvent,
  TransactionAnswer,
} from '../../gateway/site/station-event.js';
import type { IdToken, IdTokenInfo } from '../../gateway/site/tokens.js';
import { perPhase, type Circuit, type Csms, type Site, type Station } from '../../gateway/site/topology.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { knowing } from '../fakes/fake-machine.js';
import { MemoryJournal } from '../fakes/memory-journal.js';
import { recordingLog } from '../fakes/recording-log.js';
import { csms as csmsOf, evse as evseOf, FakeLink, site as siteOf } from '../gateway/views/fixture.js';

export const token = (idToken: string): IdToken => ({ idToken, type: 'ISO14443' });

/** A CSMS that knows some tokens, and accepts the others. */
export class KnowingLink extends FakeLink {
  readonly tokens = new Map<string, IdTokenInfo>();
  readonly asked: string[] = [];
  tellTime: () => void = () => undefined;

  override askTime(): Promise<void> {
    this.tellTime();
    return Promise.resolve();
  }

  override answer(message: CsmsMessage): DeliveryOutcome {
    const outcome = super.answer(message);
    const presented =
      message.type === 'authorize'
        ? message.idToken
        : message.type === 'transaction' && message.record.kind === 'started'
          ? message.record.idToken
          : undefined;
    if (message.type === 'authorize') this.asked.push(message.idToken.idToken);
    if (presented === undefined || outcome.kind !== 'answered') return outcome;
    return { ...outcome, idTokenInfo: this.tokens.get(presented.idToken) ?? { status: 'Accepted' } };
  }
}

/** One charger with one EVSE and, perhaps, a car. */
export class StringCharger implements StationDriver {
  readonly commands: StationCommand[] = [];
  /** What it lets the car take, per phase. */
  limit = 6;
  /** What the car would take. */
  wants = 0;
  /** `ignores`: says Accepted and goes on; `silent`: answers nothing in time. */
  manner: 'obeys' | 'ignores' | 'silent' = 'obeys';
  /** What it can beyond the usual; told with `connect`. */
  abilities: Partial<Capabilities> = {};
  /** Its own answer to a command; undefined: Accepted. */
  answers: (command: StationCommand) => CommandOutcome | undefined = () => undefined;
  register = 1000;
  /** Its own clock. */
  now = (): Timestamp => this.world().clock.now();
  transaction: StationTransactionId | undefined;

  constructor(
    readonly station: Station,
    readonly world: () => InnerWorld,
  ) {}

  get id(): StationId {
    return this.station.id;
  }

  get number() {
    return evseNumber(Number(this.id.slice(2)));
  }

  get draws(): number {
    return this.transaction === undefined ? 0 : Math.min(this.wants, this.limit);
  }

  execute(command: StationCommand): Promise<CommandOutcome> {
    if (this.world().gateway.live.station(this.id)?.connected !== true) return Promise.resolve({ status: 'Offline' });
    this.commands.push(command);
    if (this.manner === 'silent') {
      return new Promise((resolve) => {
        this.world().clock.after(seconds(5), () => resolve({ status: 'Uncertain' }));
      });
    }
    if (command.type === 'setLimit' && this.manner === 'obeys') this.limit = command.current;
    return Promise.resolve(this.answers(command) ?? { status: 'Accepted' });
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  of<K extends StationCommand['type']>(type: K): readonly Extract<StationCommand, { type: K }>[] {
    return this.commands.filter((command): command is Extract<StationCommand, { type: K }> => command.type === type);
  }

  async connect(status: ConnectorStatus = 'Available', reservation = false): Promise<void> {
    await this.world().report({
      type: 'connected',
      station: this.id,
      capabilities: this.#capabilities(reservation),
    });
    await this.status(status);
  }

  /** Its set-up is through. */
  async setUp(): Promise<void> {
    const capabilities = this.#capabilities(false);
    await this.world().report({ type: 'capabilities', station: this.id, capabilities, limitsReset: true });
  }

  #capabilities(reservation: boolean): Capabilities {
    return {
      protocol: 'ocpp1.6',
      currentLimit: true,
      fallback: true,
      fallbackAfter: 60_000,
      reservation,
      remoteStart: true,
      unlock: true,
      localList: false,
      phaseSwitching: false,
      trigger: true,
      reader: true,
      ...this.abilities,
    };
  }

  async disconnect(): Promise<void> {
    await this.world().report({ type: 'disconnected', station: this.id, reason: 'test' });
  }

  async status(status: ConnectorStatus): Promise<void> {
    await this.world().report({
      type: 'status',
      station: this.id,
      evse: this.number,
      connector: 1,
      status,
      ...(status === 'Occupied' && { chargingState: this.transaction === undefined ? 'EVConnected' : 'Charging' }),
      at: this.now(),
    });
  }

  authorize(idToken: string): Promise<IdTokenInfo> {
    return this.world().report({ type: 'authorize', station: this.id, idToken: token(idToken) });
  }

  async start(idToken: string, at = this.now()): Promise<TransactionAnswer> {
    const answer = await this.world().report({
      type: 'transaction',
      kind: 'started',
      station: this.id,
      evse: this.number,
      connector: 1,
      at,
      trigger: 'Authorized',
      chargingState: 'Charging',
      idToken: token(idToken),
      meterValues: this.#values('Transaction.Begin'),
      offline: false,
    });
    this.transaction = answer.stationTransactionId;
    this.limit = Math.max(this.limit, 6);
    return answer;
  }

  /** A periodic sample, after `wattHours` more. */
  async sample(wattHours = 0): Promise<void> {
    this.register += wattHours;
    await this.world().report({
      type: 'transaction',
      kind: 'updated',
      station: this.id,
      evse: this.number,
      connector: 1,
      ...(this.transaction && { stationTransactionId: this.transaction }),
      at: this.now(),
      trigger: 'MeterValuePeriodic',
      meterValues: this.#values('Sample.Periodic'),
      offline: false,
    });
  }

  async end(idToken?: string): Promise<TransactionAnswer> {
    const id = this.transaction ?? stationTransactionId('-1');
    this.transaction = undefined;
    return this.world().report({
      type: 'transaction',
      kind: 'ended',
      station: this.id,
      stationTransactionId: id,
      at: this.now(),
      trigger: 'StopAuthorized',
      stoppedReason: 'Local',
      ...(idToken !== undefined && { idToken: token(idToken) }),
      meterValues: this.#values('Transaction.End'),
      offline: false,
    });
  }

  #values(context: 'Transaction.Begin' | 'Transaction.End' | 'Sample.Periodic') {
    const phases = ['L1', 'L2', 'L3'] as const;
    return [
      {
        at: this.now(),
        sampled: [
          { value: this.register, measurand: 'Energy.Active.Import.Register' as const, context },
          ...phases.map((phase) => ({ value: this.draws, measurand: 'Current.Import' as const, phase, context })),
        ],
      },
    ];
  }
}

export interface InnerOptions {
  /** A box whose own clock may be wrong; one that knows the time unless given. */
  readonly box?: (clock: FakeClock) => { readonly clock: Clock; readonly machine: Machine };
  readonly chargers?: number;
  readonly csmss?: readonly Partial<Csms>[];
  readonly authorization?: Partial<Site['authorization']>;
  readonly main?: Partial<Circuit>;
}

export class InnerWorld {
  /** The true time, by which drivers, cars and chargers live. */
  readonly clock = new FakeClock();
  /** The time by which the box goes. */
  readonly box: Clock;
  readonly machine: Machine;
  journal = new MemoryJournal();
  site: Site;
  log = recordingLog();
  readonly chargers = new Map<StationId, StringCharger>();
  readonly links: KnowingLink[] = [];
  #gateway: Gateway | undefined;

  constructor({ chargers = 1, csmss = [{}], authorization = {}, main = {}, box }: InnerOptions = {}) {
    const given = box?.(this.clock);
    this.box = given?.clock ?? this.clock;
    this.machine = given?.machine ?? knowing(this.clock);
    const evses = Array.from({ length: chargers }, (_, index) => evseOf(index + 1));
    const plain = siteOf(evses);
    this.site = {
      ...plain,
      circuits: [{ id: circuitId('main'), breaker: ampere(125), margin: ampere(0), ...main }],
      meters:
        main.meter === undefined
          ? []
          : [{ id: main.meter, device: 'test', connection: { kind: 'tcp', host: 'meter', port: 502 } }],
      csms: csmss.map((over, index) => csmsOf({ id: csmsId(index === 0 ? 'operator' : `other${index}`), ...over })),
      authorization: { ...plain.authorization, ...authorization },
    };
  }

  static async open(options: InnerOptions = {}): Promise<InnerWorld> {
    return InnerWorld.start(new InnerWorld(options));
  }

  /** As `open`, on a site that the test has changed. */
  static async start(world: InnerWorld): Promise<InnerWorld> {
    for (const { ocpp } of world.site.csms) world.links.push(new KnowingLink(ocpp));
    for (const station of world.site.stations) world.chargers.set(station.id, new StringCharger(station, () => world));
    await world.begin();
    return world;
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the gateway does not run');
    return this.#gateway;
  }

  /** Opens the gateway on what the journal holds. */
  async begin(): Promise<void> {
    const bytes = new Uint8Array(10);
    this.#gateway = await Gateway.open({
      site: this.site,
      journal: this.journal,
      drivers: this.chargers,
      clock: this.box,
      machine: this.machine,
      log: this.log,
      randomBytes: () => {
        bytes[9] = ((bytes[9] ?? 0) + 1) % 256;
        return bytes.slice();
      },
      firmwareVersion: '0.0.0',
    });
    for (const [index, view] of this.gateway.views.entries()) view.attach(this.link(index));
    this.gateway.start();
    await this.clock.settle();
  }

  /** The process is gone without a word, and another one begins on the same disk. @param site changed site.yaml */
  async crash(site = this.site): Promise<void> {
    this.die();
    this.site = site;
    await this.begin();
  }

  /** The process is gone without a word. */
  die(): void {
    const died = this.gateway;
    this.journal = this.journal.afterCrash();
    for (const index of this.links.keys()) this.link(index).cut();
    // Its timers would go on in a test that shares the clock.
    void died.stop();
  }

  link(index = 0): KnowingLink {
    const link = this.links[index];
    if (link === undefined) throw new Error(`there is no CSMS ${index}`);
    return link;
  }

  charger(number = 1): StringCharger {
    const charger = this.chargers.get(stationId(`CP${number}`));
    if (charger === undefined) throw new Error(`there is no charger ${number}`);
    return charger;
  }

  /** @param says the time in its answers to BootNotification and Heartbeat */
  async online(index = 0, booted = true, says?: () => Timestamp): Promise<void> {
    const view = this.gateway.views[index];
    this.link(index).start();
    this.link(index).tellTime = () => says && view?.timeFromCsms(says());
    this.link(index).tellTime();
    view?.linkUp(booted);
    await this.clock.advance(10);
  }

  async offline(index = 0): Promise<void> {
    this.link(index).cut();
    this.gateway.views[index]?.linkDown('test');
    await this.clock.settle();
  }

  async report<E extends StationEvent>(event: E): Promise<StationAnswer<E>> {
    let over = false;
    const asked = this.gateway.stations.report(event);
    const ended = (): void => {
      over = true;
    };
    asked.then(ended, ended);
    // What waits for time to pass would never be answered by a clock that stands still.
    for (let spent = 0; !over && spent < 30_000; spent += 50) {
      await this.clock.settle(1);
      if (!over) await this.clock.advance(50);
    }
    return asked;
  }

  status(number: number): ConnectorStatus | undefined {
    return this.gateway.live.connector(evseNumber(number), 1)?.status;
  }

  /** One second with the grid meter at `building` and whatever the chargers draw. */
  async second(building: number | undefined): Promise<void> {
    const drawn = [...this.chargers.values()].reduce((sum, charger) => sum + charger.draws, 0);
    if (building !== undefined) {
      this.gateway.meters.reading({
        meter: meterId('grid'),
        at: timestamp(this.clock.now()),
        current: perPhase(() => ampere(building + drawn)),
      });
    }
    await this.clock.advance(milliseconds(1000));
  }
}
