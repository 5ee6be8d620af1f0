// Identities as types: a CSMS's transaction id cannot be passed where a local one is meant.

declare const identity: unique symbol;

type Identity<T, Name extends string> = T & { readonly [identity]: Name };

/** The identity of a charging station: the last path segment of its URL, or the key in site.yaml. */
export type StationId = Identity<string, 'station'>;
/** The number of an EVSE on the whole site, as painted on the wall; from 1, unique over all stations. */
export type EvseNumber = Identity<number, 'evse'>;
export type CircuitId = Identity<string, 'circuit'>;
export type MeterId = Identity<string, 'meter'>;
export type CsmsId = Identity<string, 'csms'>;
/** The gateway's own id of a transaction: a UUIDv7, never reused, known to every 2.0.1 CSMS (E01.FR.08). */
export type TransactionUid = Identity<string, 'transaction'>;
/** The id by which a charging station knows its transaction: a decimal integer in OCPP 1.6, any string in 2.0.1. */
export type StationTransactionId = Identity<string, 'station transaction'>;
/** Position in the journal: from 1, rising; a number may be missing, none is used twice. */
export type JournalSeq = Identity<number, 'journal'>;

export const stationId = (value: string): StationId => value as StationId;
export const evseNumber = (value: number): EvseNumber => value as EvseNumber;
export const circuitId = (value: string): CircuitId => value as CircuitId;
export const meterId = (value: string): MeterId => value as MeterId;
export const csmsId = (value: string): CsmsId => value as CsmsId;
export const transactionUid = (value: string): TransactionUid => value as TransactionUid;
export const stationTransactionId = (value: string): StationTransactionId => value as StationTransactionId;
export const journalSeq = (value: number): JournalSeq => value as JournalSeq;

/**
 * A UUID of version 7 (RFC 9562 section 5.7): sorts by time, so journals and clouds list transactions in order.
 * @param at milliseconds since 1970
 * @param random 10 random bytes
 */
export function uuidV7(at: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = Math.max(0, Math.floor(at));
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
