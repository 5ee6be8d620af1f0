// What the site knows of the time, kept on disk: takes a box without a clock battery over its restarts, and sets right what it stamped.
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import { journalSeq, type CsmsId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { milliseconds, seconds, timestamp, toRfc3339, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { Machine } from '../ports/machine.js';
import type { SiteTimeSource } from '../ports/site-time.js';
import type { StationEvent } from '../site/station-event.js';
import { shiftedEvent, type TimeShift } from '../site/time-shift.js';
import type { Tariff } from '../site/topology.js';
import type { JournalRecord } from '../site/transaction.js';
import { EraJournal } from './era-journal.js';
import { begin, end, follow, overBoot, parseEras, upTo, type Eras } from './eras.js';
import { isSameBoot, SiteClock, type Reckoning, type Standing, type Step } from './site-clock.js';
import { StationTimes } from './station-times.js';

const COLLECTION = 'time';
/** Reading the journal for its latest time is done in pieces of this many entries. */
const CHUNK = 1000;
/** A change of the time that a CSMS is told as a security event (2.0.1 SettingSystemTime). */
const WORTH_TELLING = seconds(10);

export interface SiteTimeDependencies {
  /** The system's clock. */
  readonly clock: Clock;
  readonly journal: Journal;
  readonly machine: Machine;
  readonly tariff: () => Tariff | undefined;
  readonly log: Log;
}

/** The reckoning, and how far the journal went then. */
interface Seen extends Reckoning {
  readonly seq: number;
}

export class SiteTime implements SiteTimeSource {
  /** What everybody inside tells the time by. */
  readonly clock: SiteClock;
  /** What everybody inside reads and writes. */
  readonly journal: EraJournal;
  /** Which chargers go by a time that has turned out wrong. */
  readonly stations: StationTimes;
  readonly #log: Log;
  readonly #machine: Machine;
  readonly #shifts: TimeShift[] = [];
  #eras: Eras;
  #listener: (shift: TimeShift) => void = () => undefined;

  private constructor(
    { clock, machine, log }: SiteTimeDependencies,
    journal: EraJournal,
    eras: Eras,
    seen: Seen | undefined,
    newest: Timestamp,
  ) {
    this.#log = log;
    this.#machine = machine;
    this.#eras = eras;
    this.journal = journal;
    this.clock = new SiteClock(
      clock,
      machine,
      {
        stepped: (step) => this.#stepped(step),
        confirmed: (by) => this.#confirmed(by),
        jumped: (by, followed) => this.#jumped(by, followed),
        contradicted: (csms, by) => this.#contradicted(csms, by),
      },
      seen,
      newest,
    );
    const last = eras.past.at(-1);
    this.stations = new StationTimes(this.clock);
    if (last !== undefined) this.stations.left(last.stations, last);
    this.#resume(seen, newest);
  }

  /** @throws JournalUnavailable when what is known cannot be read */
  static async open(deps: SiteTimeDependencies): Promise<SiteTime> {
    const stored = await deps.journal.load(COLLECTION);
    const opening: { time?: SiteTime; readonly eras: Eras } = { eras: parseEras(stored.get('eras')) };
    const journal = new EraJournal({
      journal: deps.journal,
      tariff: deps.tariff,
      eras: () => opening.time?.eras ?? opening.eras,
    });
    const seen = parseSeen(stored.get('seen'));
    const newest = await newestTime(journal, seen?.seq ?? Math.max(0, journal.lastSeq - CHUNK));
    const time = (opening.time = new SiteTime(deps, journal, opening.eras, seen, newest));
    time.tend();
    return time;
  }

  get eras(): Eras {
    return this.#eras;
  }

  /** How often the time was set anew since the process began. */
  get generation(): number {
    return this.#shifts.length;
  }

  /** The one who moves what is in memory; told at once, before anything else happens. */
  onShift(listener: (shift: TimeShift) => void): void {
    this.#listener = listener;
  }

  /** An event that was stamped at `generation`, as it is to be stamped now. */
  since<E extends StationEvent>(generation: number, event: E): E {
    return generation === this.#shifts.length ? event : this.#shifts.slice(generation).reduce<E>(shiftedEvent, event);
  }

  heardFrom(csms: CsmsId, authority: boolean, at: Timestamp): 'taken' | 'doubtful' | 'not taken' {
    return this.clock.heard(csms, authority, at);
  }

  /** Once a second. */
  tend(): void {
    this.clock.tend();
    if (this.journal.owes) this.#save();
  }

  /** How the time stands now, for the next process; with each checkpoint and at the end. @throws JournalUnavailable */
  async note(): Promise<void> {
    await this.journal.commit({ documents: [this.#seen()] }, 'batch');
  }

  /** Takes up, or leaves behind, the era that was open when the last process ended. */
  #resume(seen: Seen | undefined, newest: Timestamp): void {
    const { standing } = this.clock;
    const { open } = this.#eras;
    const sameBoot = isSameBoot(seen, this.#machine);
    if (standing === 'unset')
      this.#log.warn(
        { fault: FAULTS.timeUnset.code, standing, now: toRfc3339(this.clock.now()) },
        'the time is not known: it goes on from the last one that was',
      );
    if (sameBoot && open !== undefined && !this.clock.trusted) return;
    if (open?.standing === 'unset' && standing !== 'unset') {
      const last = timestamp(Math.max(newest, seen?.at ?? 0));
      const up = this.#machine.boot === undefined ? 0 : this.clock.monotonic();
      const offset = upTo(last, this.clock.now() - up);
      this.#eras = this.clock.trusted ? end(this.#eras, offset, []) : follow(this.#eras, offset, [], false);
      this.#estimated(offset);
    } else if (open !== undefined && open.standing === standing && !open.set) this.#eras = overBoot(this.#eras);
    // Set by something in an earlier boot, or right as far as anybody knows: it stays what it was.
    else if (open !== undefined) this.#eras = end(this.#eras, milliseconds(0), []);
    if (this.#eras.open === undefined && isInDoubt(standing))
      this.#eras = begin(this.#eras, this.clock.now(), standing);
    this.#save();
  }

  #stepped({ offset, before, after, source }: Step): void {
    const { open } = this.#eras;
    const stations = this.stations.inEra();
    const now = this.clock.now();
    // Without an era what was stamped stays; but a time that is still to come cannot be one of the past.
    const shift: TimeShift = { from: open?.from ?? timestamp(now + 1), offset };
    this.#eras = isInDoubt(after) ? follow(this.#eras, offset, stations, true) : end(this.#eras, offset, stations);
    const moves = offset !== 0 && (open !== undefined || offset < 0);
    if (offset !== 0) {
      const about = { source, before, standing: after, offset, now: toRfc3339(now) };
      if (before === 'unset') this.#log.info(about, 'the time is known now');
      else this.#log.warn({ ...about, fault: FAULTS.timeSet.code }, 'the time was wrong and is set');
      if (open?.overBoots === true) this.#estimated(offset);
    }
    const told: JournalRecord = {
      type: 'security',
      event: 'SettingSystemTime',
      at: now,
      techInfo: `source=${source};offset=${Math.round(offset / 1000)}s`,
    };
    this.#save(Math.abs(offset) > WORTH_TELLING ? [told] : []);
    if (!moves) return;
    this.#shifts.push(shift);
    this.stations.left(stations, shift);
    this.#listener(shift);
  }

  #confirmed(by: 'system' | CsmsId): void {
    this.#log.debug({ source: by }, 'the time is confirmed');
    this.#eras = end(this.#eras, milliseconds(0), []);
    this.#save();
  }

  #jumped(by: Milliseconds, followed: boolean): void {
    const about = { by, fault: FAULTS.systemClockJumped.code };
    if (followed) this.#log.info(about, 'the clock of the system has jumped');
    else this.#log.warn(about, 'the clock of the system has jumped and is not believed');
  }

  #contradicted(csms: CsmsId, skew: Milliseconds): void {
    const { standing } = this.clock;
    this.#log.warn(
      { csms, skew, standing, fault: FAULTS.timeContradicted.code },
      'The clocks of the gateway and of the CSMS disagree',
    );
  }

  #estimated(offset: Milliseconds): void {
    this.#log.warn(
      { fault: FAULTS.timeEstimated.code, offset },
      'how long the box was without power is not known: times from before can only be estimated',
    );
  }

  /** Nothing that is stamped by what is known now gets on disk before it. */
  #save(records: readonly JournalRecord[] = []): void {
    this.journal.owe([{ collection: COLLECTION, key: 'eras', value: this.#eras }, this.#seen()]);
    this.journal
      .commit({ records })
      .catch((err: unknown) =>
        this.#log.error(
          { err, fault: FAULTS.journalUnavailable.code },
          'what is known of the time could not be written yet',
        ),
      );
  }

  #seen(): DocumentPut {
    const value: Seen = { ...this.clock.reckoning(), seq: this.journal.lastSeq };
    return { collection: COLLECTION, key: 'seen', value };
  }
}

const isInDoubt = (standing: Standing): standing is 'unset' | 'assumed' =>
  standing === 'unset' || standing === 'assumed';

/** The latest time of the entries after `after`. */
async function newestTime(journal: Journal, after: number): Promise<Timestamp> {
  let newest = 0;
  for (let from = journalSeq(after); ;) {
    const entries = await journal.read(from, CHUNK);
    const last = entries.at(-1);
    if (last === undefined) return timestamp(newest);
    for (const { record } of entries) newest = Math.max(newest, latestIn(record));
    from = last.seq;
  }
}

function latestIn(record: JournalRecord): number {
  if (record.type === 'meter') return Math.max(0, ...record.meterValues.map(({ at }) => at));
  return record.type === 'cdr' ? record.endedAt : record.at;
}

function parseSeen(value: unknown): Seen | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { boot, monotonic, at, standing, seq } = value as Partial<Record<keyof Seen, unknown>>;
  if (typeof monotonic !== 'number' || typeof at !== 'number' || typeof seq !== 'number') return undefined;
  if (!isStanding(standing)) return undefined;
  const since = { monotonic: milliseconds(monotonic), at: timestamp(at), standing, seq };
  return typeof boot === 'string' ? { ...since, boot } : since;
}

const isStanding = (value: unknown): value is Standing =>
  ['unset', 'assumed', 'confirmed', 'synchronised'].includes(String(value));
