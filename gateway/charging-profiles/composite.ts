// The composite schedule of an EVSE or of all that a CSMS sees: what GetCompositeSchedule answers (OCPP 1.6 section 5.7, K08).
import { timestamp, type Ampere, type Timestamp, type Volt } from '../kernel/units.js';
import {
  PROFILE_LIMITS,
  type ChargingRateUnit,
  type ChargingSchedule,
  type ChargingSchedulePeriod,
} from '../site/charging-profile.js';
import { numberOfPhases, PHASES, perPhase, wattsPerAmpere, type PerPhase, type Phase } from '../site/topology.js';
import {
  floorToTenth,
  limitAt,
  nextChange,
  stationCapsAt,
  type LimitedEvse,
  type TransactionContext,
} from './limit.js';
import type { ProfileStore } from './store.js';

/** An EVSE as the composite needs it. */
export interface CompositeEvse extends LimitedEvse {
  /** What it gives at most per phase where no profile says less: hardware, cable and the site's own limits. */
  readonly maxCurrent: Ampere;
  /** Entry i is the grid phase on its own conductor L(i+1). */
  readonly phases: readonly Phase[];
  readonly transaction?: TransactionContext;
}

export interface CompositeRequest {
  readonly start: Timestamp;
  /** Seconds, above 0. */
  readonly duration: number;
  readonly unit: ChargingRateUnit;
  readonly nominal: Volt;
}

/** Per phase in A, and all phases together in W. */
interface Level {
  readonly current: number;
  readonly power: number;
  readonly numberPhases?: number;
}

/** Moments at which profiles change that one answer looks at: what lies behind is not worth a standstill of the site. */
const MOST_CHANGES = 20_000;

/**
 * The composite schedule of one EVSE over [start, start + duration); relative profiles run as if charging began at `start`.
 * What caps the whole station caps it too: alone it could not draw more (OCPP 1.6 section 5.7, K08.FR.04). The answer is
 * shorter than asked for where the whole would have more periods than a schedule can.
 */
export function evseComposite(
  stores: readonly ProfileStore[],
  evse: CompositeEvse,
  request: CompositeRequest,
): ChargingSchedule {
  const { unit, nominal, start } = request;
  const level = (at: Timestamp): Level => {
    const limit = limitAt(stores, evse, evse.transaction, at, nominal, start);
    const caps = stationCapsAt(stores, at, nominal).filter((cap) => cap.evses?.includes(evse.number) ?? true);
    const current = Math.min(evse.maxCurrent, limit?.limit ?? Infinity, ...caps.map((cap) => Number(cap.limit)));
    const phases = Math.min(numberOfPhases(evse), limit?.numberPhases ?? 3);
    const told = unit === 'W' ? phases : limit?.numberPhases;
    const power = current * wattsPerAmpere(evse, nominal, phases);
    return { current, power, ...(told === undefined ? {} : { numberPhases: told }) };
  };
  const next = (after: Timestamp): Timestamp | undefined =>
    earliest([
      nextChange(stores, undefined, undefined, after),
      nextChange(stores, evse.number, evse.transaction, after, start),
    ]);
  return compose(request, level, next, MOST_CHANGES);
}

/**
 * The composite schedule of the whole view: what its EVSEs may take together on the fullest phase, at most the lowest cap.
 * @param evses those in the view
 * @param siteCap the site's own limit per phase for them, where there is one
 */
export function stationComposite(
  stores: readonly ProfileStore[],
  evses: readonly CompositeEvse[],
  siteCap: Ampere | undefined,
  request: CompositeRequest,
): ChargingSchedule {
  const { nominal, start } = request;
  const level = (at: Timestamp): Level => {
    const sums = perPhase((): Phasor => ({ active: 0, reactive: 0 }));
    for (const evse of evses) {
      const limit = limitAt(stores, evse, evse.transaction, at, nominal, start);
      addTo(sums, evse, Math.min(evse.maxCurrent, limit?.limit ?? Infinity), limit?.numberPhases);
    }
    const caps = stationCapsAt(stores, at, nominal).map((cap) => Number(cap.limit));
    const most = Math.min(siteCap ?? Infinity, ...caps);
    const on = PHASES.map((phase) => sums[phase]);
    return {
      current: Math.min(most, Math.max(...on.map(({ active, reactive }) => Math.hypot(active, reactive)))),
      power: on.reduce((power, { active }) => power + Math.min(active, most) * nominal, 0),
    };
  };
  const next = (after: Timestamp): Timestamp | undefined =>
    earliest([
      nextChange(stores, undefined, undefined, after),
      ...evses.map((evse) => nextChange(stores, evse.number, evse.transaction, after, start)),
    ]);
  return compose(request, level, next, Math.max(100, MOST_CHANGES / Math.max(1, evses.length)));
}

/** Current on a conductor against the voltage of its phase, in A. */
interface Phasor {
  active: number;
  reactive: number;
}

/** What flows between two phases is 30 degrees ahead of the voltage of the first and 30 behind that of the second. */
function addTo(sums: PerPhase<Phasor>, { phases, lineToLine }: CompositeEvse, current: number, numberPhases = 3): void {
  if (lineToLine !== true) {
    for (const phase of phases.slice(0, numberPhases)) sums[phase].active += current;
    return;
  }
  for (const phase of phases) {
    const ahead = phases.includes(NEXT[phase]);
    sums[phase].active += (current * Math.sqrt(3)) / 2;
    sums[phase].reactive += ahead ? current / 2 : -current / 2;
  }
}

const NEXT: Readonly<Record<Phase, Phase>> = { L1: 'L2', L2: 'L3', L3: 'L1' };

function earliest(times: readonly (Timestamp | undefined)[]): Timestamp | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : timestamp(Math.min(...known));
}

function compose(
  { start, duration, unit }: CompositeRequest,
  level: (at: Timestamp) => Level,
  next: (after: Timestamp) => Timestamp | undefined,
  mostChanges: number,
): ChargingSchedule {
  const end = start + duration * 1000;
  const periods: ChargingSchedulePeriod[] = [];
  let changes = 0;
  for (let at: Timestamp | undefined = start; at !== undefined && at < end; at = next(at)) {
    const { current, power, numberPhases } = level(at);
    const limit = floorToTenth(unit === 'A' ? current : power);
    const last = periods.at(-1);
    // Whole seconds, as startPeriod has them: a change inside a second counts from the second it falls into.
    const startPeriod = Math.floor((at - start) / 1000);
    if (++changes > mostChanges) return { duration: Math.max(1, startPeriod), startSchedule: start, unit, periods };
    if (last?.limit === limit && last.numberPhases === numberPhases) continue;
    if (last?.startPeriod === startPeriod) periods.pop();
    else if (periods.length === PROFILE_LIMITS.periods)
      return { duration: startPeriod, startSchedule: start, unit, periods };
    const before = periods.at(-1);
    if (before?.limit === limit && before.numberPhases === numberPhases) continue;
    periods.push({ startPeriod, limit, ...(numberPhases === undefined ? {} : { numberPhases }) });
  }
  return { duration, startSchedule: start, unit, periods };
}
