// Writes the record of one thing that happened in a transaction, numbered in its transaction.
import type { MeterValue } from '../site/metering.js';
import type { StoppedReason, TransactionReported, TriggerReason } from '../site/station-event.js';
import type { IdToken } from '../site/tokens.js';
import type { TransactionRecord } from '../site/transaction.js';
import type { Timestamp } from '../kernel/units.js';
import type { TransactionEntry } from './book.js';
import { amended } from '../kernel/amended.js';
import { present } from './present.js';

/** What a record says beside the state of its transaction. */
export interface Happening {
  readonly kind: TransactionRecord['kind'];
  readonly at: Timestamp;
  readonly reportedAt?: Timestamp | undefined;
  readonly trigger: TriggerReason;
  readonly offline?: boolean;
  readonly idToken?: IdToken | undefined;
  readonly meterValues?: readonly MeterValue[];
  readonly stoppedReason?: StoppedReason | undefined;
  readonly phasesUsed?: number | undefined;
  readonly cableMaxCurrent?: number | undefined;
  readonly customData?: TransactionReported['customData'] | undefined;
  /** `eventKey`, of an update. */
  readonly key?: string | undefined;
}

/** The next record of a transaction in its state after the event, and its entry with the number used up. */
export function append(
  entry: TransactionEntry,
  happening: Happening,
): { readonly entry: TransactionEntry; readonly record: TransactionRecord } {
  const { transaction } = entry;
  const record: TransactionRecord = {
    type: 'transaction',
    uid: transaction.uid,
    n: entry.nextN,
    station: transaction.station,
    evse: transaction.evse,
    connector: transaction.connector,
    chargingState: transaction.chargingState,
    ...present({
      kind: happening.kind,
      at: happening.at,
      reportedAt: happening.reportedAt,
      trigger: happening.trigger,
      idToken: happening.idToken,
      stoppedReason: happening.stoppedReason,
      phasesUsed: happening.phasesUsed,
      cableMaxCurrent: happening.cableMaxCurrent,
      customData: happening.customData,
      key: happening.key,
      offline: happening.offline ?? false,
      meterValues: happening.meterValues ?? [],
      reservationId: happening.kind === 'started' ? transaction.reservationId : undefined,
      remoteStartId: happening.kind === 'started' ? transaction.remoteStartId : undefined,
      meterStart: transaction.meterStart,
      register: transaction.register,
      startToken: transaction.idToken,
    }),
  };
  return { entry: amended(entry, { nextN: entry.nextN + 1 }), record };
}
