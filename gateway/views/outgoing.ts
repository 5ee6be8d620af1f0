// What one CSMS has to be told of one entry of the journal, if anything.
import { amended } from '../kernel/amended.js';
import type { JournalSeq } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { CsmsMessage, ProjectionState } from '../ports/csms.js';
import type { Csms } from '../site/topology.js';
import type { JournalRecord, MeterRecord, SecurityRecord, TransactionRecord } from '../site/transaction.js';
import type { Projection } from './projections.js';
import { sampleTransaction, thin, type SamplingSettings } from './sampling.js';
import type { SlotTable } from './slots.js';

export interface OutgoingContext {
  /** Whether the CSMS is told of an EVSE's transactions: it sees it, or the record is from when it did. */
  readonly tells: (record: TransactionRecord, seq: JournalSeq) => boolean;
  readonly csms: Csms;
  readonly slots: SlotTable;
  readonly sampling: SamplingSettings;
  readonly projection: (uid: TransactionRecord['uid']) => Projection | undefined;
  /** The last non-transaction sample sent for an EVSE. */
  readonly sampledAt: (record: MeterRecord) => Timestamp | undefined;
}

export interface Outgoing {
  readonly message: CsmsMessage;
  /** For a sample that was kept: when it was taken. */
  readonly sampledAt?: Timestamp;
}

/** undefined: this CSMS is not told of it (not its EVSE, thinned out, not for a CSMS at all). */
export function outgoing(record: JournalRecord, context: OutgoingContext, seq: JournalSeq): Outgoing | undefined {
  switch (record.type) {
    case 'transaction':
      return transaction(record, context, seq);
    case 'meter':
      return meter(record, context);
    case 'security':
      return security(record, context.slots);
    case 'cdr':
      return undefined;
  }
}

/** A transaction message that is made from a state; also used to send one again by hand. */
export function transactionMessage(
  record: TransactionRecord,
  slots: SlotTable,
  state: ProjectionState,
): CsmsMessage | undefined {
  const row = slots.of(record.evse, record.connector) ?? slots.ofEvse(record.evse)[0];
  return row && { type: 'transaction', record, slot: row.slot, offline: record.offline, state };
}

/** True while a 1.6 CSMS has not been sent the start, which may have to wait for its token (S19). */
export function startIsDue(csms: Csms, state: ProjectionState): boolean {
  return csms.ocpp === '1.6' && state['csmsTransactionId'] === undefined && state['startDead'] !== true;
}

function transaction(record: TransactionRecord, context: OutgoingContext, seq: JournalSeq): Outgoing | undefined {
  if (!context.tells(record, seq)) return undefined;
  const projection = context.projection(record.uid);
  const state = projection?.state ?? {};
  const { values, sampledAt } = sampleTransaction(record, context.sampling, projection?.sampledAt);
  const silent = context.csms.ocpp === '1.6' || isSampleOnly(record);
  if (record.kind === 'updated' && values.length === 0 && silent && !startIsDue(context.csms, state)) return undefined;
  const message = transactionMessage(amended(record, { meterValues: values }), context.slots, state);
  return message && { message, ...(sampledAt === undefined ? {} : { sampledAt }) };
}

/** Reported for its values alone: worth nothing once they are thinned out. */
function isSampleOnly(record: TransactionRecord): boolean {
  return record.trigger === 'MeterValuePeriodic' || record.trigger === 'MeterValueClock';
}

/** A station's own main meter (no EVSE) is no meter of the site and is not passed on. */
function meter(record: MeterRecord, context: OutgoingContext): Outgoing | undefined {
  if (record.evse === undefined || !context.slots.sees(record.evse)) return undefined;
  const { values, sampledAt } = thin(record.meterValues, context.sampling, context.sampledAt(record));
  const slot = context.slots.ofEvse(record.evse)[0]?.slot;
  if (values.length === 0 || slot === undefined) return undefined;
  return {
    message: { type: 'meterValues', slot, meterValues: values },
    ...(sampledAt === undefined ? {} : { sampledAt }),
  };
}

/** techInfo holds at most 255 characters in both versions. */
const TECH_INFO = 255;

function security(record: SecurityRecord, slots: SlotTable): Outgoing | undefined {
  const { event, at } = record;
  const own = record.techInfo === undefined ? [] : [record.techInfo];
  if (record.station !== undefined) {
    const numbers = slots.evses.flatMap((evse) =>
      evse.station === record.station ? (slots.ofEvse(evse.number)[0]?.slot.evse ?? []) : [],
    );
    if (numbers.length === 0) return undefined;
    own.unshift(`evse=${numbers.join(',')}`);
  }
  const techInfo = own.join(';').slice(0, TECH_INFO);
  return { message: { type: 'securityEvent', event, at, ...(techInfo === '' ? {} : { techInfo }) } };
}
