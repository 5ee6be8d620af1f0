// From targets to commands: every decrease at once, an increase only into current that nobody can take any more.
import type { EvseNumber } from '../kernel/ids.js';
import { ampere, type Ampere, type Timestamp } from '../kernel/units.js';
import { quantise } from './share.js';
import { withSent } from './commit.js';
import { take, takeEach, tightest, type Rows } from './capacity.js';
import type { Network } from './network.js';
import type { BalancingSettings } from './settings.js';
import type { Stand } from './standing.js';
import type { EvseState } from './state.js';

export interface LimitCommand {
  readonly evse: EvseNumber;
  /** Per phase; 0 pauses. */
  readonly current: Ampere;
}

/** What one EVSE is to have, in the order in which increases are served. */
export interface Wish {
  readonly outlet: number;
  readonly target: number;
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
 * @param states as observed; the stands say what each may take at most now
 * @param wishes of every reachable EVSE, best first; an EVSE without a wish keeps what it has
 */
export function release(
  network: Network,
  states: readonly EvseState[],
  stands: readonly Stand[],
  wishes: readonly Wish[],
  rows: Rows,
  now: Timestamp,
  settings: BalancingSettings,
): Released {
  const next = [...states];
  const commands: LimitCommand[] = [];
  const waiting = new Map<number, number>();
  const free = Float64Array.from(rows.slack);
  stands.forEach((stand, outlet) => takeEach(free, rows.of[outlet] ?? [], stand.worst));
  const send = (outlet: number, current: number): void => {
    const state = next[outlet];
    if (state === undefined) return;
    next[outlet] = withSent(state, current, now);
    commands.push({ evse: state.evse, current: ampere(current) });
  };
  const raises: Wish[] = [];
  for (const wish of wishes) {
    const state = states[wish.outlet];
    const stand = stands[wish.outlet];
    if (state === undefined || stand === undefined) continue;
    const sent = state.sent ?? 0;
    const first = state.sent === undefined;
    if (wish.target < sent - EPSILON && wish.target <= stand.ceiling + EPSILON) send(wish.outlet, wish.target);
    else if (first || wish.target > Math.min(sent, stand.ceiling) + EPSILON) raises.push(wish);
    else if (wish.repeat || resendDue(state, now, settings)) send(wish.outlet, wish.target);
  }
  for (const wish of raises) {
    const state = states[wish.outlet];
    const stand = stands[wish.outlet];
    const evse = network.outlets[wish.outlet]?.evse;
    if (state === undefined || stand === undefined || evse === undefined) continue;
    const path = rows.of[wish.outlet] ?? [];
    const cell = tightest(free, path, stand.phases);
    // Where more may be taken than fits (chargers that nobody knows yet), this one has to stay below its own ceiling too.
    const room = stand.ceiling + (cell < 0 ? Infinity : (free[cell] ?? 0));
    const most = wish.noRaise ? Math.min(room, state.sent ?? state.confirmed ?? 0) : room;
    const possible = quantise(Math.min(wish.target, most));
    const current = possible < evse.minCurrent ? 0 : possible;
    if (current < wish.target - EPSILON && cell >= 0) waiting.set(wish.outlet, cell);
    if (!worthSending(state, current, wish, now, settings)) continue;
    take(free, path, stand.phases, Math.max(0, current - stand.ceiling));
    send(wish.outlet, current);
  }
  return { states: next, commands, waiting };
}

function resendDue(state: EvseState, now: Timestamp, settings: BalancingSettings): boolean {
  if (state.sent === undefined || state.sent === state.confirmed) return false;
  if (state.retryAt !== undefined) return now >= state.retryAt;
  return state.sentAt !== undefined && state.open.length > 0 && now - state.sentAt >= settings.giveUp;
}

function worthSending(
  state: EvseState,
  current: number,
  { target, raiseEvery }: Wish,
  now: Timestamp,
  settings: BalancingSettings,
): boolean {
  if (state.retryAt !== undefined && now < state.retryAt) return false;
  const sent = state.sent;
  if (sent === undefined) return true;
  const step = current - sent;
  if (step <= EPSILON) return resendDue(state, now, settings);
  const rest = Math.max(settings.raiseEvery, raiseEvery);
  if (sent > 0 && state.sentAt !== undefined && now - state.sentAt < rest) return false;
  if (state.open.some((command) => !command.uncertain && now - command.at < settings.giveUp)) return false;
  if (sent === 0) return true;
  return step >= (current < target - EPSILON ? Math.max(1, settings.deadBand) : settings.deadBand) - EPSILON;
}
