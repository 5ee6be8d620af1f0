// The composite schedule of an EVSE or of all that a CSMS sees: what GetCompositeSchedule answers (OCPP 1.6 section 5.7, K08).
import type { EvseNumber } from '../kernel/ids.js';
import { timestamp, type Ampere, type Timestamp, type Volt } from '../kernel/units.js';
import type { ChargingRateUnit, ChargingSchedule, ChargingSchedulePeriod } from '../site/charging-profile.js';
import { floorToTenth, limitAt, nextChange, stationCapsAt, type TransactionContext } from './limit.js';
import type { ProfileStore } from './store.js';

/** An EVSE as the composite needs it. */
export interface CompositeEvse {
  readonly number: EvseNumber;
  /** What it gives at most per phase where no profile says less: hardware, cable and the site's own limits. */
  readonly maxCurrent: Ampere;
  /** How many phases are wired, 1 to 3. */
  readonly phases: number;
  readonly transaction?: TransactionContext;
}

export interface CompositeRequest {
  readonly start: Timestamp;
  /** Seconds, above 0. */
  readonly duration: number;
  readonly unit: ChargingRateUnit;
  readonly nominal: Volt;
}

interface Level {
  readonly current: number;
  readonly phases: number;
  readonly told: number | undefined;
}

/**
 * The composite schedule of one EVSE over [start, start + duration); relative profiles run as if charging began at `start`.
 * What caps the whole station caps it too: alone it could not draw more (OCPP 1.6 section 5.7, K08.FR.04).
 */
export function evseComposite(
  stores: readonly ProfileStore[],
  evse: CompositeEvse,
  request: CompositeRequest,
): ChargingSchedule {
  return compose(
    request,
    (at) => {
      const level = evseLevel(stores, evse, at, request);
      const caps = stationCapsAt(stores, at, request.nominal).filter((cap) => cap.evses?.includes(evse.number) ?? true);
      return { ...level, current: Math.min(level.current, ...caps.map((cap) => Number(cap.limit))) };
    },
    (after) =>
      earliest([
        nextChange(stores, undefined, undefined, after),
        nextChange(stores, evse.number, evse.transaction, after, request.start),
      ]),
  );
}

/**
 * The composite schedule of the whole view: the sum of its EVSEs, at most the lowest cap.
 * @param evses those in the view
 * @param siteCap the site's own limit per phase for them, where there is one
 */
export function stationComposite(
  stores: readonly ProfileStore[],
  evses: readonly CompositeEvse[],
  siteCap: Ampere | undefined,
  request: CompositeRequest,
): ChargingSchedule {
  const level = (at: Timestamp): Level => {
    const sum = evses.reduce((total, evse) => total + evseLevel(stores, evse, at, request).current, 0);
    const caps = stationCapsAt(stores, at, request.nominal).map((cap) => Number(cap.limit));
    return { current: Math.min(sum, siteCap ?? Infinity, ...caps), phases: 3, told: undefined };
  };
  const next = (after: Timestamp): Timestamp | undefined =>
    earliest([
      nextChange(stores, undefined, undefined, after),
      ...evses.map((evse) => nextChange(stores, evse.number, evse.transaction, after, request.start)),
    ]);
  return compose(request, level, next);
}

function earliest(times: readonly (Timestamp | undefined)[]): Timestamp | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : timestamp(Math.min(...known));
}

function evseLevel(
  stores: readonly ProfileStore[],
  evse: CompositeEvse,
  at: Timestamp,
  request: CompositeRequest,
): Level {
  const limit = limitAt(stores, evse.number, evse.transaction, at, request.nominal, request.start);
  const told = limit?.numberPhases;
  const current = Math.min(evse.maxCurrent, limit?.limit ?? Infinity);
  return { current, phases: Math.min(evse.phases, told ?? 3), told };
}

function compose(
  { start, duration, unit, nominal }: CompositeRequest,
  level: (at: Timestamp) => Level,
  next: (after: Timestamp) => Timestamp | undefined,
): ChargingSchedule {
  const end = start + duration * 1000;
  const periods: ChargingSchedulePeriod[] = [];
  for (let at: Timestamp | undefined = start; at !== undefined && at < end; at = next(at)) {
    const { current, phases, told } = level(at);
    const limit = floorToTenth(unit === 'A' ? current : current * nominal * phases);
    const numberPhases = unit === 'W' ? phases : told;
    const last = periods.at(-1);
    if (last?.limit === limit && last.numberPhases === numberPhases) continue;
    // Whole seconds, as startPeriod has them: a change inside a second counts from the second it falls into.
    const startPeriod = Math.floor((at - start) / 1000);
    const period = { startPeriod, limit, ...(numberPhases === undefined ? {} : { numberPhases }) };
    if (last?.startPeriod === startPeriod) periods.pop();
    periods.push(period);
  }
  return { duration, startSchedule: start, unit, periods };
}
