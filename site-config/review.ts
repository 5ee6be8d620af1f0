// The electrical review: a site that reads well may still be wired or protected badly.
import { fullLoad } from '../gateway/balancing/full-load.js';
import { PHASES, type Circuit, type Csms, type Evse, type Phase, type Site } from '../gateway/site/topology.js';
import type { Silence } from './devices/shelf.js';
import { errorAtKey, errorAtValue, warningAtKey, warningAtValue, type Fault } from './fault.js';
import type { Path } from './place.js';
import { reviewWiring, type PhaseSwitchOf } from './wiring-review.js';

/** What the review has to know that the model of a site does not carry. */
export interface ReviewContext {
  /** What a charger does when nobody talks to it any more; undefined for what is no charger. */
  readonly whenSilent: (device: string) => Silence | undefined;
  /** What about a device is known from one source or none. */
  readonly unverified: (device: string) => readonly string[];
  readonly phaseSwitch: PhaseSwitchOf;
  /** How many phases a meter can measure; undefined for what is no meter. */
  readonly meterPhases: (device: string) => 1 | 2 | 3 | undefined;
  /** Circuits whose owner accepts that fallback currents exceed the breaker. */
  readonly acceptedFallbackOverloads: ReadonlySet<string>;
}

/** Everything that an experienced electrician would ask about, in no order. */
export const review = (site: Site, context: ReviewContext): readonly Fault[] => [
  ...site.circuits.flatMap((circuit) => reviewCircuit(site, circuit, context)),
  ...site.stations.flatMap((station) => station.evses).flatMap((evse) => reviewEvse(site, evse)),
  ...reviewWiring(site, context.phaseSwitch),
  ...reviewMeters(site),
  ...site.circuits.flatMap((circuit) => reviewMeteredPhases(site, circuit, context)),
  ...reviewRotation(site),
  ...reviewWatchdogs(site, context),
  ...reviewFacts(site, context),
  ...reviewAuthorities(site),
  ...reviewGridOperatorLimit(site),
];

const allEvses = (site: Site): readonly Evse[] => site.stations.flatMap((station) => station.evses);

/** Every EVSE whose current flows through `circuit`. */
function evsesBelow(site: Site, circuit: Circuit): readonly Evse[] {
  const below = new Set([circuit.id]);
  // Feeders stand before what they feed.
  for (const { id, fedBy } of site.circuits) if (fedBy !== undefined && below.has(fedBy)) below.add(id);
  return allEvses(site).filter((evse) => below.has(evse.circuit));
}

/** The greatest current on any phase of the circuit where each EVSE takes what `of` says. */
function worstPhase(
  site: Site,
  circuit: Circuit,
  of: (evse: Evse) => number,
): { readonly phase: Phase; readonly sum: number } {
  const flow = fullLoad(site, of)[site.circuits.indexOf(circuit)] ?? [0, 0, 0];
  const sums = PHASES.map((phase, index) => ({ phase, sum: flow[index] ?? 0 }));
  return sums.reduce((worst, each) => (each.sum > worst.sum + ROUNDING ? each : worst), { phase: 'L1', sum: 0 });
}

function reviewCircuit(site: Site, circuit: Circuit, context: ReviewContext): readonly Fault[] {
  const path: Path = ['circuits', circuit.id];
  const faults: Fault[] = [];
  const feeder = site.circuits.find(({ id }) => id === circuit.fedBy);
  if (feeder !== undefined && circuit.breaker > feeder.breaker * ratioBetween(feeder, circuit, site)) {
    faults.push(
      warningAtValue(
        'branch-bigger-than-feeder',
        [...path, 'breaker'],
        `circuit ${circuit.id} has ${circuit.breaker} A and is fed by ${feeder.id} with ${feeder.breaker} A`,
        'check both ratings on the wiring plan',
      ),
    );
  }
  const evses = evsesBelow(site, circuit);
  const fallback = worstPhase(site, circuit, (evse) =>
    evse.silentAtFullPower === true ? evse.maxCurrent : evse.fallbackCurrent,
  );
  if (fallback.sum > circuit.breaker + ROUNDING) {
    const ofOneAmpere = worstPhase(site, circuit, () => 1).sum;
    const fair = Math.floor((circuit.breaker / ofOneAmpere) * 10 + ROUNDING) / 10;
    const message = `without the gateway the EVSEs of circuit ${circuit.id} may take ${rounded(fallback.sum)} A on ${fallback.phase}; its breaker has ${circuit.breaker} A`;
    // Below 6 A no car charges (IEC 61851-1), so that nothing is a fairer offer.
    const lower = evses.some(({ silentAtFullPower }) => silentAtFullPower === true)
      ? 'lower in the chargers that nothing limits without the gateway, and in their max-current, what they take'
      : `lower the fallback-current of its EVSEs to ${fair >= 6 ? fair : 0} A`;
    const instead = `${lower}, or write accept-fallback-overload: true`;
    faults.push(
      (context.acceptedFallbackOverloads.has(circuit.id) ? warningAtValue : errorAtValue)(
        'fallback-exceeds-breaker',
        [...path, 'breaker'],
        message,
        instead,
      ),
    );
  }
  if (circuit.whenMeterLost !== undefined && circuit.whenMeterLost > circuit.breaker) {
    faults.push(
      errorAtValue(
        'meter-lost-exceeds-breaker',
        [...path, 'when-meter-lost'],
        `circuit ${circuit.id}: ${circuit.whenMeterLost} A without its meter is more than its breaker of ${circuit.breaker} A`,
        `write at most ${circuit.breaker} A, less what else the circuit feeds`,
      ),
    );
  }
  if (circuit.meter !== undefined && circuit.whenMeterLost === undefined) {
    faults.push(
      warningAtKey(
        'no-meter-lost-current',
        [...path, 'meter'],
        `circuit ${circuit.id} has a meter and no when-meter-lost: its EVSEs have their fallback currents when the meter is lost`,
        'write when-meter-lost: and what is certainly free beside the building, or 0 A',
      ),
    );
  }
  if (evses.length === 0)
    faults.push(
      warningAtKey(
        'circuit-unused',
        path,
        `circuit ${circuit.id} feeds no EVSE`,
        'leave it out, or name it at its stations',
      ),
    );
  return faults;
}

function reviewEvse(site: Site, evse: Evse): readonly Fault[] {
  const path: Path = ['stations', evse.station, 'evses', evse.stationEvse - 1];
  const faults: Fault[] = [];
  const name = `EVSE ${evse.number}`;
  const breaker = site.circuits.find(({ id }) => id === evse.circuit)?.breaker ?? Infinity;
  if (evse.maxCurrent > breaker) {
    faults.push(
      warningAtValue(
        'evse-above-breaker',
        [...path, 'max-current'],
        `${name} can take ${evse.maxCurrent} A; the breaker of circuit ${evse.circuit} has ${breaker} A`,
        `check the circuit, or set the charger itself to ${breaker} A`,
      ),
    );
  }
  if (evse.minCurrent > evse.maxCurrent) {
    faults.push(
      errorAtKey(
        'current-order',
        [...path, 'min-current'],
        `${name}: min-current ${evse.minCurrent} A is above max-current ${evse.maxCurrent} A`,
        `write at most ${evse.maxCurrent} A`,
      ),
    );
  }
  if (evse.fallbackCurrent > evse.maxCurrent) {
    faults.push(
      errorAtKey(
        'current-order',
        [...path, 'fallback-current'],
        `${name}: fallback-current ${evse.fallbackCurrent} A is above max-current ${evse.maxCurrent} A`,
        `write at most ${evse.maxCurrent} A`,
      ),
    );
  }
  if (!evse.rotationKnown) {
    faults.push(
      warningAtKey(
        'rotation-unknown',
        [...path, 'phases'],
        `the phases of ${name} are unknown: a one-phase car counts on every phase of its circuit`,
        'write for example phases: L2 L3 L1, from the terminals of the charger',
      ),
    );
  }
  return faults;
}

function reviewMeters(site: Site): readonly Fault[] {
  const used = new Set(site.circuits.map(({ meter }) => meter));
  return site.meters
    .filter(({ id }) => !used.has(id))
    .map(({ id }) =>
      warningAtKey(
        'meter-unused',
        ['meters', id],
        `no circuit is measured by meter ${id}`,
        `write meter: ${id} at the circuit that it measures`,
      ),
    );
}

/** What a meter does not measure counts as no load at all. */
function reviewMeteredPhases(site: Site, circuit: Circuit, { meterPhases }: ReviewContext): readonly Fault[] {
  const meter = site.meters.find(({ id }) => id === circuit.meter);
  if (meter === undefined) return [];
  const measured = (meter.phases ?? PHASES).slice(0, meterPhases(meter.device) ?? 3);
  const used = new Set(evsesBelow(site, circuit).flatMap(({ phases }) => phases));
  const missing = PHASES.filter((phase) => used.has(phase) && !measured.includes(phase));
  if (missing.length === 0) return [];
  return [
    warningAtValue(
      'phase-not-metered',
      ['circuits', circuit.id, 'meter'],
      `meter ${meter.id} measures ${measured.join(' ')} of circuit ${circuit.id}; whatever else is on ${missing.join(' and ')} is not seen, and its breaker may trip`,
      'use a meter of every phase, or write at the meter and the EVSEs the phases that they sit on',
    ),
  ];
}

/** One-phase cars load the first conductor: where that is one grid phase everywhere, the site runs out of it first. */
function reviewRotation(site: Site): readonly Fault[] {
  const wired = allEvses(site).filter(({ rotationKnown }) => rotationKnown);
  const [first] = wired;
  if (first === undefined || wired.length < 2) return [];
  const leg = ({ lineToLine, phases }: Evse): string =>
    lineToLine === true ? phases.toSorted().join('-') : (phases[0] ?? 'L1');
  const phase = leg(first);
  if (wired.some((evse) => leg(evse) !== phase)) return [];
  if (first.lineToLine === true)
    return [
      warningAtKey(
        'phases-not-rotated',
        ['stations', first.station, 'evses', first.stationEvse - 1, 'phases'],
        `all ${wired.length} EVSEs hang between ${phase}: the third phase of the grid is not used`,
        'spread the chargers: L1-L2, L2-L3, L3-L1',
      ),
    ];
  return [
    warningAtKey(
      'phases-not-rotated',
      ['stations', first.station, 'evses', first.stationEvse - 1, 'phases'],
      `all ${wired.length} EVSEs have ${phase} on their first conductor: one-phase cars all load ${phase}`,
      'rotate the phases from charger to charger: L1 L2 L3, L2 L3 L1, L3 L1 L2',
    ),
  ];
}

function reviewWatchdogs(site: Site, context: ReviewContext): readonly Fault[] {
  return site.stations.flatMap(({ id, link }) => {
    const silence = link.kind === 'modbus' ? context.whenSilent(link.device) : undefined;
    if (link.kind !== 'modbus' || silence === undefined || silence === 'falls back') return [];
    const known = silence === 'keeps its last limit' ? 'has no known watchdog' : 'has no watchdog to rely on';
    return [
      warningAtValue(
        'no-watchdog',
        ['stations', id, 'device'],
        `${link.device} ${known}: station ${id} ${silence} when the gateway falls silent`,
        'set the limit in the charger itself so that the breaker holds without the gateway',
      ),
    ];
  });
}

/** What about the registers of a device is known from one source or none. */
const OF_CHARGERS = 'limit, pause, and what it does when the gateway is gone';
const OF_METERS = 'compare currents, their direction, power and energy with its display';

function reviewFacts(site: Site, context: ReviewContext): readonly Fault[] {
  const used = [
    ...site.stations.flatMap(({ id, link }) =>
      link.kind === 'modbus' ? [{ path: ['stations', id, 'device'], name: link.device, attempt: OF_CHARGERS }] : [],
    ),
    ...site.meters.map(({ id, device }) => ({ path: ['meters', id, 'device'], name: device, attempt: OF_METERS })),
  ];
  return used.flatMap(({ path, name, attempt }) => {
    const facts = context.unverified(name);
    return facts.length === 0
      ? []
      : [
          warningAtValue(
            'not-verified',
            path,
            `not everything about ${name} is sure: ${facts.join('; ')}`,
            `try it before the site relies on it: ${attempt}`,
          ),
        ];
  });
}

function reviewAuthorities(site: Site): readonly Fault[] {
  const authorities = site.csms.filter(({ role }) => role === 'authority');
  const sees = (csms: Csms, evse: Evse): boolean => csms.evses === undefined || csms.evses.includes(evse.number);
  const faults: Fault[] = [];
  const orphans = allEvses(site).filter((evse) => !authorities.some((csms) => sees(csms, evse)));
  if (orphans.length > 0) {
    const which =
      orphans.length === allEvses(site).length ? 'any EVSE' : `EVSE ${orphans.map(({ number }) => number).join(', ')}`;
    faults.push(
      warningAtKey(
        'no-authority',
        site.csms.length > 0 ? ['csms'] : ['site'],
        `no CSMS decides who may charge at ${which}: the rules of authorization do`,
        'write role: authority at the CSMS that decides',
      ),
    );
  }
  authorities.forEach((csms, index) => {
    const shared = allEvses(site).filter(
      (evse) => sees(csms, evse) && authorities.slice(0, index).some((other) => sees(other, evse)),
    );
    if (shared.length === 0) return;
    faults.push(
      errorAtKey(
        'several-authorities',
        ['csms', csms.id, 'role'],
        `csms ${csms.id} and another CSMS both decide about EVSE ${shared.map(({ number }) => number).join(', ')}`,
        'write role: observer or limiter at one of them, or give them different evses',
      ),
    );
  });
  return faults;
}

/** Without a way to be heard nobody can lift the fail-safe limit. */
function reviewGridOperatorLimit(site: Site): readonly Fault[] {
  const limit = site.balancing.gridOperatorLimit;
  if (limit === undefined) return [];
  const { broker, localBroker } = site.telemetry;
  const lacking = (what: string, instead: string): Fault =>
    warningAtKey(
      'no-limit-source',
      ['balancing', 'grid-operator-limit'],
      `no ${what} brings the grid operator's limit: ${limit.failsafe} A per phase hold for ever`,
      instead,
    );
  const overMqtt = broker !== undefined || localBroker?.password !== undefined;
  const overCsms = site.csms.some(({ role }) => role !== 'observer');
  return [
    ...(limit.from.includes('mqtt') && !overMqtt
      ? [lacking('broker', 'write a broker under telemetry, or a local-broker with a password')]
      : []),
    ...(limit.from.includes('csms') && !overCsms ? [lacking('CSMS', 'write a CSMS with role: limiter')] : []),
  ];
}

/** Current behind a transformer for one ampere before it; 1 where there is none between the two. */
const ratioBetween = (feeder: Circuit, circuit: Circuit, { nominalVoltage }: Site): number =>
  feeder.primaryVoltage === undefined
    ? 1
    : feeder.primaryVoltage / (circuit.primaryVoltage ?? nominalVoltage * Math.sqrt(3));

/** Sums of fractions of an ampere do not come out even. */
const ROUNDING = 1e-6;

const rounded = (current: number): number => Math.round(current * 10) / 10;
