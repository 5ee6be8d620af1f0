// Whether the gateway can do its work, and what around it is missing.
import { FAULTS } from '../kernel/faults.js';
import { seconds, type Milliseconds } from '../kernel/units.js';
import type { JournalStatus } from '../ports/journal.js';
import type {
  CsmsSummary,
  GridOperatorSummary,
  Health,
  HealthCheck,
  HealthStatus,
  StationSummary,
} from '../ports/console.js';

/** Load balancing plans once a second; the event loop of a busy box may keep it waiting for some. */
const PLAN_WITHIN = seconds(10);

export interface Observed {
  readonly site: string;
  readonly journal: Pick<JournalStatus, 'writable' | 'fault' | 'reason'>;
  /** How long ago load balancing planned last; undefined: it has not planned yet. */
  readonly planAge: Milliseconds | undefined;
  readonly csms: readonly CsmsSummary[];
  readonly stations: readonly StationSummary[];
  /** Undefined: no grid operator limits the site. */
  readonly gridOperator: GridOperatorSummary | undefined;
}

/** A gateway works without its CSMSs: what is missing around it degrades it, and only what it cannot do itself fails it. */
export function health(observed: Observed): Health {
  const checks = [
    journal(observed),
    balancing(observed),
    stations(observed),
    ...gridOperator(observed),
    ...observed.csms.map(csms),
  ];
  const worst = (status: HealthStatus): boolean => checks.some((check) => check.status === status);
  return {
    site: observed.site,
    status: worst('failing') ? 'failing' : worst('degraded') ? 'degraded' : 'ok',
    checks,
  };
}

function journal({ journal: { writable, fault, reason } }: Observed): HealthCheck {
  if (writable) return { check: 'journal', status: 'ok' };
  return {
    check: 'journal',
    status: 'failing',
    ...(reason !== undefined && { reason }),
    ...(fault !== undefined && { fault }),
  };
}

/** The site charges on within the fail-safe limit: that is less than it could, and somebody has to look. */
function gridOperator({ gridOperator: operator }: Observed): readonly HealthCheck[] {
  if (operator === undefined) return [];
  const check = 'grid-operator';
  if (!operator.failsafe) return [{ check, status: 'ok' }];
  const silent = operator.sources.flatMap(({ source, failsafeSince }) => (failsafeSince === undefined ? [] : source));
  const reason = `not heard, so that the fail-safe limit holds: ${silent.join(', ')}`;
  return [{ check, status: 'degraded', reason, fault: FAULTS.gridOperatorLost.code }];
}

function balancing({ planAge }: Observed): HealthCheck {
  if (planAge !== undefined && planAge <= PLAN_WITHIN) return { check: 'balancing', status: 'ok' };
  const reason =
    planAge === undefined ? 'no plan has been made yet' : `the last plan is ${Math.round(planAge / 1000)} s old`;
  return { check: 'balancing', status: 'failing', reason };
}

function stations({ stations: all }: Observed): HealthCheck {
  const away = all.filter(({ connected }) => !connected).map(({ station }) => station);
  if (away.length === 0) return { check: 'stations', status: 'ok' };
  const named = away.slice(0, 10).join(', ') + (away.length > 10 ? ', ...' : '');
  return { check: 'stations', status: 'degraded', reason: `${away.length} of ${all.length} not connected: ${named}` };
}

function csms({ csms: id, connected, accepted, deadLetters, queued, lastError }: CsmsSummary): HealthCheck {
  const check = `csms/${id}`;
  if (!connected || !accepted) {
    const reason = `${connected ? 'does not accept the site' : 'not connected'}; ${queued} entries wait for it`;
    return { check, status: 'degraded', reason, fault: FAULTS.csmsRefused.code };
  }
  if (deadLetters === 0) return { check, status: 'ok' };
  const last = lastError === undefined ? '' : `; last error: ${lastError}`;
  return { check, status: 'degraded', reason: `${deadLetters} dead letters${last}`, fault: FAULTS.deadLetter.code };
}
