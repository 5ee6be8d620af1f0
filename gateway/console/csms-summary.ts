// How one CSMS stands, as the console shows it.
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type { CsmsSummary } from '../ports/console.js';
import type { ViewStatus } from '../views/view.js';

export function csmsSummary(status: ViewStatus, now: Timestamp): CsmsSummary {
  const { csms, connected, accepted, queued, oldest, inFlight, dead, delivered, refused, shed, lastError } = status;
  return {
    csms,
    connected,
    accepted: connected && accepted,
    queued,
    ...waitingSince(oldest, now),
    inFlight,
    deadLetters: dead,
    delivered,
    refused,
    shed,
    ...(lastError !== undefined && { lastError }),
  };
}

/** A charger's clock may be ahead: nothing waits since a moment that has still to come. */
export const waitingSince = (
  oldest: Timestamp | undefined,
  now: Timestamp,
): Pick<CsmsSummary, 'oldest' | 'oldestAge_s'> =>
  oldest === undefined
    ? {}
    : { oldest: toRfc3339(oldest), oldestAge_s: Math.max(0, Math.round((now - oldest) / 1000)) };
