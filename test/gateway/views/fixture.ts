// A small site, a CSMS on a string and a gateway that says yes: what the tests of a view are played on.
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import type { Log, LogFields } from '../../../gateway/kernel/log.js';
import {
  circuitId,
  csmsId,
  evseNumber,
  stationId,
  stationTransactionId,
  transactionUid,
  type EvseNumber,
  type TransactionUid,
} from '../../../gateway/kernel/ids.js';
import { ampere, milliseconds, seconds, timestamp, volt, wattHour } from '../../../gateway/kernel/units.js';
import type { BootReason, CsmsLink, CsmsMessage, DeliveryOutcome } from '../../../gateway/ports/csms.js';
import type { Operations } from '../../../gateway/ports/operations.js';
import type { LiveConnector, LiveEvse, LiveSite, LiveStation } from '../../../gateway/site/live-state.js';
import type { MeterValue, ReadingContext } from '../../../gateway/site/metering.js';
import type { Csms, Evse, Site } from '../../../gateway/site/topology.js';
import type { Transaction, TransactionRecord } from '../../../gateway/site/transaction.js';
import { View } from '../../../gateway/views/view.js';

export function evse(number: number, station = `CP${number}`, connectors = 1): Evse {
  return {
    number: evseNumber(number),
    station: stationId(station),
    stationEvse: 1,
    connectors: Array.from({ length: connectors }, (_, index) => ({ number: index + 1, type: 'Type2' })),
    circuit: circuitId('main'),
    maxCurrent: ampere(32),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(6),
    phases: ['L2', 'L3', 'L1'],
    rotationKnown: true,
  };
}

export const csms = (over: Partial<Csms> = {}): Csms => ({
  id: csmsId('operator'),
  url: 'wss://csms.example/ocpp',
  ocpp: '2.0.1',
  role: 'authority',
  securityProfile: 2,
  identity: 'SITE-1',
  present: 'site',
  resetScope: 'gateway',
  sendMinusOne: true,
  ...over,
});

export const site = (evses: readonly Evse[]): Site => ({
  id: 'SITE-1',
  name: 'Test site',
  timeZone: 'Europe/Amsterdam',
  nominalVoltage: volt(230),
  circuits: [],
  meters: [],
  stations: evses.map((each) => ({
    id: each.station,
    link: { kind: 'ocpp', securityProfile: 0 },
    evses: [each],
    start: { kind: 'authorized' },
  })),
  csms: [],
  authorization: {
    offline: 'known-only',
    cacheEntries: 10,
    cacheLifetime: milliseconds(604_800_000),
    timeout: seconds(5),
    localTokens: [],
    stopOnInvalidId: true,
    listsInChargers: true,
  },
  balancing: { strategy: 'fair', rotation: milliseconds(900_000) },
  listen: {},
  telemetry: {},
  dataDirectory: '/nowhere',
  journal: { sizeLimit: 1e9, keepBills: milliseconds(34_560_000_000) },
});

export class FakeLive implements LiveSite {
  readonly #connectors = new Map<string, LiveConnector>();
  readonly evses = new Map<EvseNumber, LiveEvse>();
  readonly stations = new Map<string, LiveStation>();

  set(number: number, over: Partial<LiveConnector> = {}, connector = 1): void {
    const key = `${number}/${connector}`;
    const base: LiveConnector = this.#connectors.get(key) ?? {
      evse: evseNumber(number),
      connector,
      status: 'Available',
      reported: 'Available',
      chargingState: 'Idle',
      transaction: 'none',
      at: timestamp(0),
    };
    this.#connectors.set(key, { ...base, ...over });
  }
  station(id: string): LiveStation | undefined {
    return this.stations.get(id);
  }
  connector(number: EvseNumber, connector: number): LiveConnector | undefined {
    return this.#connectors.get(`${number}/${connector}`);
  }
  evse(number: EvseNumber): LiveEvse | undefined {
    return this.evses.get(number);
  }
  connectors(): Iterable<LiveConnector> {
    return this.#connectors.values();
  }
}

/** Says yes to everything and remembers what it was asked: `name` and the arguments after the CSMS. */
export class FakeOperations implements Operations {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly site = new Map<string, string>();
  readonly transactions = new Map<TransactionUid, Transaction>();
  profiles: ReturnType<Operations['chargingProfiles']> = [];

  #say<Status extends string>(name: string, status: Status, ...args: unknown[]): Promise<{ status: Status }> {
    this.calls.push({ name, args });
    return Promise.resolve({ status });
  }
  names = (): string[] => this.calls.map(({ name }) => name);
  requestStart: Operations['requestStart'] = (_, request) => this.#say('requestStart', 'Accepted', request);
  requestStop: Operations['requestStop'] = (_, uid) => this.#say('requestStop', 'Accepted', uid);
  unlock: Operations['unlock'] = (_, target) => this.#say('unlock', 'Unlocked', target);
  changeAvailability: Operations['changeAvailability'] = (_, evses, target, operative) =>
    this.#say('changeAvailability', 'Accepted', evses, target, operative);
  reset: Operations['reset'] = (_, evses, kind, whenIdle) => this.#say('reset', 'Accepted', evses, kind, whenIdle);
  reserve: Operations['reserve'] = (_, request) => this.#say('reserve', 'Accepted', request);
  cancelReservation: Operations['cancelReservation'] = (_, id) => this.#say('cancelReservation', 'Accepted', id);
  sendLocalList: Operations['sendLocalList'] = (_, version, update, entries) =>
    this.#say('sendLocalList', 'Accepted', version, update, entries);
  localListVersion: Operations['localListVersion'] = () => 7;
  localListEntries: Operations['localListEntries'] = () => 12;
  clearCache: Operations['clearCache'] = () => this.#say('clearCache', 'Accepted');
  setChargingProfile: Operations['setChargingProfile'] = (_, evses, number, profile) =>
    this.#say('setChargingProfile', 'Accepted', evses, number, profile);
  clearChargingProfiles: Operations['clearChargingProfiles'] = (_, criteria) =>
    this.#say('clearChargingProfiles', 'Accepted', criteria);
  chargingProfiles: Operations['chargingProfiles'] = () => this.profiles;
  compositeSchedule: Operations['compositeSchedule'] = (_id, _evses, _evse, duration, unit) => ({
    start: timestamp(0),
    schedule: { duration, unit, periods: [{ startPeriod: 0, limit: 16 }] },
  });
  dataTransfer: Operations['dataTransfer'] = (_, number, vendorId, messageId, data) =>
    this.#say('dataTransfer', 'Accepted', number, vendorId, messageId, data);
  setSiteVariable: Operations['setSiteVariable'] = (component, variable, instance, value) => {
    this.site.set(`${component}.${variable}`, value);
    return this.#say('setSiteVariable', 'Accepted', component, variable, instance, value);
  };
  siteVariable: Operations['siteVariable'] = (component, variable) => this.site.get(`${component}.${variable}`);
  transactionJudged: Operations['transactionJudged'] = (_, uid, idToken, info) => {
    this.calls.push({ name: 'transactionJudged', args: [uid, info, idToken] });
  };
  transaction: Operations['transaction'] = (uid) => this.transactions.get(uid);
  openTransactions: Operations['openTransactions'] = () =>
    [...this.transactions.values()].filter((each) => each.endedAt === undefined);
}

/**
 * The connection and the CSMS behind it. Answers as an adapter of its version would: 2.0.1 counts seqNo in the projection
 * state, 1.6 issues an id on the start.
 */
export class FakeLink implements CsmsLink {
  connected = false;
  accepted = false;
  readonly sent: CsmsMessage[] = [];
  readonly reboots: BootReason[] = [];
  /** Decides how the CSMS takes a message; undefined: it answers. `silent`: it never does. */
  behave: (message: CsmsMessage, nth: number) => DeliveryOutcome | 'silent' | undefined = () => undefined;
  #nextId = 100;
  readonly #open = new Set<(outcome: DeliveryOutcome) => void>();
  readonly #version: Csms['ocpp'];

  constructor(version: Csms['ocpp']) {
    this.#version = version;
  }

  start(): void {
    this.connected = true;
    this.accepted = true;
  }
  stop(): Promise<void> {
    this.cut();
    return Promise.resolve();
  }
  reboot(reason: BootReason): void {
    this.reboots.push(reason);
  }
  askTime(): Promise<void> {
    return Promise.resolve();
  }
  /** The socket is gone: what was not answered is unsent. */
  cut(): void {
    this.connected = false;
    this.accepted = false;
    for (const resolve of this.#open) resolve({ kind: 'unsent' });
    this.#open.clear();
  }

  /** What `probe` finds; counted. */
  answersProbes = true;
  probes = 0;
  probe(): Promise<boolean> {
    this.probes++;
    return Promise.resolve(this.accepted && this.answersProbes);
  }

  deliver(message: CsmsMessage): Promise<DeliveryOutcome> {
    const nth = this.sent.push(message);
    const outcome = this.behave(message, nth) ?? this.answer(message);
    if (outcome !== 'silent') return Promise.resolve(outcome);
    return new Promise((resolve) => this.#open.add(resolve));
  }

  answer(message: CsmsMessage): DeliveryOutcome {
    if (message.type !== 'transaction') return { kind: 'answered' };
    const { state, record } = message;
    if (this.#version === '2.0.1')
      return { kind: 'answered', state: { seqNo: Number(state['seqNo'] ?? -1) + 1 }, ...accept(record) };
    if (state['csmsTransactionId'] !== undefined || state['startDead'] === true) return { kind: 'answered', state };
    return { kind: 'answered', state: { csmsTransactionId: this.#nextId++ }, ...accept(record) };
  }

  transactions(): Extract<CsmsMessage, { type: 'transaction' }>[] {
    return this.sent.filter((message) => message.type === 'transaction');
  }
  /** `uid kind` of every transaction message, in the order sent. */
  told(): string[] {
    return this.transactions().map(({ record }) => `${record.uid} ${record.kind}`);
  }
  statuses(): string[] {
    return this.sent.flatMap((message) => {
      if (message.type === 'status') return [`${message.connector.slot.flat} ${message.connector.status}`];
      return message.type === 'stationStatus' ? [`0 ${message.status}`] : [];
    });
  }
}

const accept = (record: TransactionRecord): { idTokenInfo?: { status: 'Accepted' } } =>
  record.kind === 'started' ? { idTokenInfo: { status: 'Accepted' } } : {};

export class MemoryLog implements Log {
  readonly lines: (LogFields & { readonly level: string; readonly message: string })[] = [];
  debug = (fields: LogFields, message: string): void => void this.lines.push({ ...fields, level: 'debug', message });
  info = (fields: LogFields, message: string): void => void this.lines.push({ ...fields, level: 'info', message });
  warn = (fields: LogFields, message: string): void => void this.lines.push({ ...fields, level: 'warn', message });
  error = (fields: LogFields, message: string): void => void this.lines.push({ ...fields, level: 'error', message });
}

export const meterValue = (at: number, wh: number, context?: ReadingContext): MeterValue => ({
  at: timestamp(at),
  sampled: [
    { value: wh, measurand: 'Energy.Active.Import.Register', ...(context === undefined ? {} : { context }) },
    { value: 231, measurand: 'Voltage', phase: 'L1', ...(context === undefined ? {} : { context }) },
  ],
});

export function record(
  uid: string,
  n: number,
  kind: TransactionRecord['kind'],
  over: Partial<TransactionRecord> = {},
): TransactionRecord {
  return {
    type: 'transaction',
    uid: transactionUid(uid),
    n,
    kind,
    station: stationId('CP1'),
    evse: evseNumber(1),
    connector: 1,
    at: timestamp(1_000_000 + n * 1000),
    trigger: kind === 'started' ? 'Authorized' : kind === 'ended' ? 'StopAuthorized' : 'ChargingStateChanged',
    chargingState: 'Charging',
    meterValues: [],
    offline: false,
    ...(kind === 'started' ? { idToken: { idToken: 'ABCD1234', type: 'ISO14443' as const } } : {}),
    ...over,
  };
}

export function transaction(uid: string, over: Partial<Transaction> = {}): Transaction {
  return {
    uid: transactionUid(uid),
    station: stationId('CP1'),
    evse: evseNumber(1),
    connector: 1,
    stationTransactionId: stationTransactionId('1'),
    basis: 'csms',
    startedAt: timestamp(0),
    register: wattHour(100),
    chargingState: 'Charging',
    seen: [],
    ...over,
  };
}

export interface Scene {
  readonly view: View;
  readonly link: FakeLink;
  readonly journal: MemoryJournal;
  readonly clock: FakeClock;
  readonly live: FakeLive;
  readonly operations: FakeOperations;
  readonly log: MemoryLog;
  readonly csms: Csms;
  /** Commits records as the gateway does and tells the view. */
  happens(...records: TransactionRecord[]): Promise<void>;
  /** The link comes up; `booted` as from BootNotification. */
  up(booted?: boolean): Promise<void>;
  down(): Promise<void>;
}

export async function scene(
  over: Partial<Pick<Scene, 'journal' | 'clock' | 'live' | 'operations'>> & {
    csms?: Partial<Csms>;
    evses?: readonly Evse[];
  } = {},
): Promise<Scene> {
  const { journal = new MemoryJournal(), clock = new FakeClock(), operations = new FakeOperations() } = over;
  const evses = over.evses ?? [evse(1), evse(2), evse(3)];
  const live = over.live ?? new FakeLive();
  if (over.live === undefined)
    for (const each of evses) for (const { number } of each.connectors) live.set(each.number, {}, number);
  const log = new MemoryLog();
  const whose = csms(over.csms);
  const view = await View.open({
    csms: whose,
    site: site(evses),
    live,
    journal,
    operations,
    time: { heardFrom: () => 'taken' },
    clock,
    log,
    firmwareVersion: '1.0.0',
  });
  const link = new FakeLink(whose.ocpp);
  view.attach(link);
  return {
    view,
    link,
    journal,
    clock,
    live,
    operations,
    log,
    csms: whose,
    async happens(...records) {
      for (const each of records) await journal.commit({ records: [each] });
      view.journalAdvanced();
      await clock.settle(20);
    },
    async up(booted = true) {
      link.start();
      view.linkUp(booted);
      await clock.settle(40);
    },
    async down() {
      link.cut();
      view.linkDown('cut');
      await clock.settle();
    },
  };
}
