// Canonical transaction record -> OCPP 1.6 StartTransaction, MeterValues, StopTransaction, with what must be remembered between them.
import type { OCPP16 } from 'typed-ocpp';
import type { ProjectionState, Slot } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { StoppedReason } from '../../gateway/site/station-event.js';
import type { TransactionRecord } from '../../gateway/site/transaction.js';
import { type Frame, frame } from '../ocpp-j/csms-delivery.js';
import { encodeMeterValue, encodeMeterValues } from './encode-meter-values.js';
import { type TokenAliases, idTagOf } from '../ocpp-j/token-alias.js';

/** Where one transaction stands with this CSMS. */
export interface Chain {
  /** From StartTransaction.conf; any integer is legal. */
  readonly csmsTransactionId?: number;
  /** The CSMS refused the start and kept nothing (transactionId 0): it is told of the stop once and of nothing else. */
  readonly rejected?: boolean;
  /** The begin, while something that StartTransaction must say is missing. */
  readonly pendingStart?: { readonly at: number };
  /** Set by the view: the start is a dead letter, so the rest goes out with -1 (errata 3.18). */
  readonly startDead?: boolean;
  /** Set by the view: an earlier start went out and was not answered. */
  readonly repeated?: boolean;
}

const integer = (value: unknown): number | undefined => (Number.isInteger(value) ? Number(value) : undefined);

export function chainOf(state: ProjectionState): Chain {
  const csmsTransactionId = integer(state['csmsTransactionId']);
  const pending = state['pendingStart'];
  const at = typeof pending === 'object' && pending !== null && 'at' in pending ? integer(pending.at) : undefined;
  return {
    ...(csmsTransactionId !== undefined && { csmsTransactionId }),
    ...(state['rejected'] === true && { rejected: true }),
    ...(at !== undefined && { pendingStart: { at } }),
    ...(state['startDead'] === true && { startDead: true }),
    ...(state['repeated'] === true && { repeated: true }),
  };
}

/** The chain as the view keeps it. */
export const stateOf = (chain: Chain): ProjectionState => ({ ...chain });

/** 2.0.1 ReasonEnumType -> 1.6 Reason (translation table G). */
const REASONS: Readonly<Record<StoppedReason, NonNullable<OCPP16.StopTransactionRequest['reason']>>> = {
  DeAuthorized: 'DeAuthorized',
  EmergencyStop: 'EmergencyStop',
  EnergyLimitReached: 'Other',
  EVDisconnected: 'EVDisconnected',
  GroundFault: 'Other',
  ImmediateReset: 'HardReset',
  Local: 'Local',
  LocalOutOfCredit: 'Other',
  MasterPass: 'Local',
  Other: 'Other',
  OvercurrentFault: 'Other',
  PowerLoss: 'PowerLoss',
  PowerQuality: 'Other',
  Reboot: 'Reboot',
  Remote: 'Remote',
  SOCLimitReached: 'Other',
  StoppedByEV: 'Other',
  TimeLimitReached: 'Other',
  Timeout: 'Other',
};

export const reasonOf = (record: Pick<TransactionRecord, 'stoppedReason' | 'trigger'>) =>
  record.trigger === 'UnlockCommand' ? 'UnlockCommand' : REASONS[record.stoppedReason ?? 'Local'];

/** Registers are whole Wh in 1.6, rounded down so that nobody pays for a part that was not delivered. */
const wholeWattHours = (register: number): number => Math.floor(register);

/**
 * StartTransaction, once everything it must say is known: token, register and a car on the cable. A 2.0.1 charger may
 * begin a transaction before any of these; the power path then closes with the record that brings the last of them.
 */
export function encodeStart(
  record: TransactionRecord,
  slot: Slot,
  chain: Chain,
  aliases: TokenAliases,
): OCPP16.StartTransactionRequest | undefined {
  const token = record.startToken ?? (record.kind === 'ended' ? undefined : record.idToken);
  if (token === undefined || record.meterStart === undefined) return undefined;
  const meterStart = wholeWattHours(record.meterStart);
  const delivered = record.register !== undefined && record.register > record.meterStart;
  // No car came, or nothing was drawn: for 1.6 there was no transaction.
  if (record.kind === 'ended' ? !delivered : record.chargingState === 'Idle' && !delivered) return undefined;
  const at = record.kind === 'ended' ? (chain.pendingStart?.at ?? record.at) : record.at;
  return {
    connectorId: slot.flat,
    idTag: idTagOf(token, aliases),
    meterStart,
    timestamp: new Date(at).toISOString(),
    ...(record.reservationId !== undefined && { reservationId: record.reservationId }),
  };
}

export function encodeStop(
  record: TransactionRecord,
  transactionId: number,
  aliases: TokenAliases,
): OCPP16.StopTransactionRequest {
  const transactionData = encodeMeterValue(record.meterValues);
  return {
    transactionId,
    meterStop: wholeWattHours(record.register ?? record.meterStart ?? 0),
    timestamp: toRfc3339(record.at),
    reason: reasonOf(record),
    ...(record.idToken !== undefined && { idTag: idTagOf(record.idToken, aliases) }),
    ...(transactionData.length > 0 && { transactionData }),
  };
}

/** What follows the start; undefined where 1.6 has nothing to say of it. */
export function encodeFollower(
  record: TransactionRecord,
  slot: Slot,
  chain: Chain,
  transactionId: number,
  aliases: TokenAliases,
): Frame | undefined {
  switch (record.kind) {
    case 'started':
      return undefined;
    case 'updated': {
      const values = chain.rejected ? undefined : encodeMeterValues(slot, record.meterValues, transactionId);
      return values && frame('MeterValues', values, 'values');
    }
    case 'ended':
      return frame('StopTransaction', encodeStop(record, transactionId, aliases), 'transaction');
  }
}
