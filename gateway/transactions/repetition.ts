// Recognises a station event that was sent before: chargers repeat what they hold no answer for (OCPP 1.6 section 3.7, 2.0.1 E13).
import { tokenKey } from '../site/tokens.js';
import type { TransactionReported } from '../site/station-event.js';
import type { MeterValue } from '../site/metering.js';
import { registersIn } from './register.js';

/** How many events of one transaction are remembered. */
const REMEMBERED = 32;

/** FNV-1a, 32 bit: enough to tell apart two messages of one kind and one timestamp. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(16);
}

/**
 * The key by which a repeated event of one transaction is known.
 * 2.0.1: its seqNo, with kind and time because some stations count from 0 in each transaction and some per EVSE.
 * 1.6 and Modbus: time and content.
 */
export function eventKey(event: TransactionReported): string {
  const what =
    event.seqNo === undefined
      ? hash(
          JSON.stringify([
            event.evse,
            event.idToken && tokenKey(event.idToken),
            event.trigger,
            event.chargingState,
            asSaid(event.meterValues),
          ]),
        )
      : `#${event.seqNo}`;
  // Joined, not concatenated: V8 keeps that as one piece, and it is compared with all that are remembered.
  return [event.kind, event.reportedAt ?? event.at, what].join(':');
}

/**
 * As the station said it: with its own times, for those of the arrival are others at every repetition, and without what the
 * gateway may have added of its own, which is what it offers at that moment.
 */
const asSaid = (values: readonly MeterValue[]): readonly MeterValue[] =>
  values.map(({ at, reportedAt, sampled }) => ({
    at: reportedAt ?? at,
    sampled: sampled.filter(({ measurand }) => measurand !== 'Current.Offered' && measurand !== 'Power.Offered'),
  }));

/** The identity of a start that bears no transaction id (1.6): connector, idTag without case, time and meterStart. */
export function startKey(event: TransactionReported): string {
  const begin = registersIn(event.meterValues);
  return JSON.stringify([
    event.evse ?? null,
    event.connector ?? null,
    event.idToken === undefined ? null : tokenKey(event.idToken),
    event.reportedAt ?? event.at,
    (begin?.begin ?? begin?.first)?.value ?? null,
  ]);
}

/** `seen` with one more key; the oldest give way. A repeated start is known without them, by its own time or `startKey`. */
export function remember(seen: readonly string[], key: string): readonly string[] {
  const kept = seen.slice(1 - REMEMBERED);
  kept.push(key);
  return kept;
}
