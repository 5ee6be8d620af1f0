// S32: all CSMSs are away for days while the site goes on, over the real journal on a real disk; then they come back.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openJournal } from '../../../adapters/journal-sqlite/journal.js';
import { Gateway } from '../../../gateway/gateway.js';
import { csmsId, stationTransactionId, type StationTransactionId } from '../../../gateway/kernel/ids.js';
import { milliseconds } from '../../../gateway/kernel/units.js';
import type { Journal } from '../../../gateway/ports/journal.js';
import type { StationDriver } from '../../../gateway/ports/station.js';
import type { Station } from '../../../gateway/site/topology.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { seededRandom } from '../../../simulation/random.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { knowing } from '../../fakes/fake-machine.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { csms, evse, site as siteOf } from '../../gateway/views/fixture.js';
import { SlowLink } from './slow-link.js';

export interface OutagePlan {
  readonly chargers: number;
  readonly hours: number;
  /** Transactions of each charger a day. */
  readonly perDay: number;
  /** Minutes between two samples. */
  readonly sampleEvery: number;
  /** Milliseconds, of the line to the authority; the observer answers at once. */
  readonly roundTrip: number;
}

export interface OutageResult {
  readonly transactions: number;
  readonly entries: number;
  /** On disk when the CSMSs came back. */
  readonly bytes: number;
  readonly authority: Drained;
  readonly observer: Drained;
  /** Milliseconds of simulated time that each Authorize took while the queue was being sent. */
  readonly authorized: readonly number[];
  /** Milliseconds of real time by which the event loop was late while the queues were being sent. */
  readonly late: { readonly p99: number; readonly max: number };
  /** Bytes of live objects before the CSMSs came back, and the most after that. */
  readonly heap: { readonly before: number; readonly most: number };
  /** What is wrong; empty where everybody was told everything once and in order. */
  readonly faults: readonly string[];
}

export interface Drained {
  readonly messages: number;
  /** Seconds of the CSMS's own time: simulated for the slow line, real for the one that answers at once. */
  readonly took: number;
}

interface Truth {
  readonly startedAt: number;
  readonly meterStart: number;
  readonly endedAt: number;
  readonly meterStop: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MINUTE = 60_000;
/** Bytes: enough for everything, so that nothing is shed. */
const ROOM = 1e9;
/** Share of its time that an EVSE is charging. */
const BUSY = 0.6;

/** Round trips between two looks at the heap. */
const LOOK_EVERY = 100;

/** Bytes of what is in use: how much garbage lies about is a question of the machine's load. */
function liveHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A charger that tells what happens and obeys without a word. */
class QuietCharger implements StationDriver {
  transaction: StationTransactionId | undefined;
  begun: { readonly startedAt: number; readonly meterStart: number } | undefined;
  register = 1000;

  constructor(readonly station: Station) {}

  execute(): Promise<{ readonly status: 'Accepted' }> {
    return Promise.resolve({ status: 'Accepted' });
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Knows when the disk has nothing to do, so that simulated time does not run ahead of it. */
class WatchedJournal implements Journal {
  pending = 0;
  constructor(readonly real: Journal) {}

  get lastSeq() {
    return this.real.lastSeq;
  }
  get status() {
    return this.real.status;
  }
  commit: Journal['commit'] = (...args) => this.#counted(this.real.commit(...args));
  read: Journal['read'] = (...args) => this.#counted(this.real.read(...args));
  load: Journal['load'] = (...args) => this.#counted(this.real.load(...args));
  newest: Journal['newest'] = (...args) => this.#counted(this.real.newest(...args));
  trim: Journal['trim'] = (...args) => this.#counted(this.real.trim(...args));
  amend: Journal['amend'] = (...args) => this.#counted(this.real.amend(...args));
  expire: Journal['expire'] = (...args) => this.#counted(this.real.expire(...args));
  onCommitted: Journal['onCommitted'] = (listener) => this.real.onCommitted(listener);
  onHealth: Journal['onHealth'] = (listener) => this.real.onHealth(listener);
  close = (): Promise<void> => this.real.close();

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.pending++;
    try {
      return await work;
    } finally {
      this.pending--;
    }
  }
}

class Outage {
  readonly clock = new FakeClock();
  readonly truths: Truth[] = [];
  readonly chargers: readonly QuietCharger[];
  readonly authority: SlowLink;
  readonly observer: SlowLink;
  readonly #random = seededRandom(32);

  private constructor(
    readonly plan: OutagePlan,
    readonly folder: string,
    readonly journal: WatchedJournal,
  ) {
    this.authority = new SlowLink('2.0.1', this.clock, plan.roundTrip);
    this.observer = new SlowLink('1.6', this.clock, 0);
    const evses = Array.from({ length: plan.chargers }, (_, index) => evse(index + 1));
    this.chargers = siteOf(evses).stations.map((station) => new QuietCharger(station));
  }

  static async open(plan: OutagePlan): Promise<{ readonly outage: Outage; readonly gateway: Gateway }> {
    const folder = mkdtempSync(join(tmpdir(), 'forecourt-outage-'));
    // Its own timers are those of the disk: they must not wait for the simulated clock.
    const journal = new WatchedJournal(await openJournal(folder, ROOM, systemClock, recordingLog()));
    const outage = new Outage(plan, folder, journal);
    const plain = siteOf(outage.chargers.flatMap(({ station }) => station.evses));
    const bytes = new Uint8Array(10);
    let drawn = 0;
    const gateway = await Gateway.open({
      site: {
        ...plain,
        csms: [csms({ ocpp: '2.0.1' }), csms({ id: csmsId('landlord'), ocpp: '1.6', role: 'observer' })],
        authorization: { ...plain.authorization, offline: 'accept-unknown' },
      },
      journal,
      drivers: new Map(outage.chargers.map((charger) => [charger.station.id, charger])),
      clock: outage.clock,
      machine: knowing(outage.clock),
      log: recordingLog(),
      randomBytes: () => {
        new DataView(bytes.buffer).setUint32(0, ++drawn);
        return bytes.slice();
      },
      firmwareVersion: '0.0.0',
    });
    gateway.views[0]?.attach(outage.authority);
    gateway.views[1]?.attach(outage.observer);
    gateway.start();
    return { outage, gateway };
  }

  /** The site goes on by itself. */
  async goOn(gateway: Gateway): Promise<void> {
    const { plan, chargers, clock } = this;
    const { stations } = gateway;
    for (const { station } of chargers) {
      await stations.report({
        type: 'connected',
        station: station.id,
        capabilities: {
          protocol: 'ocpp1.6',
          currentLimit: true,
          fallback: true,
          reservation: false,
          remoteStart: true,
          unlock: true,
          localList: false,
          phaseSwitching: false,
          trigger: true,
          reader: true,
        },
      });
      await stations.report({
        type: 'status',
        station: station.id,
        evse: evse(Number(station.id.slice(2))).number,
        connector: 1,
        status: 'Available',
        at: clock.now(),
      });
    }
    const slot = (24 * 60) / plan.perDay;
    const minutes = plan.hours * 60;
    for (let minute = 0; minute <= minutes; minute += plan.sampleEvery) {
      await Promise.all(
        chargers.map(async (charger, index) => {
          const into = (minute + index * 7) % slot;
          if (charger.transaction === undefined && into < slot * BUSY && minute < minutes - slot)
            return this.#start(gateway, charger);
          if (charger.transaction !== undefined && (into >= slot * BUSY || minute >= minutes))
            return this.#end(gateway, charger);
          if (charger.transaction !== undefined) return this.#sample(gateway, charger);
          return undefined;
        }),
      );
      await clock.leap(plan.sampleEvery * MINUTE);
    }
  }

  #event(charger: QuietCharger, context: 'Transaction.Begin' | 'Transaction.End' | 'Sample.Periodic') {
    const phases = ['L1', 'L2', 'L3'] as const;
    const at = this.clock.now();
    const { station } = charger;
    return {
      type: 'transaction' as const,
      station: station.id,
      evse: evse(Number(station.id.slice(2))).number,
      connector: 1,
      at,
      offline: false,
      meterValues: [
        {
          at,
          sampled: [
            { value: charger.register, measurand: 'Energy.Active.Import.Register' as const, context },
            ...phases.map((phase) => ({ value: 6, measurand: 'Current.Import' as const, phase, context })),
          ],
        },
      ],
    };
  }

  async #start(gateway: Gateway, charger: QuietCharger): Promise<void> {
    charger.begun = { startedAt: this.clock.now(), meterStart: charger.register };
    const answer = await gateway.stations.report({
      ...this.#event(charger, 'Transaction.Begin'),
      kind: 'started',
      trigger: 'Authorized',
      chargingState: 'Charging',
      idToken: { idToken: `DRIVER-${this.truths.length}-${charger.station.id}`, type: 'ISO14443' },
    });
    charger.transaction = answer.stationTransactionId;
  }

  async #sample(gateway: Gateway, charger: QuietCharger): Promise<void> {
    charger.register += Math.ceil(this.#random.between(10, 180));
    await gateway.stations.report({
      ...this.#event(charger, 'Sample.Periodic'),
      kind: 'updated',
      stationTransactionId: charger.transaction ?? stationTransactionId('-1'),
      trigger: 'MeterValuePeriodic',
    });
  }

  async #end(gateway: Gateway, charger: QuietCharger): Promise<void> {
    const { begun, transaction } = charger;
    if (begun === undefined || transaction === undefined) return;
    charger.register += 7;
    charger.transaction = undefined;
    this.truths.push({ ...begun, endedAt: this.clock.now(), meterStop: charger.register });
    await gateway.stations.report({
      ...this.#event(charger, 'Transaction.End'),
      kind: 'ended',
      stationTransactionId: transaction,
      trigger: 'StopAuthorized',
      stoppedReason: 'Local',
    });
  }

  /** Simulated time stands still while the disk, or the CSMS that answers at once, is at work. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 3; turns++) {
      if (this.journal.pending > 0) turns = 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Both CSMSs are back; resolves when they have been told everything. */
  async drain(
    gateway: Gateway,
  ): Promise<Pick<OutageResult, 'authority' | 'observer' | 'authorized' | 'late' | 'heap'>> {
    const { authority, observer, clock, truths, plan } = this;
    const before = liveHeap();
    let most = before;
    let looks = 0;
    const authorized: number[] = [];
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const since = { simulated: clock.monotonic(), real: performance.now() };
    const ended = { simulated: 0, real: 0 };
    delay.enable();
    for (const link of [authority, observer]) link.start();
    for (const view of gateway.views) view.linkUp(true);
    let questions = 0;
    let next = this.#random.between(0, 60_000);
    while (ended.simulated === 0 || ended.real === 0) {
      await this.quiet();
      if (ended.real === 0 && observer.ended >= truths.length) ended.real = performance.now();
      if (ended.simulated === 0 && authority.ended >= truths.length) ended.simulated = clock.monotonic();
      if (++looks % LOOK_EVERY === 0) {
        delay.disable();
        most = Math.max(most, liveHeap());
        delay.enable();
      }
      if (clock.monotonic() - since.simulated >= next && ended.simulated === 0) {
        next += this.#random.between(1000, 60_000);
        const asked = clock.monotonic();
        const number = ++questions % plan.chargers;
        const station = this.chargers[number]?.station.id;
        if (station === undefined) throw new Error('there is no such charger');
        void gateway.stations
          .report({ type: 'authorize', station, idToken: { idToken: `NEW-${questions}`, type: 'ISO14443' } })
          .then(
            ({ status }) => authorized.push(status === 'Accepted' ? clock.monotonic() - asked : Infinity),
            () => authorized.push(Infinity),
          );
      }
      await clock.advance(plan.roundTrip);
    }
    delay.disable();
    const late = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    return {
      authority: { messages: authority.messages, took: (ended.simulated - since.simulated) / 1000 },
      observer: { messages: observer.messages, took: (ended.real - since.real) / 1000 },
      authorized,
      late,
      heap: { before, most },
    };
  }

  /** What either CSMS was told, against what the chargers did. */
  *wrong(): Iterable<string> {
    const { truths } = this;
    const key = (of: Pick<Truth, 'startedAt' | 'meterStart' | 'endedAt' | 'meterStop'>): string =>
      [of.startedAt, of.meterStart, of.endedAt, of.meterStop].join(' ');
    const expected = truths.map(key).toSorted();
    for (const link of [this.authority, this.observer]) {
      const name = `CSMS of version ${link.version}`;
      for (const fault of link.faults.slice(0, 10)) yield `${name}: ${fault}`;
      const told = [...link.heard.values()].map((heard) => key(heard as Truth)).toSorted();
      if (told.length !== expected.length) yield `${name}: ${told.length} transactions instead of ${expected.length}`;
      const odd = told.find((each, index) => each !== expected[index]);
      if (odd !== undefined) yield `${name}: ${odd} is nothing that happened`;
      for (const [uid, { seqNos, records }] of link.heard) {
        if (seqNos.some((seqNo, index) => seqNo !== index)) yield `${name}: ${uid} has the seqNos ${seqNos.join(' ')}`;
        if (records.some((n, index) => n !== index)) yield `${name}: ${uid} has the records ${records.join(' ')}`;
      }
      const times = link.starts.map((uid) => link.heard.get(uid)?.startedAt ?? 0);
      if (times.some((time, index) => time < (times[index - 1] ?? 0))) yield `${name}: not in the order of time`;
    }
  }
}

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

export async function playOutage(plan: OutagePlan): Promise<OutageResult> {
  const { outage, gateway } = await Outage.open(plan);
  try {
    await outage.goOn(gateway);
    await outage.quiet();
    const entries = outage.journal.lastSeq;
    const bytes = bytesIn(outage.folder);
    const drained = await outage.drain(gateway);
    await gateway.stop();
    return { transactions: outage.truths.length, entries, bytes, ...drained, faults: [...outage.wrong()] };
  } finally {
    await outage.journal.close();
    rmSync(outage.folder, { recursive: true, force: true });
  }
}

export const SMALL: OutagePlan = { chargers: 5, hours: 72, perDay: 20, sampleEvery: 15, roundTrip: milliseconds(60) };
