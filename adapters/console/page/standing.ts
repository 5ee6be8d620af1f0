// How an EVSE and a circuit stand, in the words of the trade, each with a shape, so that no colour is needed to tell them apart.
import type { CircuitSummary, EvseSummary, SiteStatus } from '../../../gateway/ports/console.js';

/** The shape and the tone that go with a word. */
export type Glyph =
  | 'charging'
  | 'free'
  | 'plugged'
  | 'paused'
  | 'reserved'
  | 'closed'
  | 'warning'
  | 'fault'
  | 'away'
  | 'good'
  | 'info'
  | 'running';

export interface Standing {
  readonly word: string;
  readonly glyph: Glyph;
}

const CHARGING_STATES: Readonly<Record<string, Standing>> = {
  Charging: { word: 'Charging', glyph: 'charging' },
  SuspendedEV: { word: 'Suspended by EV', glyph: 'paused' },
  SuspendedEVSE: { word: 'Suspended by EVSE', glyph: 'paused' },
  EVConnected: { word: 'EV connected', glyph: 'plugged' },
};

const STATUSES: Readonly<Record<string, Standing>> = {
  Available: { word: 'Available', glyph: 'free' },
  Occupied: { word: 'Occupied', glyph: 'plugged' },
  Reserved: { word: 'Reserved', glyph: 'reserved' },
  Unavailable: { word: 'Unavailable', glyph: 'closed' },
  Faulted: { word: 'Faulted', glyph: 'fault' },
};

/** The connector that tells most: the one with a fault, else the one with a car. */
export function evseStanding(evse: EvseSummary | undefined, status: SiteStatus | undefined): Standing {
  if (evse === undefined) return { word: 'Unknown', glyph: 'away' };
  const station = status?.stations.find((each) => each.station === evse.station);
  if (station?.connected === false) return { word: 'Not connected', glyph: 'away' };
  const rank = (name: string): number => ['Faulted', 'Occupied', 'Reserved', 'Unavailable', 'Available'].indexOf(name);
  const telling = [...evse.connectors].sort((a, b) => rank(a.status) - rank(b.status))[0];
  if (telling === undefined) return { word: 'Unknown', glyph: 'away' };
  if (telling.status === 'Occupied') {
    const charging = CHARGING_STATES[telling.chargingState];
    if (charging !== undefined) return charging;
  }
  return STATUSES[telling.status] ?? { word: telling.status, glyph: 'info' };
}

/** From this part of its limit on, a conductor is called close to it. */
const CLOSE = 0.9;

export type Load = 'normal' | 'close' | 'over';

export const loadOf = (current_A: number, limit_A: number): Load =>
  current_A > limit_A ? 'over' : current_A >= limit_A * CLOSE ? 'close' : 'normal';

export interface Attention {
  readonly severity: 'warning' | 'fault';
  readonly subject: string;
  readonly text: string;
}

/** The conductors, in their order. */
export const PHASES = ['L1', 'L2', 'L3'] as const;
/** Load balancing plans each second. */
const PLAN_WITHIN_S = 10;

/** What somebody should look at, gravest first. */
export function attention(status: SiteStatus): readonly Attention[] {
  const found: Attention[] = [];
  const fault = (subject: string, text: string): void => void found.push({ severity: 'fault', subject, text });
  const warn = (subject: string, text: string): void => void found.push({ severity: 'warning', subject, text });
  if (status.planAge_s !== undefined && status.planAge_s > PLAN_WITHIN_S)
    fault('gateway', `load balancing has not planned for ${Math.round(status.planAge_s)} s`);
  for (const circuit of status.circuits) lookAtCircuit(circuit, fault, warn);
  for (const { evse, connectors } of status.evses)
    for (const { status: state, error } of connectors)
      if (state === 'Faulted') fault(`evse/${evse}`, `faulted${error === undefined ? '' : `: ${error}`}`);
  for (const { station, connected, booted } of status.stations)
    if (!connected) warn(`station/${station}`, 'is not connected');
    else if (!booted) warn(`station/${station}`, 'is connected and has not reported its start');
  for (const { csms, connected, accepted, deadLetters } of status.csms) {
    if (!connected) warn(`csms/${csms}`, 'is not connected');
    else if (!accepted) warn(`csms/${csms}`, 'does not accept this site');
    if (deadLetters > 0)
      warn(`csms/${csms}`, `refused ${deadLetters} ${deadLetters === 1 ? 'message' : 'messages'} for good`);
  }
  if (status.gridOperator?.failsafe === true)
    warn('gateway', 'the grid operator is not heard: his fail-safe limit holds');
  return found.sort((a, b) => (a.severity === b.severity ? 0 : a.severity === 'fault' ? -1 : 1));
}

function lookAtCircuit(
  { circuit, breaker_A, standing }: CircuitSummary,
  fault: (subject: string, text: string) => void,
  warn: (subject: string, text: string) => void,
): void {
  if (standing === undefined) return;
  const over = PHASES.filter((phase) => standing.current_A[phase] > breaker_A);
  if (over.length > 0)
    fault(
      `circuit/${circuit}`,
      `carries more than its ${breaker_A} A breaker on ${over.map((phase) => `${phase} (${standing.current_A[phase].toFixed(1)} A)`).join(', ')}`,
    );
  if (standing.meter === 'lost') warn(`circuit/${circuit}`, 'its meter is lost');
  else if (standing.meter === 'stale') warn(`circuit/${circuit}`, 'its meter is late');
}
