// Pauses a car at a charger that goes on at 0 A, or refuses it: as little as it gives at first, the end of its transaction at last.
import { FAULTS } from '../../gateway/kernel/faults.js';
import { minutes } from '../../gateway/kernel/units.js';
import type { CommandOutcome, SetLimit } from '../../gateway/site/station-command.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Log } from '../../gateway/kernel/log.js';
import type { Evse } from '../../gateway/site/topology.js';
import type { LimitWriter, ProfileCalls } from './limit-writer.js';

/** A shortage may last so long (chargers that come back after a restart, a lift) before a driver is put out for it. */
const PATIENCE = minutes(2);

export interface PauseTools {
  readonly limits: LimitWriter;
  readonly calls: ProfileCalls;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the transaction of the command. */
  readonly stop: () => Promise<CommandOutcome>;
}

/** Sets a limit; where it is 0 and the charger cannot pause, by whatever comes closest. */
export async function setLimitOrStop(command: SetLimit, evse: Evse, tools: PauseTools): Promise<CommandOutcome> {
  const { limits, calls, clock, log, stop } = tools;
  const pauses = command.current === 0 && command.stationTransactionId !== undefined;
  if (!pauses || !limits.cannotPause) {
    const outcome = await limits.apply(command, evse, calls);
    if (!pauses || !limits.cannotPause) return outcome;
  }
  const now = clock.monotonic();
  const waited = now - limits.toPause(evse, now);
  if (waited >= PATIENCE) {
    log.warn(
      { station: evse.station, evse: evse.number, fault: FAULTS.pausedByStop.code },
      'the charger cannot pause: its transaction is ended, since there is no current for it',
    );
    return stop();
  }
  const least = evse.minCurrent;
  if (waited === 0) {
    await limits.apply({ ...command, current: least }, evse, calls);
    limits.toPause(evse, now);
  }
  // Not what was asked for: it stays counted at what it had.
  return { status: 'Rejected', detail: `cannot pause, and goes on at ${least} A` };
}
