// The live state of the site: what stations report, merged with what the gateway knows, into the one status the world is told.
import type { EvseNumber, StationId } from '../kernel/ids.js';
import { amended } from '../kernel/amended.js';
import { ampere, minutes, wattHour, type Ampere, type Timestamp } from '../kernel/units.js';
import type { Capabilities } from './capabilities.js';
import type { LiveConnector, LiveEvse, LiveSite, LiveStation } from './live-state.js';
import { LastValues } from './last-values.js';
import { energyRegister, measuredCurrent } from './measured-current.js';
import { currentOffered } from './offered-current.js';
import { judgedAgain, shifted, type TimeShift } from './time-shift.js';
import { mergedStatus, OFFLINE, type MergedStatus } from './merged-status.js';
import type { MeterValue } from './metering.js';
import { isSameEvse } from './site-change.js';
import type { ChargingState, ConnectorError, ConnectorStatus, Inventory, StatusReported } from './station-event.js';
import type { Evse, Site } from './topology.js';
import type { Transaction } from './transaction.js';

/** A connector whose outward state has changed. */
export interface ConnectorChange {
  readonly evse: EvseNumber;
  readonly connector: number;
}

interface ConnectorRecord {
  evse: Evse;
  readonly connector: number;
  reported: ConnectorStatus;
  known: boolean;
  chargingState: ChargingState;
  error: ConnectorError | undefined;
  at: Timestamp;
  /** What the station said last of it and when, by its own clock. */
  told: Pick<StatusReported, 'status' | 'chargingState' | 'at'> | undefined;
  /** What the station said of `at`, where that could not be meant. */
  reportedAt: Timestamp | undefined;
  /** Desired by a CSMS or on site; survives restarts in the shell's documents. */
  inoperative: boolean;
  transaction: 'none' | 'open' | 'ended';
  energized: boolean;
  view: LiveConnector;
}

interface EvseRecord {
  evse: Evse;
  readonly lastValues: LastValues;
  registerAt: Timestamp | undefined;
  reserved: boolean;
  live: LiveEvse;
}

interface StationRecord {
  live: LiveStation;
  /** Silent for longer than the grace: its idle connectors are shown Unavailable. */
  lost: boolean;
  /** It has taken itself out of service as a whole (1.6 connector 0). */
  unavailable: boolean;
}

/** What was known before the site became another one. */
interface Known {
  readonly stations: ReadonlyMap<StationId, StationRecord>;
  readonly evses: ReadonlyMap<EvseNumber, EvseRecord>;
  readonly connectors: ReadonlyMap<string, ConnectorRecord>;
}

const key = (evse: EvseNumber, connector: number): string => `${evse}/${connector}`;

/** Holds the live state; every method that changes something answers with the connectors that now look different. */
export class SiteBook implements LiveSite {
  readonly #stations = new Map<StationId, StationRecord>();
  readonly #evses = new Map<EvseNumber, EvseRecord>();
  readonly #connectors = new Map<string, ConnectorRecord>();
  readonly #ofStation = new Map<StationId, readonly ConnectorRecord[]>();
  readonly #site: Site;

  constructor(site: Site, now: Timestamp) {
    this.#site = site;
    this.#fill(now);
  }

  /**
   * The site is another one: what is known of hardware that it still has goes on, under its new description.
   * @returns connectors that are new or gone
   */
  reconfigured(now: Timestamp): ConnectorChange[] {
    const stations = new Map(this.#stations);
    const evses = new Map(this.#evses);
    const connectors = new Map(this.#connectors);
    this.#stations.clear();
    this.#evses.clear();
    this.#connectors.clear();
    this.#ofStation.clear();
    this.#fill(now, { stations, evses, connectors });
    const [before, after] = [new Set(connectors.values()), new Set(this.#connectors.values())];
    return [
      ...[...before].filter((record) => !after.has(record)),
      ...[...after].filter((record) => !before.has(record)),
    ].map(({ evse, connector }) => ({ evse: evse.number, connector }));
  }

  #fill(now: Timestamp, known?: Known): void {
    for (const station of this.#site.stations) {
      this.#stations.set(
        station.id,
        known?.stations.get(station.id) ?? {
          live: { id: station.id, connected: false, since: now, booted: false },
          lost: true,
          unavailable: false,
        },
      );
      for (const evse of station.evses) this.#add(evse, now, known);
      const own = station.evses.flatMap(({ number }) => this.#connectorsOf(number, undefined));
      this.#ofStation.set(station.id, own);
    }
  }

  #add(evse: Evse, now: Timestamp, known: Known | undefined): void {
    const before = known?.evses.get(evse.number);
    const same = isSameEvse(before?.evse, evse) ? before : undefined;
    const record = same ?? {
      evse,
      lastValues: new LastValues(),
      registerAt: undefined,
      reserved: false,
      live: { number: evse.number },
    };
    record.evse = evse;
    this.#evses.set(evse.number, record);
    for (const { number } of evse.connectors) {
      const place = key(evse.number, number);
      const connector = (same && known?.connectors.get(place)) ?? blank(evse, number, now);
      connector.evse = evse;
      this.#connectors.set(place, connector);
    }
  }

  station(id: StationId): LiveStation | undefined {
    return this.#stations.get(id)?.live;
  }

  evse(number: EvseNumber): LiveEvse | undefined {
    return this.#evses.get(number)?.live;
  }

  connector(evse: EvseNumber, connector: number): LiveConnector | undefined {
    return this.#connectors.get(key(evse, connector))?.view;
  }

  *connectors(): Iterable<LiveConnector> {
    for (const record of this.#connectors.values()) yield record.view;
  }

  /** What the electrician's file says of an EVSE. */
  describe(number: EvseNumber): Evse | undefined {
    return this.#evses.get(number)?.evse;
  }

  linkChanged(id: StationId, connected: boolean, now: Timestamp, capabilities?: Capabilities): ConnectorChange[] {
    const record = this.#stations.get(id);
    if (record === undefined) return [];
    record.live = { ...record.live, connected, since: now, ...(capabilities && { capabilities }) };
    if (connected) record.lost = false;
    return this.#refreshStation(id);
  }

  learned(id: StationId, capabilities: Capabilities): void {
    const record = this.#stations.get(id);
    if (record) record.live = { ...record.live, capabilities };
  }

  booted(id: StationId, inventory: Inventory): void {
    const record = this.#stations.get(id);
    if (record) record.live = { ...record.live, booted: true, inventory };
  }

  /** The grace of a silent station is over (aggregation: 30 s): its idle connectors are Unavailable to the world. */
  lost(id: StationId, now: Timestamp): ConnectorChange[] {
    const record = this.#stations.get(id);
    if (record === undefined || record.live.connected) return [];
    record.lost = true;
    return this.#refreshStation(id, now);
  }

  status(event: StatusReported): ConnectorChange[] {
    if (event.evse === undefined) {
      const station = this.#stations.get(event.station);
      if (station === undefined) return [];
      const { error: _cleared, ...rest } = station.live;
      const fault = event.status === 'Faulted' ? (event.error ?? { code: 'OtherError' as const }) : undefined;
      station.live = fault === undefined ? rest : { ...rest, error: fault };
      station.unavailable = event.status === 'Unavailable';
      return this.#refreshStation(event.station, event.at);
    }
    const changes: ConnectorChange[] = [];
    for (const record of this.#connectorsOf(event.evse, event.connector)) {
      record.reported = event.status;
      record.known = true;
      record.error = event.error;
      record.at = event.at;
      record.told = event;
      record.reportedAt = event.reportedAt;
      if (event.chargingState !== undefined) record.chargingState = event.chargingState;
      if (event.status === 'Available') {
        if (record.transaction === 'ended') record.transaction = 'none';
        if (record.transaction === 'none') record.chargingState = 'Idle';
      } else if (event.status === 'Occupied' && record.chargingState === 'Idle' && event.chargingState === undefined) {
        record.chargingState = 'EVConnected';
      }
      this.#refresh(record, changes);
    }
    return changes;
  }

  transactionChanged(transaction: Transaction, now: Timestamp): ConnectorChange[] {
    const record = this.#connectors.get(key(transaction.evse, transaction.connector));
    const evse = this.#evses.get(transaction.evse);
    if (record === undefined || evse === undefined) return [];
    const shown = evse.live.transaction?.uid === transaction.uid;
    // What a station held back is of the past: the connector is what the station has said since.
    if (!shown && this.#isOfThePast(transaction, record)) return [];
    // The station said only later which connector it is.
    const moved = this.#connectorsOf(transaction.evse, undefined).filter(
      (other) => other !== record && other.transaction === 'open' && shown,
    );
    for (const other of moved) {
      other.transaction = 'none';
      other.chargingState = other.reported === 'Occupied' ? 'EVConnected' : 'Idle';
      other.at = now;
    }
    if (transaction.endedAt === undefined) {
      evse.live = amended(evse.live, { transaction });
      record.transaction = 'open';
      record.chargingState = transaction.chargingState;
    } else {
      // A late message about an older transaction must not close the one that is open now.
      if (evse.live.transaction !== undefined && !shown) return [];
      const { transaction: _ended, ...rest } = evse.live;
      evse.live = rest;
      record.transaction = record.reported === 'Available' ? 'none' : 'ended';
      record.chargingState = record.reported === 'Available' ? 'Idle' : 'EVConnected';
    }
    record.at = now;
    record.reportedAt = undefined;
    const changes: ConnectorChange[] = [];
    for (const other of moved) this.#refresh(other, changes);
    this.#refresh(record, changes);
    return changes;
  }

  /**
   * Takes in measured values; they never change a status. What a charger sends late, from a time without a link, does not
   * replace what is newer.
   */
  measured(number: EvseNumber, values: readonly MeterValue[], now: Timestamp): void {
    const record = this.#evses.get(number);
    if (record === undefined) return;
    for (const value of values) {
      const { currentAt } = record.live;
      const current = measuredCurrent(record.evse, value, this.#site.nominalVoltage);
      const register = energyRegister(value);
      const offers = currentOffered(value);
      const newer = (than: Timestamp | undefined): boolean =>
        than === undefined || value.at >= than || than > now + CLOCK_TOLERANCE;
      record.live = amended(record.live, {
        ...(current && newer(currentAt) && { current, currentAt: value.at }),
        ...(register && newer(record.registerAt) && { register: wattHour(register.value) }),
        ...(offers !== undefined && { saysItOffers: { current: offers, at: now } }),
        lastValues: record.lastValues.take(value, now),
      });
      if (register && newer(record.registerAt)) record.registerAt = value.at;
    }
  }

  /** The site has learned the time: nothing looks different but by when it happened. @param transactionOf as it is now */
  shift(shift: TimeShift, transactionOf: (transaction: Transaction) => Transaction): void {
    for (const station of this.#stations.values())
      station.live = { ...station.live, since: shifted(station.live.since, shift) };
    for (const record of this.#connectors.values()) {
      record.view = { ...record.view, at: judgedAgain(record.view.at, record.reportedAt, shift) };
      if (record.told) record.told = { ...record.told, at: judgedAgain(record.told.at, record.reportedAt, shift) };
      record.at = judgedAgain(record.at, record.reportedAt, shift);
    }
    for (const record of this.#evses.values()) {
      const { currentAt, transaction } = record.live;
      record.registerAt = record.registerAt && shifted(record.registerAt, shift);
      const lastValues = record.lastValues.shift(shift);
      record.live = amended(record.live, {
        ...(currentAt !== undefined && { currentAt: shifted(currentAt, shift) }),
        ...(lastValues && { lastValues }),
        ...(transaction && { transaction: transactionOf(transaction) }),
      });
    }
  }

  offered(number: EvseNumber, current: Ampere): void {
    const record = this.#evses.get(number);
    if (record) record.live = amended(record.live, { offered: ampere(current) });
  }

  reserved(number: EvseNumber, reserved: boolean, now: Timestamp): ConnectorChange[] {
    const record = this.#evses.get(number);
    if (record === undefined) return [];
    record.reserved = reserved;
    return this.#refreshAll(this.#connectorsOf(number, undefined), now);
  }

  operative(number: EvseNumber, connector: number | undefined, operative: boolean, now: Timestamp): ConnectorChange[] {
    const records = this.#connectorsOf(number, connector);
    for (const record of records) record.inoperative = !operative;
    return this.#refreshAll(records, now);
  }

  /** Where a transaction of this station most likely is while the station has not said: plugged in and free, else the first. */
  likeliestConnector(id: StationId): ConnectorChange {
    const own = this.#ofStation.get(id) ?? [];
    const record =
      own.find((each) => each.reported === 'Occupied' && each.transaction === 'none') ??
      own.find((each) => each.transaction === 'none') ??
      own[0];
    if (record === undefined) throw new Error(`station ${id} has no EVSE`);
    return { evse: record.evse.number, connector: record.connector };
  }

  /** The one connector of a station that has no other. */
  onlyConnector(id: StationId): ConnectorChange | undefined {
    const [record, ...more] = this.#ofStation.get(id) ?? [];
    return record === undefined || more.length > 0
      ? undefined
      : { evse: record.evse.number, connector: record.connector };
  }

  /** Whether its station is there and has said how the connector is, or it is known to be out of service. */
  isHeardOf(number: EvseNumber, connector: number): boolean {
    const record = this.#connectors.get(key(number, connector));
    if (record === undefined) return false;
    return record.inoperative || (record.known && this.#stations.get(record.evse.station)?.live.connected === true);
  }

  isInoperative(number: EvseNumber, connector: number): boolean {
    return this.#connectors.get(key(number, connector))?.inoperative ?? false;
  }

  /**
   * Whether a transaction that is not shown began before its station was connected, and is over by what the station has said
   * of the connector since: free, or a car that waits. A status that may be the transaction's own, late, tells nothing.
   */
  #isOfThePast({ startedAt, station }: Transaction, { told }: ConnectorRecord): boolean {
    const connectedAt = this.#stations.get(station)?.live.since ?? startedAt;
    if (told === undefined || startedAt >= connectedAt || startedAt >= told.at) return false;
    if (told.status === 'Available') return true;
    return told.status === 'Occupied' && told.chargingState === 'EVConnected' && told.at > startedAt + TOLD_LATE;
  }

  #connectorsOf(number: EvseNumber, connector: number | undefined): ConnectorRecord[] {
    const evse = this.#evses.get(number)?.evse;
    const numbers = connector === undefined ? (evse?.connectors.map((each) => each.number) ?? []) : [connector];
    return numbers.flatMap((each) => this.#connectors.get(key(number, each)) ?? []);
  }

  #refreshStation(id: StationId, now?: Timestamp): ConnectorChange[] {
    return this.#refreshAll(this.#ofStation.get(id) ?? [], now);
  }

  #refreshAll(records: readonly ConnectorRecord[], now?: Timestamp): ConnectorChange[] {
    const changes: ConnectorChange[] = [];
    for (const record of records) this.#refresh(record, changes, now);
    return changes;
  }

  /** @param now when the reason is not the connector's own word, which has its own time */
  #refresh(record: ConnectorRecord, changes: ConnectorChange[], now?: Timestamp): void {
    const before = record.view;
    record.energized = record.transaction === 'open' && (record.energized || ENERGIZED.has(record.chargingState));
    const { status, error } = this.#merged(record);
    if (
      before.status === status &&
      before.chargingState === record.chargingState &&
      before.transaction === record.transaction &&
      before.reported === record.reported &&
      sameError(before.error, error)
    ) {
      return;
    }
    if (now !== undefined) {
      record.at = now;
      record.reportedAt = undefined;
    }
    record.view = {
      evse: record.evse.number,
      connector: record.connector,
      status,
      reported: record.reported,
      chargingState: record.chargingState,
      transaction: record.transaction,
      ...(record.energized && { energized: true }),
      ...(error && { error }),
      at: record.at,
    };
    changes.push({ evse: record.evse.number, connector: record.connector });
  }

  #merged(record: ConnectorRecord): MergedStatus {
    const station = this.#stations.get(record.evse.station);
    return mergedStatus({
      reported: record.known ? record.reported : undefined,
      error: record.error,
      inoperative: record.inoperative,
      transactionOpen: record.transaction === 'open',
      reserved: this.#evses.get(record.evse.number)?.reserved ?? false,
      stationError: station?.live.error,
      stationUnavailable: station?.unavailable ?? false,
      stationLost: station?.lost ?? true,
    });
  }
}

/** A station may tell of a plugged car this long after the transaction that goes with it. */
const TOLD_LATE = minutes(1);

/** A value from further ahead than this came from a clock that was wrong: it does not keep later ones out. */
const CLOCK_TOLERANCE = minutes(1);

const sameError = (a: ConnectorError | undefined, b: ConnectorError | undefined): boolean =>
  a === b || (a?.code === b?.code && a?.info === b?.info && a?.vendorErrorCode === b?.vendorErrorCode);

function blank(evse: Evse, connector: number, at: Timestamp): ConnectorRecord {
  const view: LiveConnector = {
    evse: evse.number,
    connector,
    status: 'Unavailable',
    reported: 'Unavailable',
    chargingState: 'Idle',
    transaction: 'none',
    error: OFFLINE,
    at,
  };
  return {
    evse,
    connector,
    reported: 'Unavailable',
    known: false,
    chargingState: 'Idle',
    error: undefined,
    at,
    told: undefined,
    reportedAt: undefined,
    inoperative: false,
    transaction: 'none',
    energized: false,
    view,
  };
}

/** Energy flows, or would if the car or the site let it. */
const ENERGIZED: ReadonlySet<ChargingState> = new Set(['Charging', 'SuspendedEV', 'SuspendedEVSE'] as const);
