// How one connector looks to one CSMS, and when two looks are the same to it.
import { timestamp, type Timestamp } from '../kernel/units.js';
import type { ConnectorView } from '../ports/csms.js';
import type { LiveSite } from '../site/live-state.js';
import type { Csms } from '../site/topology.js';
import type { SlotRow, SlotTable } from './slots.js';

/**
 * The connector as this CSMS is to see it. Removed hardware and connectors of which nothing is known are Unavailable; to a
 * 1.6 CSMS, which has no EVSEs, so is a free connector whose sibling on the same EVSE is in use.
 * @param now the time of a status that nobody has reported
 */
export function connectorView(
  row: SlotRow,
  slots: SlotTable,
  live: LiveSite,
  version: Csms['ocpp'],
  now: Timestamp,
): ConnectorView {
  const seen = row.removed ? undefined : live.connector(row.evse, row.connector);
  if (seen === undefined)
    return { slot: row.slot, status: 'Unavailable', transaction: 'none', chargingState: 'Idle', at: now };
  const { transaction, chargingState, energized, error } = seen;
  const sibling = version === '1.6' && seen.status === 'Available' ? busySibling(row, slots, live) : undefined;
  return {
    slot: row.slot,
    status: sibling === undefined ? seen.status : 'Unavailable',
    transaction,
    chargingState,
    ...(energized === true && { energized }),
    ...(error === undefined ? {} : { error }),
    at: sibling === undefined ? seen.at : timestamp(Math.max(seen.at, sibling)),
  };
}

/**
 * What a CSMS of this version can tell apart: two views with the same look need no second message. An error counts in
 * both: 1.6 says it in the status, 2.0.1 in an event beside it.
 */
export function look(view: ConnectorView, version: Csms['ocpp']): string {
  const error = view.error === undefined || view.error.code === 'NoError' ? undefined : view.error;
  return [version === '2.0.1' ? view.status : status16(view), error?.code, error?.vendorErrorCode].join(' ');
}

/** The nine states of OCPP 1.6 section 4.9 from what 2.0.1 says in a connector status and a transaction. */
function status16(view: ConnectorView): string {
  if (view.status !== 'Occupied') return view.status;
  if (view.transaction === 'none') return 'Preparing';
  if (view.transaction === 'ended') return 'Finishing';
  const still = view.chargingState === 'EVConnected' || view.chargingState === 'Idle';
  return still && view.energized !== true ? 'Preparing' : view.chargingState;
}

/** When the sibling that occupies the EVSE became busy. */
function busySibling(row: SlotRow, slots: SlotTable, live: LiveSite): Timestamp | undefined {
  for (const other of slots.ofEvse(row.evse)) {
    if (other.connector === row.connector) continue;
    const seen = live.connector(other.evse, other.connector);
    if (seen?.status === 'Occupied') return seen.at;
  }
  return undefined;
}
