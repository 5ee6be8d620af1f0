// The explanation of one EVSE's current in a sentence, for `forecourt explain` and the console.
import type { Because, EvseReport, FullBecause } from './report.js';

const FULL: Readonly<Record<FullBecause, string>> = {
  load: 'the other cars and the building take the rest',
  reserve: 'part of it is kept for chargers that cannot be trusted now',
  meterLost: 'its meter is lost, so only its current for that case may be used',
  gridOperator: 'the grid operator limits it',
  gridOperatorLost: 'the grid operator is not heard, and the limit for that case holds',
};

const by = (what: string | undefined): string => (what === undefined ? 'the hardware or a charging profile' : what);

/** Why, without how much: the same words as long as the same thing holds it. */
export function reason(because: Because): string {
  switch (because.kind) {
    case 'idle':
      return 'no authorized car asks for energy';
    case 'upperBound':
      return `${by(because.by)} allows no more`;
    case 'belowMinimum':
      return `${by(because.by)} allows less than the ${because.minimum} A an EVSE needs`;
    case 'demand':
      return 'the car takes no more';
    case 'charger':
      return `its charger offers the car only ${because.offers} A by itself`;
    case 'full':
      return `${because.where.kind} ${because.where.name} is full on ${because.where.phase}: ${FULL[because.why]}`;
    case 'rotation':
      return `it waits for its turn on ${because.where.kind} ${because.where.name} ${because.where.phase}: ${FULL[because.why]}`;
    case 'release':
      return `another EVSE has still to give up its current on ${because.where.name} ${because.where.phase}`;
    case 'meterStale':
      return 'a meter above it is late, and until it answers nothing is raised';
    case 'pause':
      return 'it was paused moments ago and resumes after the least pause';
    case 'unbalance':
      return 'the phases may not differ by more';
    case 'benched':
      return 'it took more than it may and is kept paused';
    case 'unknown':
      return 'its charger has not been heard of since the gateway started; what it may take is kept for it';
    case 'lost':
      return 'its charger is silent; what it may take is kept for it';
    case 'unconfirmed':
      return 'it has not confirmed a lower setpoint, and counts at the old one';
    case 'notReacting':
      return 'it takes more than it may, and counts as measured';
  }
}

/** One sentence: what the EVSE was told, what it is to have, and why. */
export function explain(report: EvseReport): string {
  const told = report.sent === undefined ? 'was told nothing yet' : `was told ${report.sent} A`;
  const target = report.sent === report.target ? '' : `, is to have ${report.target} A`;
  return `EVSE ${report.evse} ${told}${target}, since ${reason(report.because)}.`;
}
