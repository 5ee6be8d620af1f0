// From targets to commands: every decrease at once, an increase only into current that nobody can take any more.
import type { EvseNumber } from '../kernel/ids.js';
import { ampere, type Ampere, type Timestamp } from '../kernel/units.js';
import { setpointsLeft, spares, spent } from './budget.js';
import { quantise } from './share.js';
import { withSent } from './commit.js';
import { laneOf, roomFor, take, takeEach, tightest, type Rows } from './capacity.js';
import type { Seen } from './candidate.js';
import type { Lane, PhaseMask } from './network.js';
import type { BalancingSettings } from './settings.js';
import type { EvseState } from './state.js';

export interface LimitCommand {
  readonly evse: EvseNumber;
  /** Per phase; 0 pauses. */
  readonly current: Ampere;
  /** On how many phases; only where the EVSE switches them. */
  readonly phases?: 1 | 3;
}

/** What the EVSEs are to have, by outlet; one that is not in the sequence keeps what it has. */
export interface Wishes {
  /** The reachable ones in the order in which increases are served. */
  readonly sequence: Int32Array;
  readonly target: Float64Array;
  /** On which of its phases; 0: as it is. */
  readonly phases: Uint8Array;
  /** Kept at what they have or less: their meter is late. */
  readonly late: readonly boolean[];
}

export interface Released {
  readonly states: readonly EvseState[];
  readonly commands: readonly LimitCommand[];
  /** Outlets whose increase waits for current that another may still take, with the cell that is missing it. */
  readonly waiting: ReadonlyMap<number, number>;
}

const EPSILON = 1e-6;

/**
 * Sends what may be sent.
 * @param seen as observed, by outlet; the stands say what each may take at most now
 */
export function release(
  seen: readonly Seen[],
  wishes: Wishes,
  rows: Rows,
  now: Timestamp,
  settings: BalancingSettings,
): Released {
  const next = seen.map((one) => one.state);
  const commands: LimitCommand[] = [];
  const waiting = new Map<number, number>();
  const send = (outlet: number, current: number, phases: 1 | 3 | undefined): void => {
    const one = seen[outlet];
    if (one === undefined) return;
    next[outlet] = withSent(spent(one.state, one.observation ?? {}, now), current, phases, now);
    const command = { evse: one.state.evse, current: ampere(current) };
    commands.push(phases === undefined ? command : { ...command, phases });
  };
  const raises: number[] = [];
  for (const outlet of wishes.sequence) {
    const one = seen[outlet];
    if (one === undefined) continue;
    const { state, stand } = one;
    const target = wishes.target[outlet] ?? 0;
    const sent = state.sent ?? 0;
    const switched = switchOf(one, target, wishes.phases[outlet] ?? 0);
    // Fewer phases at no more current is a cut too: two phases are relieved.
    const narrows = switched === 1 && state.sentPhases === 3 && sent > 0;
    const lower = Math.min(target, sent);
    if ((narrows || target < sent - EPSILON) && lower <= stand.ceiling + EPSILON) {
      // More phases come with a raise, once there is room on each of them.
      send(outlet, cutTo(one, lower, now), narrows ? 1 : (state.sentPhases ?? switched));
    } else if (
      state.sent === undefined ||
      target > Math.min(sent, stand.ceiling) + EPSILON ||
      (switched !== state.sentPhases && target > 0)
    ) {
      const small = sent > 0 && switched === state.sentPhases && target - sent < settings.deadBand - EPSILON;
      if (!small || resendDue(state, now, settings)) raises.push(outlet);
    } else if (one.repeat || resendDue(state, now, settings)) send(outlet, target, switched);
  }
  if (raises.length === 0) return { states: next, commands, waiting };
  const free = freeNow(seen, rows);
  for (const outlet of raises) {
    const one = seen[outlet];
    if (one !== undefined) raise(one, outlet, wishes, rows, free, now, settings, waiting, send);
  }
  return { states: next, commands, waiting };
}

/** Where each setpoint wears the charger out, one cut to the minimum instead of many small ones. */
function cutTo({ state, observation, outlet }: Seen, lower: number, now: Timestamp): number {
  const most = observation?.setpointsPerDay;
  const { minCurrent } = outlet.evse;
  if (observation === undefined || most === undefined || lower <= minCurrent) return lower;
  return spares(setpointsLeft(state, observation, now), most) ? minCurrent : lower;
}

/** On how many phases it is to charge; undefined where nobody may tell it. */
function switchOf({ stand, state }: Seen, target: number, phases: PhaseMask): 1 | 3 | undefined {
  if (stand.narrow === 0) return undefined;
  // A pause is no reason to use more phases.
  if (phases === 0 || target === 0) return state.sentPhases ?? (target === 0 ? 1 : 3);
  return phases === stand.narrow && stand.wide !== stand.narrow ? 1 : 3;
}

function raise(
  one: Seen,
  index: number,
  wishes: Wishes,
  rows: Rows,
  free: Float64Array,
  now: Timestamp,
  settings: BalancingSettings,
  waiting: Map<number, number>,
  send: (outlet: number, current: number, phases: 1 | 3 | undefined) => void,
): void {
  const { state, stand, outlet } = one;
  const target = wishes.target[index] ?? 0;
  const phases = switchOf(one, target, wishes.phases[index] ?? 0);
  const wanted = phases === 1 ? stand.narrow : stand.wide;
  // Until it has left a phase, it may take there what it is told, too.
  const leaves = stand.ceiling > 0 && (stand.phases & ~wanted) !== 0;
  const kept = leaves ? stand.phases : wanted & stand.phases;
  const held = laneOf(rows, index, kept);
  const added = laneOf(rows, index, wanted & ~stand.phases);
  const room = roomToRaise(free, held, added, laneOf(rows, index, kept | wanted), stand.ceiling);
  const most = wishes.late[index] === true ? Math.min(room, state.sent ?? state.confirmed ?? 0) : room;
  const possible = quantise(Math.min(target, most));
  const current = possible < outlet.evse.minCurrent ? 0 : possible;
  if (current < target - EPSILON) {
    const cell = tightest(free, laneOf(rows, index, wanted));
    if (cell >= 0) waiting.set(index, cell);
  }
  const switching = phases !== state.sentPhases && state.sentPhases !== undefined;
  // A car that is to change its phases goes on as it is until the others have made room.
  if (switching && current === 0) return;
  if (!worthSending(one, current, target, switching, now, settings)) return;
  take(free, held, Math.max(0, current - stand.ceiling));
  take(free, added, current);
  send(index, current, phases);
}

/**
 * What it may be told: on the phases where it may take `ceiling` already (`held`), on those that come with it (`added`), and on
 * both together, since before a transformer one conductor carries the current of two phases.
 * Where more may be taken than fits (chargers that nobody knows yet), it has to stay below its own ceiling too.
 */
function roomToRaise(free: Float64Array, held: Lane, added: Lane, together: Lane, ceiling: number): number {
  // Until it has left its old setpoint, that flows beside the new one.
  const beside = roomFor(free, added);
  take(free, held, -ceiling);
  const room = roomFor(free, together);
  take(free, held, ceiling);
  return Math.min(room, beside);
}

function resendDue(state: EvseState, now: Timestamp, settings: BalancingSettings): boolean {
  if (state.sent === undefined) return false;
  const held = state.sent === state.confirmed && (state.sentPhases === undefined || state.sentPhases === state.phases);
  if (held) return false;
  if (state.retryAt !== undefined) return now >= state.retryAt;
  return state.sentAt !== undefined && state.open.length > 0 && now - state.sentAt >= settings.giveUp;
}

function worthSending(
  { state, observation }: Seen,
  current: number,
  target: number,
  switching: boolean,
  now: Timestamp,
  settings: BalancingSettings,
): boolean {
  if (state.retryAt !== undefined && now < state.retryAt) return false;
  const { sent } = state;
  if (sent === undefined) return true;
  const step = current - sent;
  if (step <= EPSILON && !switching) return resendDue(state, now, settings);
  if (sent > 0 && state.sentAt !== undefined && now - state.sentAt < settings.raiseEvery) return false;
  if (state.open.some((command) => !command.uncertain && now - command.at < settings.giveUp)) return false;
  if (observation !== undefined && spares(setpointsLeft(state, observation, now), observation.setpointsPerDay))
    return false;
  if (sent === 0 || switching) return true;
  return step >= (current < target - EPSILON ? Math.max(1, settings.deadBand) : settings.deadBand) - EPSILON;
}

/** What is left of the slack when every EVSE takes all that it may. */
function freeNow(seen: readonly Seen[], rows: Rows): Float64Array {
  const free = Float64Array.from(rows.slack);
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const stand = seen[outlet]?.stand;
    if (stand === undefined || stand.vacant) continue;
    if (stand.beyond === undefined) take(free, laneOf(rows, outlet, stand.phases), stand.ceiling);
    else takeEach(free, rows, outlet, stand.beyond);
  }
  return free;
}
