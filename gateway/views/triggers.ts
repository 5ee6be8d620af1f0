// What a TriggerMessage sets off: everything is told from what the gateway knows, no charger is asked.
import type { Timestamp } from '../kernel/units.js';
import type { CsmsAnswer, CsmsCommand, CsmsMessage } from '../ports/csms.js';
import type { Operations } from '../ports/operations.js';
import type { LiveSite } from '../site/live-state.js';
import type { MeterValue } from '../site/metering.js';
import type { TriggerReason } from '../site/station-event.js';
import type { Transaction, TransactionRecord } from '../site/transaction.js';
import { triggered } from './sampling.js';
import type { SlotRow, SlotTable } from './slots.js';

export interface TriggerContext {
  readonly slots: SlotTable;
  readonly live: LiveSite;
  readonly operations: Pick<Operations, 'openTransactions'>;
  readonly now: () => Timestamp;
  readonly measurands: () => ReadonlySet<string>;
  readonly tellStatuses: (rows: readonly SlotRow[] | undefined) => void;
  readonly tellTransaction: (record: TransactionRecord) => void;
  readonly send: (message: CsmsMessage) => void;
}

type Trigger = Extract<CsmsCommand, { type: 'trigger' }>;

export function trigger(command: Trigger, context: TriggerContext): CsmsAnswer {
  const target = context.slots.resolve(command.target);
  if (target.kind === 'unknown') return { status: 'Rejected', reasonCode: 'UnknownEvse' };
  const rows =
    target.kind === 'connector' ? rowsOf(context.slots, target.target.evse, target.target.connector) : undefined;
  switch (command.message) {
    case 'BootNotification':
      // The link boots by itself while it is not accepted; after that nothing may (1.6 errata 3.35, F06.FR.17).
      return { status: 'Rejected' };
    case 'StatusNotification':
      return { status: 'Accepted', afterwards: () => context.tellStatuses(rows) };
    case 'MeterValues':
      return meterValues(rows ?? context.slots.rows, context);
    case 'TransactionEvent':
      return transactionEvents(rows ?? context.slots.rows, context);
    case 'FirmwareStatusNotification':
      return idle('firmware', context);
    case 'LogStatusNotification':
      return idle('log', context);
    default:
      return { status: 'NotImplemented' };
  }
}

/** The gateway runs no update and no upload on behalf of a CSMS. */
function idle(job: 'firmware' | 'log', { send }: TriggerContext): CsmsAnswer {
  return { status: 'Accepted', afterwards: () => send({ type: 'jobStatus', job, status: 'Idle' }) };
}

function rowsOf(slots: SlotTable, evse: SlotRow['evse'], connector: number | undefined): readonly SlotRow[] {
  return slots.ofEvse(evse).filter((row) => connector === undefined || row.connector === connector);
}

function meterValues(rows: readonly SlotRow[], { live, measurands, send }: TriggerContext): CsmsAnswer {
  const messages = firstOfEachEvse(rows).flatMap((row): CsmsMessage[] => {
    const last = live.evse(row.evse)?.lastValues;
    const values = last && triggered(last, measurands());
    if (values === undefined || values.sampled.length === 0) return [];
    return [{ type: 'meterValues', slot: row.slot, meterValues: [values] }];
  });
  if (messages.length === 0) return { status: 'Rejected', reasonCode: 'NoValues' };
  return { status: 'Accepted', afterwards: () => messages.forEach(send) };
}

function transactionEvents(rows: readonly SlotRow[], context: TriggerContext): CsmsAnswer {
  const open = context.operations
    .openTransactions()
    .filter((transaction) => rows.some((row) => row.evse === transaction.evse && !row.removed));
  if (open.length === 0) return { status: 'Rejected', reasonCode: 'NoTransaction' };
  const records = open.map((transaction) => {
    const last = context.live.evse(transaction.evse)?.lastValues;
    const values = last && triggered(last, context.measurands());
    return transactionAsItStands(transaction, 'Trigger', context.now(), values);
  });
  return { status: 'Accepted', afterwards: () => records.forEach(context.tellTransaction) };
}

/** Told between two records of the journal and no part of it, so its place `n` is never read. */
export function transactionAsItStands(
  transaction: Transaction,
  trigger: TriggerReason,
  at: Timestamp,
  values: MeterValue | undefined,
): TransactionRecord {
  const { uid, station, evse, connector, chargingState, idToken, meterStart, register } = transaction;
  return {
    type: 'transaction',
    uid,
    n: 0,
    kind: 'updated',
    station,
    evse,
    connector,
    at,
    trigger,
    chargingState,
    meterValues: values === undefined || values.sampled.length === 0 ? [] : [values],
    offline: false,
    ...(meterStart === undefined ? {} : { meterStart }),
    ...(register === undefined ? {} : { register }),
    ...(idToken === undefined ? {} : { startToken: idToken }),
  };
}

function firstOfEachEvse(rows: readonly SlotRow[]): readonly SlotRow[] {
  return rows.filter((row, index) => !row.removed && rows.findIndex((other) => other.evse === row.evse) === index);
}
