// The times and thresholds of load balancing, with the values that are right unless a site proves otherwise.
import { minutes, seconds, type Milliseconds } from '../kernel/units.js';

/** Currents are in A per phase. */
export interface BalancingSettings {
  /** The highest background of this long is what counts. */
  readonly peakHold: Milliseconds;
  /** How often a meter is read; older than two of these is stale. */
  readonly meterInterval: Milliseconds;
  /** Without a reading for this long the meter is lost. */
  readonly meterLost: Milliseconds;
  /** A meter that repeats one value for this long, while the chargers changed, is stale. */
  readonly meterFrozen: Milliseconds;
  /** How long a value measured by a charger is believed (OCPP chargers sample once a minute). */
  readonly measuredFor: Milliseconds;
  /** From a confirmed cut until the car has certainly followed it (IEC 61851-1: 5 s, and the pilot's own delay). */
  readonly settle: Milliseconds;
  /** A cut that is not confirmed after this long makes its EVSE count at the old value in the plan for the others. */
  readonly confirmWithin: Milliseconds;
  /** Between two attempts of a command that was refused or not answered. */
  readonly retry: Milliseconds;
  /** A command that nobody answered for this long may be sent again. */
  readonly giveUp: Milliseconds;
  /** Smaller raises are not sent. */
  readonly deadBand: number;
  /** Least time between a command and a raise of the same EVSE. */
  readonly raiseEvery: Milliseconds;
  /** A car may exceed its setpoint by this much without being called not reacting. */
  readonly tolerance: number;
  /** Between the steps against a charger that does not react. */
  readonly reactWithin: Milliseconds;
  /** How long a charger that had to be paused for not reacting gets nothing. */
  readonly bench: Milliseconds;
  /** A start needs this many times its minimum where the background moves. */
  readonly startFactor: number;
  /** A car that has waited this long may start at its bare minimum. */
  readonly startPatience: Milliseconds;
  /** The same, for a car that was paused before in this session. */
  readonly restartPatience: Milliseconds;
  /** Rotations after which a car that waits goes before those who were served less: others keep coming. */
  readonly overdueAfter: number;
  /** Least pause before charging resumes. */
  readonly minimumOff: Milliseconds;
  /** How long a car may try all that its bounds allow before its demand is what it takes. */
  readonly demandTrial: Milliseconds;
  /** Demand is the measured worst phase plus this. */
  readonly demandMargin: number;
  /** A car that takes nothing for this long sleeps: those who charge go before it. */
  readonly sleepAfter: Milliseconds;
  /** The same phases must carry the current for this long before they are believed. */
  readonly learnPhases: Milliseconds;
  /** Cars whose time to spare differs by less are equally urgent: two whose urgency crosses do not change places every second. */
  readonly urgencyStep: Milliseconds;
  /** Least time between two changes of a car's number of phases. */
  readonly phaseSwitchEvery: Milliseconds;
}

export const defaultSettings: BalancingSettings = {
  peakHold: seconds(10),
  meterInterval: seconds(1),
  meterLost: seconds(10),
  meterFrozen: minutes(1),
  measuredFor: seconds(70),
  settle: seconds(10),
  confirmWithin: seconds(5),
  retry: seconds(10),
  giveUp: seconds(20),
  deadBand: 0.5,
  raiseEvery: seconds(10),
  tolerance: 1,
  reactWithin: seconds(15),
  bench: minutes(15),
  startFactor: 1.5,
  startPatience: minutes(1),
  restartPatience: minutes(5),
  overdueAfter: 3,
  minimumOff: minutes(1),
  demandTrial: minutes(1),
  demandMargin: 3,
  sleepAfter: minutes(5),
  learnPhases: seconds(20),
  urgencyStep: minutes(5),
  phaseSwitchEvery: minutes(10),
};
