// From targets to commands: every decrease at once, an increase only into current that nobody can take any more.
import type { EvseNumber } from '../kernel/ids.js';
import { ampere, type Ampere, type Timestamp } from '../kernel/units.js';
import { cutsToMinimum, mayRaise, setpointsLeft, spent } from './budget.js';
import { quantise } from './share.js';
import { withSent } from './commit.js';
import { laneOf, roomFor, take, takeEach, tightest, type Rows } from './capacity.js';
import type { Seen } from './candidate.js';
import type { PhaseMask } from './network.js';
import type { BalancingSettings } from './settings.js';
import type { EvseState } from './state.js';

export interface LimitCommand {
  readonly evse: EvseNumber;
  /** Per phase; 0 pauses. */
  readonly current: Ampere;
  /** On how many phases; only where the EVSE switches them. */
  readonly phases?: 1 | 3;
}

/** What one EVSE is to have, in the order in which increases are served. */
export interface Wish {
  readonly outlet: number;
  readonly target: number;
  /** On which of its phases; absent: as it is. */
  readonly phases?: PhaseMask;
  /** Kept at what it has or less: its meter is stale. */
  readonly noRaise: boolean;
  /** Sent even where nothing has changed. */
  readonly repeat: boolean;
  /** Not raised sooner than this after its last setpoint; 0: as any. */
  readonly raiseEvery: number;
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
 * @param wishes of every reachable EVSE, best first; an EVSE without a wish keeps what it has
 * @param free what nobody can take, by cell; is lowered by what is raised
 */
export function release(
  seen: readonly Seen[],
  wishes: readonly Wish[],
  rows: Rows,
  free: Float64Array,
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
    commands.push({
      evse: one.state.evse,
      current: ampere(current),
      ...(phases === undefined ? {} : { phases }),
    });
  };
  const raises: Wish[] = [];
  for (const wish of wishes) {
    const one = seen[wish.outlet];
    if (one === undefined) continue;
    const { state, stand } = one;
    const { setpointsPerDay } = one.observation ?? {};
    const sent = state.sent ?? 0;
    const switched = switchOf(one, wish);
    // Fewer phases at no more current is a cut too: two phases are relieved.
    const narrows = switched === 1 && state.sentPhases === 3 && sent > 0;
    const lower = Math.min(wish.target, sent);
    if ((narrows || wish.target < sent - EPSILON) && lower <= stand.ceiling + EPSILON) {
      const { minCurrent } = one.outlet.evse;
      const saves = setpointsPerDay !== undefined && lower > minCurrent;
      const saving = saves && cutsToMinimum(setpointsLeft(state, one.observation ?? {}, now), setpointsPerDay);
      // More phases come with a raise, once there is room on each of them.
      send(wish.outlet, saving ? minCurrent : lower, narrows ? 1 : (state.sentPhases ?? switched));
    } else if (
      state.sent === undefined ||
      wish.target > Math.min(sent, stand.ceiling) + EPSILON ||
      (switched !== state.sentPhases && wish.target > 0)
    )
      raises.push(wish);
    else if (wish.repeat || resendDue(state, now, settings)) send(wish.outlet, wish.target, switched);
  }
  for (const wish of raises) {
    const one = seen[wish.outlet];
    if (one !== undefined) raise(one, wish, rows, free, now, settings, waiting, send);
  }
  return { states: next, commands, waiting };
}

/** On how many phases it is to charge; undefined where nobody may tell it. */
function switchOf({ stand, state }: Seen, wish: Wish): 1 | 3 | undefined {
  if (stand.narrow === 0) return undefined;
  if (wish.phases === undefined || wish.target === 0) return state.sentPhases ?? 3;
  return wish.phases === stand.narrow && stand.wide !== stand.narrow ? 1 : 3;
}

function raise(
  one: Seen,
  wish: Wish,
  rows: Rows,
  free: Float64Array,
  now: Timestamp,
  settings: BalancingSettings,
  waiting: Map<number, number>,
  send: (outlet: number, current: number, phases: 1 | 3 | undefined) => void,
): void {
  const { state, stand, outlet } = one;
  const phases = switchOf(one, wish);
  const wanted = phases === 1 ? stand.narrow : stand.wide;
  const held = laneOf(rows, wish.outlet, wanted & stand.phases);
  const added = laneOf(rows, wish.outlet, wanted & ~stand.phases);
  // Where more may be taken than fits (chargers that nobody knows yet), this one has to stay below its own ceiling too.
  const room = Math.min(stand.ceiling + roomFor(free, held), roomFor(free, added));
  const most = wish.noRaise ? Math.min(room, state.sent ?? state.confirmed ?? 0) : room;
  const possible = quantise(Math.min(wish.target, most));
  const current = possible < outlet.evse.minCurrent ? 0 : possible;
  const cell = tightest(free, laneOf(rows, wish.outlet, wanted));
  if (current < wish.target - EPSILON && cell >= 0) waiting.set(wish.outlet, cell);
  const switching = phases !== state.sentPhases && state.sentPhases !== undefined;
  // A car that is to change its phases goes on as it is until the others have made room.
  if (switching && current === 0) return;
  if (!worthSending(one, current, wish, switching, now, settings)) return;
  take(free, held, Math.max(0, current - stand.ceiling));
  take(free, added, current);
  send(wish.outlet, current, phases);
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
  { target, raiseEvery }: Wish,
  switching: boolean,
  now: Timestamp,
  settings: BalancingSettings,
): boolean {
  if (state.retryAt !== undefined && now < state.retryAt) return false;
  const { sent } = state;
  if (sent === undefined) return true;
  const step = current - sent;
  if (step <= EPSILON && !switching) return resendDue(state, now, settings);
  const rest = Math.max(settings.raiseEvery, raiseEvery);
  if (sent > 0 && state.sentAt !== undefined && now - state.sentAt < rest) return false;
  if (state.open.some((command) => !command.uncertain && now - command.at < settings.giveUp)) return false;
  if (observation !== undefined && !mayRaise(setpointsLeft(state, observation, now))) return false;
  if (sent === 0 || switching) return true;
  return step >= (current < target - EPSILON ? Math.max(1, settings.deadBand) : settings.deadBand) - EPSILON;
}

/** What is left of the slack when every EVSE takes all that it may. */
export function freeNow(seen: readonly Seen[], rows: Rows): Float64Array {
  const free = Float64Array.from(rows.slack);
  for (let outlet = 0; outlet < seen.length; outlet++) {
    const stand = seen[outlet]?.stand;
    if (stand === undefined) continue;
    if (stand.beyond === undefined) take(free, laneOf(rows, outlet, stand.phases), stand.ceiling);
    else takeEach(free, rows, outlet, stand.beyond);
  }
  return free;
}
