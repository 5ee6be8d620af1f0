// One Modbus charger: polls its EVSEs, tells when it comes and goes, carries out commands. It holds no policy of the site.
import { ModbusDevice } from '../modbus/device.js';
import { unverifiedFacts, type ChargerProfile } from '../modbus/device-profile.js';
import type { ModbusLink } from '../modbus/link.js';
import type { AdapterContext, StationHost, WatchdogTrial } from '../../gateway/ports/station.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type { Evse, Station } from '../../gateway/site/topology.js';
import {
  DEFAULT_STATION_SETTINGS,
  type ModbusStationDriver,
  type OpenTransaction,
  type StationSettings,
} from './contract.js';
import { EvseControl } from './evse-control.js';
import { ModbusEvse } from './evse.js';
import { EvseReports } from './evse-reports.js';
import { Outbox } from './outbox.js';
import { capabilitiesOf, INVENTORY, inventoryOf } from './station-facts.js';
import { setUp } from '../modbus/setup.js';
import { WatchdogFeeder, type Fallback } from './watchdog.js';
import { Starvation } from './starvation.js';

/** Opens a charger and polls it until stopped; the first poll begins in a later turn, so that `resume` comes before it. */
export function openModbusStation(
  station: Station,
  profile: ChargerProfile,
  link: ModbusLink,
  host: StationHost,
  context: AdapterContext,
  settings: StationSettings = DEFAULT_STATION_SETTINGS,
): ModbusStationDriver {
  const driver = new ModbusStation(station, profile, link, host, context, settings);
  driver.start();
  return driver;
}

interface Point {
  readonly device: ModbusDevice;
  readonly evse: ModbusEvse;
  readonly control: EvseControl;
  readonly watchdog: WatchdogFeeder;
  fallback: Fallback | undefined;
  /** Polls in a row without an answer. */
  missed: number;
}

class ModbusStation implements ModbusStationDriver {
  private readonly outbox: Outbox;
  private readonly points: ReadonlyMap<EvseNumber, Point>;
  /** Tells of the whole station: that of its first EVSE, where site.yaml has that. */
  private readonly inventoryDevice: ModbusDevice;
  private connected = false;
  private wasConnected = false;
  private missed = 0;
  private announced = '';
  private polling: Promise<void> | undefined;
  private stopped = false;
  private cancel: () => void = () => undefined;
  private readonly starvation: Starvation;

  constructor(
    readonly station: Station,
    private readonly profile: ChargerProfile,
    link: ModbusLink,
    host: StationHost,
    private readonly context: AdapterContext,
    private readonly settings: StationSettings,
  ) {
    this.outbox = new Outbox(station.id, host, context);
    const unit = station.link.kind === 'modbus' && station.link.unit !== undefined ? { unit: station.link.unit } : {};
    this.points = new Map(
      station.evses.map((evse) => {
        const device = new ModbusDevice(link, profile, { instance: evse.stationEvse, ...unit });
        return [evse.number, this.point(evse, device)];
      }),
    );
    const first = station.evses.find(({ stationEvse }) => stationEvse === 1);
    this.inventoryDevice =
      (first && this.points.get(first.number)?.device) ?? new ModbusDevice(link, profile, { instance: 1, ...unit });
    this.starvation = new Starvation(profile.watchdog, context.clock);
  }

  get watchdog(): WatchdogTrial {
    const { after, note } = this.starvation;
    return {
      ...(after !== undefined && { after }),
      note,
      starve: (evse, during) => {
        const point = this.points.get(evse);
        return point === undefined || !this.connected
          ? Promise.resolve({ status: 'interrupted', detail: 'it is not there' })
          : this.starvation.begin(point, during);
      },
      feed: () => this.starvation.end('it was called off'),
    };
  }

  start(): void {
    for (const fact of unverifiedFacts(this.profile)) {
      const fields = { station: this.station.id, device: this.profile.id, fault: FAULTS.modbusUnverified.code };
      this.context.log.warn(fields, fact);
    }
    const poll = (): void => {
      this.polling ??= this.poll().finally(() => (this.polling = undefined));
    };
    this.cancel = this.context.clock.every(this.settings.pollInterval, poll);
    queueMicrotask(() => {
      if (!this.stopped) poll();
    });
  }

  resume(open: readonly OpenTransaction[]): void {
    for (const transaction of open) this.points.get(transaction.evse)?.evse.resume(transaction);
  }

  async execute(command: StationCommand): Promise<CommandOutcome> {
    if (command.type === 'changeAvailability') return this.changeAvailability(command.evse, command.operative);
    if (command.type !== 'setLimit' && command.type !== 'requestStart' && command.type !== 'requestStop') {
      return { status: 'NotSupported' };
    }
    const point = this.points.get(command.evse);
    if (point === undefined) return { status: 'Rejected', detail: `no EVSE ${command.evse}` };
    if (!this.connected) return { status: 'Offline' };
    this.starvation.end('the charger had to be told something');
    switch (command.type) {
      case 'setLimit': {
        const outcome = await point.control.limit(command.current, command.phases);
        if (outcome.status === 'Rejected') this.announce();
        return outcome;
      }
      case 'requestStart':
        return point.evse.requestStart(command);
      case 'requestStop':
        return point.evse.runs(command.stationTransactionId)
          ? point.evse.requestStop()
          : { status: 'Rejected', detail: 'no such transaction' };
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    this.starvation.end('the gateway stops');
    for (const point of this.points.values()) point.watchdog.disarm();
    await this.outbox.stop();
    await this.polling;
    for (const point of this.points.values()) {
      await point.watchdog.stop();
      await point.control.stop();
    }
  }

  private point(evse: Evse, device: ModbusDevice): Point {
    const { profile, context } = this;
    const { nominalVoltage } = this.settings;
    const control = new EvseControl(evse, profile, device, nominalVoltage, context);
    const learned = (fallback: Fallback): void => {
      const point = this.points.get(evse.number);
      if (point !== undefined) point.fallback = fallback;
      this.announce();
    };
    const reports = new EvseReports(evse, this.outbox, context);
    return {
      device,
      evse: new ModbusEvse(this.station, evse, profile, device, control, reports, this.settings, context),
      control,
      watchdog: new WatchdogFeeder(evse, profile, nominalVoltage, device, control, learned, context),
      fallback: undefined,
      missed: 0,
    };
  }

  private async poll(): Promise<void> {
    // Every question would feed it.
    if (this.starvation.silences) return;
    let answered = false;
    for (const point of this.points.values()) {
      if (!this.connected && !answered) {
        if (!(await this.answers())) break;
        answered = true;
        await this.connect();
      }
      if (this.stopped) return;
      const seen = await point.evse.poll();
      point.missed = seen ? 0 : point.missed + 1;
      answered ||= seen;
    }
    if (!answered) return this.miss();
    this.missed = 0;
    for (const point of this.points.values()) {
      if (point.missed === this.settings.missedPolls) point.evse.missing();
    }
  }

  /** A charger that is away is asked one question, not one for each EVSE. */
  private async answers(): Promise<boolean> {
    const state = Object.keys(this.profile.states[0]?.when ?? {});
    const answer = await this.inventoryDevice.read(state);
    return answer.ok && this.recognise();
  }

  /** False where it is not certain what its registers mean: then it is not touched. */
  private async recognise(): Promise<boolean> {
    const devices = new Set([this.inventoryDevice, ...[...this.points.values()].map((point) => point.device)]);
    for (const device of devices) {
      const recognised = await device.recognise();
      if (!recognised.ok) return false;
      if (recognised.value === undefined || device !== this.inventoryDevice) continue;
      this.context.log.info(
        { station: this.station.id, variant: recognised.value },
        'charger is a variant of its make',
      );
    }
    return true;
  }

  private async connect(): Promise<void> {
    const read = await this.inventoryDevice.read(INVENTORY.filter((name) => this.inventoryDevice.has(name)));
    // A charger that does not tell its name is still a charger.
    const inventory = inventoryOf(this.profile, read.ok ? read.value : new Map());
    const afterSilence = this.wasConnected;
    this.connected = true;
    this.wasConnected = true;
    for (const point of this.points.values()) point.fallback = undefined;
    const capabilities = this.capabilities();
    this.announced = JSON.stringify(capabilities);
    const at = this.context.clock.now();
    this.outbox.post(() => ({ type: 'connected', station: this.station.id, capabilities }));
    this.outbox.post(() => ({ type: 'booted', station: this.station.id, inventory, at }));
    for (const point of this.points.values()) {
      await this.setUp(point.device);
      point.evse.forgetReported();
      void point.control.reconnected(afterSilence);
      point.watchdog.arm();
    }
  }

  /** A setting that is not taken shows in what the charger does: it is told, and polling goes on. */
  private async setUp(device: ModbusDevice): Promise<void> {
    const { log } = this.context;
    const about = { station: this.station.id };
    const set = await setUp(device, (setting) =>
      log.info({ ...about, ...setting }, 'charger is brought into the mode that it is controlled in'),
    );
    if (!set.ok)
      log.warn({ ...about, reason: set.error, fault: FAULTS.setupIncomplete.code }, 'charger has not taken a setting');
  }

  private miss(): void {
    this.missed += 1;
    if (!this.connected || this.missed < this.settings.missedPolls) return;
    this.connected = false;
    this.starvation.end('the charger does not answer');
    for (const point of this.points.values()) point.watchdog.disarm();
    const reason = `no answer to ${this.missed} polls in a row`;
    this.outbox.post(() => ({ type: 'disconnected', station: this.station.id, reason }));
  }

  private announce(): void {
    const capabilities = this.capabilities();
    const text = JSON.stringify(capabilities);
    if (text === this.announced || !this.connected) return;
    this.announced = text;
    this.outbox.post(() => ({ type: 'capabilities', station: this.station.id, capabilities }));
  }

  private capabilities(): Capabilities {
    const points = [...this.points.values()];
    return capabilitiesOf(
      this.profile,
      points.map(({ fallback }) => fallback),
      points.every(({ control }) => control.switchesPhases),
    );
  }

  private async changeAvailability(number: EvseNumber | undefined, operative: boolean): Promise<CommandOutcome> {
    const one = number === undefined ? undefined : this.points.get(number);
    if (number !== undefined && one === undefined) return { status: 'Rejected', detail: `no EVSE ${number}` };
    const points = one === undefined ? [...this.points.values()] : [one];
    const outcomes = await Promise.all(points.map((point) => point.evse.changeAvailability(operative)));
    return (
      outcomes.find((outcome) => outcome.status === 'Scheduled') ??
      outcomes.find((outcome) => outcome.status !== 'Accepted') ?? { status: 'Accepted' }
    );
  }
}
