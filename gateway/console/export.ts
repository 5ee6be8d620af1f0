// Entries of the journal as the lines of an export: what happened in transactions, and the bills.
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import { maskToken } from '../kernel/log.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type { Bound, ExportedEntry, ExportSelection } from '../ports/console.js';
import type { JournalEntry } from '../ports/journal.js';
import type { MeterValue } from '../site/metering.js';
import type { IdToken } from '../site/tokens.js';
import type { ChargeDetailRecord, TransactionRecord } from '../site/transaction.js';
import { bill } from '../telemetry/topics.js';

/** Read at a time: some hundred kilobytes. */
const PAGE = 500;

/** As much of the journal as an export needs; a file without a gateway offers it too. */
export type EntryReader = (after: JournalSeq, limit: number) => Promise<readonly JournalEntry[]>;

export async function* exportEntries(read: EntryReader, selection: ExportSelection): AsyncGenerator<ExportedEntry> {
  const { types, from, to, tokens } = selection;
  let after = journalSeq(from !== undefined && 'seq' in from ? from.seq - 1 : 0);
  for (;;) {
    const page = await read(after, PAGE);
    for (const { seq, record } of page) {
      if (to !== undefined && 'seq' in to && seq > to.seq) return;
      after = seq;
      if (record.type !== 'transaction' && record.type !== 'cdr') continue;
      if (!types.includes(record.type)) continue;
      const at = record.type === 'cdr' ? record.endedAt : record.at;
      if (isBefore(at, from) || (to !== undefined && 'at' in to && at >= to.at)) continue;
      yield exported(seq, record, tokens);
    }
    if (page.length === 0) return;
  }
}

const isBefore = (at: Timestamp, from: Bound | undefined): boolean =>
  from !== undefined && 'at' in from && at < from.at;

function exported(
  seq: JournalSeq,
  record: TransactionRecord | ChargeDetailRecord,
  tokens: 'masked' | 'full',
): ExportedEntry {
  if (record.type === 'cdr') return { type: 'cdr', ...bill(seq, record, tokens) };
  return {
    type: 'transaction',
    seq,
    transaction: record.uid,
    n: record.n,
    event: record.kind,
    at: toRfc3339(record.at),
    reportedAt: record.reportedAt && toRfc3339(record.reportedAt),
    station: record.station,
    evse: record.evse,
    connector: record.connector,
    trigger: record.trigger,
    chargingState: record.chargingState,
    offline: record.offline,
    idToken: shown(record.idToken, tokens),
    startToken: shown(record.startToken, tokens),
    meterStart_Wh: record.meterStart,
    register_Wh: record.register,
    stoppedReason: record.stoppedReason,
    reservationId: record.reservationId,
    remoteStartId: record.remoteStartId,
    meterValues: record.meterValues.map((value) => values(value, tokens)),
  };
}

const shown = (token: IdToken | undefined, tokens: 'masked' | 'full'): string | undefined =>
  token && (tokens === 'full' ? token.idToken : maskToken(token.idToken));

function values({ at, sampled }: MeterValue, tokens: 'masked' | 'full'): object {
  return {
    at: toRfc3339(at),
    // A signed reading names the driver in its signed part.
    sampled:
      tokens === 'full' ? sampled : sampled.map(({ signed, ...value }) => ({ ...value, signed: signed && 'masked' })),
  };
}
