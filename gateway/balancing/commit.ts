// The life of a setpoint: sent, confirmed, refused, lost. It answers the one question that keeps fuses whole: what may this EVSE take now?
import type { EvseNumber } from '../kernel/ids.js';
import type { Ampere, Timestamp } from '../kernel/units.js';
import type { CommandOutcome } from '../site/station-command.js';
import type { Evse } from '../site/topology.js';
import { milliseconds, timestamp, type Milliseconds } from '../kernel/units.js';
import type { Network } from './network.js';
import { defaultSettings, type BalancingSettings } from './settings.js';
import type { BalancingState, EvseState } from './state.js';

const later = (at: Timestamp, by: Milliseconds): Timestamp => timestamp(at + by);
const same = (a: number, b: number): boolean => Math.abs(a - b) < 0.05;

/** The highest setpoint that may be in force at the charger: confirmed, on its way, in doubt, or not yet followed by the car. */
export function ceilingOf(state: EvseState, evse: Evse): number {
  let highest = state.confirmed ?? evse.maxCurrent;
  for (const command of state.open) highest = Math.max(highest, command.current);
  return Math.max(highest, state.settling?.from ?? 0);
}

/** What each EVSE may take at most: what to keep over a restart and hand to `initialBalancing`. */
export function ceilings(network: Network, state: BalancingState): ReadonlyMap<EvseNumber, number> {
  return new Map(
    network.outlets.map(({ evse }, index) => {
      const of = state.evses[index];
      return [evse.number, of === undefined ? evse.maxCurrent : ceilingOf(of, evse)];
    }),
  );
}

/** The state after a setpoint has been handed over for sending. */
export function withSent(state: EvseState, current: number, phases: 1 | 3 | undefined, now: Timestamp): EvseState {
  const { retryAt: _, ...rest } = state;
  // A repeated setpoint adds no doubt, so the list cannot grow while a charger stays mute.
  const open = state.open.filter(
    (command) => !(command.uncertain && same(command.current, current) && command.phases === phases),
  );
  // On which phases an EVSE was told to pause before this car has charged is nothing that would have to last.
  const { onSince, pausedBefore } = state.session;
  const charged = onSince !== undefined || pausedBefore;
  const switched = charged && phases !== undefined && state.sentPhases !== undefined && phases !== state.sentPhases;
  return {
    ...rest,
    open: [...open, { current, phases, at: now, uncertain: false }],
    sent: current,
    sentAt: now,
    ...(phases === undefined ? {} : { sentPhases: phases }),
    ...(switched ? { phasesSentAt: now } : {}),
  };
}

/** Where this setpoint stands among those on their way; -1 where it is none of them. */
const onItsWay = ({ open }: EvseState, current: Ampere, phases: 1 | 3 | undefined): number =>
  open.findIndex((command) => !command.uncertain && same(command.current, current) && command.phases === phases);

function change(
  network: Network,
  state: BalancingState,
  evse: EvseNumber,
  by: (of: EvseState, evse: Evse) => EvseState,
): BalancingState {
  const index = network.indexOf.get(evse);
  const outlet = index === undefined ? undefined : network.outlets[index];
  const of = index === undefined ? undefined : state.evses[index];
  if (index === undefined || outlet === undefined || of === undefined) return state;
  const next = by(of, outlet.evse);
  return next === of ? state : { ...state, evses: state.evses.with(index, next) };
}

/** The charger has accepted the setpoint `current`. What was sent before it is superseded: one link keeps its order. */
export function confirmed(
  network: Network,
  state: BalancingState,
  evse: EvseNumber,
  current: Ampere,
  now: Timestamp,
  phases?: 1 | 3,
  settings: BalancingSettings = defaultSettings,
): BalancingState {
  return change(network, state, evse, (of, outlet) => {
    const position = of.open.findIndex((command) => same(command.current, current) && command.phases === phases);
    if (position < 0) return of;
    const before = Math.max(
      of.confirmed ?? outlet.maxCurrent,
      of.settling?.from ?? 0,
      ...of.open.slice(0, position).map((command) => command.current),
    );
    const { settling: _, retryAt: __, phases: ___, ...rest } = of;
    // A cut to 0 leaves the car on the phases it had until it has followed.
    const wide =
      (phases === 1 || (phases === 3 && current === 0)) &&
      ((of.phases !== 1 && of.confirmed !== 0) ||
        of.settling?.wide === true ||
        of.open.slice(0, position).some((one) => one.phases !== 1 && one.current > 0));
    const settled = before <= current && !wide;
    return {
      ...rest,
      ...(phases === undefined ? {} : { phases }),
      confirmed: current,
      confirmedAt: now,
      open: of.open.slice(position + 1),
      ...(settled
        ? {}
        : { settling: { from: before, wide, since: now, until: later(now, settings.settle), seenAbove: false } }),
    };
  });
}

/**
 * The setpoint `current` was not accepted. `Uncertain`: it may be in force all the same, and stays counted. Every other
 * outcome is the charger's or the adapter's word that nothing changed.
 */
export function failed(
  network: Network,
  state: BalancingState,
  evse: EvseNumber,
  current: Ampere,
  outcome: CommandOutcome['status'],
  now: Timestamp,
  phases?: 1 | 3,
  settings: BalancingSettings = defaultSettings,
): BalancingState {
  return change(network, state, evse, (of) => {
    const position = onItsWay(of, current, phases);
    const command = of.open[position];
    if (command === undefined) return of;
    const wait = outcome === 'NotSupported' ? milliseconds(settings.retry * 30) : settings.retry;
    return {
      ...of,
      open:
        outcome === 'Uncertain'
          ? of.open.with(position, { ...command, uncertain: true })
          : of.open.toSpliced(position, 1),
      retryAt: later(now, wait),
    };
  });
}

/** The setpoint `current` was overtaken by a newer one before it went out. */
export function withdrawn(
  network: Network,
  state: BalancingState,
  evse: EvseNumber,
  current: Ampere,
  phases?: 1 | 3,
): BalancingState {
  return change(network, state, evse, (of) => {
    const position = onItsWay(of, current, phases);
    return position < 0 ? of : { ...of, open: of.open.toSpliced(position, 1) };
  });
}

/** The charger is silent. Calling it again changes nothing. */
export function lost(network: Network, state: BalancingState, evse: EvseNumber, now: Timestamp): BalancingState {
  return change(network, state, evse, (of) => (of.link === 'lost' ? of : withLost(of, now)));
}

export function withLost(of: EvseState, now: Timestamp): EvseState {
  return {
    ...of,
    link: 'lost',
    // An unknown charger has been silent since the start.
    lostAt: of.link === 'unknown' ? (of.lostAt ?? now) : now,
    open: of.open.map((command) => ({ ...command, uncertain: true })),
  };
}

/** The charger is back: what it holds is at most what it held and its fallback, until it confirms a new setpoint. */
export function returned(network: Network, state: BalancingState, evse: EvseNumber): BalancingState {
  return change(network, state, evse, (of, outlet) => withReturned(of, outlet));
}

/**
 * The charger has been set up: whatever it held has given way to its fallback, so it has to be told again even what it had.
 * A setpoint on its way is written after that, and needs no second one.
 */
export function reset(network: Network, state: BalancingState, evse: EvseNumber): BalancingState {
  return change(network, state, evse, (of, outlet) =>
    of.open.some((command) => !command.uncertain) ? of : withReturned(of, outlet),
  );
}

/** @param mayHold what it may take beside what it held, in A */
export function withReturned(of: EvseState, outlet: Evse, mayHold = outlet.fallbackCurrent): EvseState {
  const { lostAt: _, sent: __, sentAt: ___, retryAt: ____, phases: _____, sentPhases: ______, ...rest } = of;
  return {
    ...rest,
    link: 'connected',
    ...(of.confirmed === undefined ? {} : { confirmed: Math.max(of.confirmed, mayHold) }),
  };
}
