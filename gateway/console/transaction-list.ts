// The transactions of the site, open and billed, the newest first: for the console's list and its table.
import { maskToken } from '../kernel/log.js';
import { uuidV7 } from '../kernel/ids.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import type { ListedTransaction, TransactionSelection } from '../ports/console.js';
import type { ChargeDetailRecord, Transaction } from '../site/transaction.js';
import type { Tariff } from '../site/topology.js';
import { BILLS } from '../shell/transaction-keeper.js';
import { transactionSummary } from './site-status.js';

/** Read at a time. */
const PAGE = 200;
/** A charger that was away may tell of a transaction this much later; its id is of when it was told. */
const TOLD_LATE = 30 * 86_400_000;

export interface TransactionSources {
  readonly open: () => readonly Transaction[];
  /** Documents whose key is before `before`, the greatest key first. */
  readonly newest: (collection: string, before: string, limit: number) => Promise<ReadonlyMap<string, unknown>>;
  readonly tariff: Tariff | undefined;
  readonly now: () => Timestamp;
}

export async function* transactionList(
  sources: TransactionSources,
  { from, to, evse, tokens }: TransactionSelection,
): AsyncGenerator<ListedTransaction> {
  const { open, newest, tariff, now } = sources;
  const wanted = (one: { readonly evse: number; readonly startedAt: number }): boolean =>
    (evse === undefined || one.evse === evse) &&
    (from === undefined || one.startedAt >= from) &&
    (to === undefined || one.startedAt < to);
  const shown = (token: string): string => (tokens === 'full' ? token : maskToken(token));
  for (const one of [...open()].sort((a, b) => (a.uid < b.uid ? 1 : -1))) {
    if (!wanted(one)) continue;
    const summary = transactionSummary(one, { tariff, now: now() }, shown);
    yield { ...summary, station: one.station, evse: one.evse, open: true };
  }
  // Ids rise with the time at which the gateway learned of them, which is never before they began.
  const idAt = (at: number): string => uuidV7(at, new Uint8Array(10));
  let before = to === undefined ? '~' : idAt(to + TOLD_LATE);
  for (;;) {
    const page = await newest(BILLS, before, PAGE);
    for (const [uid, value] of page) {
      before = uid;
      if (from !== undefined && uid < idAt(from)) return;
      const record = value as ChargeDetailRecord;
      if (wanted(record)) yield listed(record, shown);
    }
    if (page.size < PAGE) return;
  }
}

function listed(record: ChargeDetailRecord, shown: (token: string) => string): ListedTransaction {
  const { uid, station, evse, startedAt, endedAt, idToken, energy, cost, stoppedReason, estimated } = record;
  return {
    transaction: uid,
    station,
    evse,
    startedAt: toRfc3339(startedAt),
    endedAt: toRfc3339(endedAt),
    ...(idToken && { idToken: shown(idToken.idToken) }),
    energy_Wh: energy,
    ...(cost && { cost: { amount: cost.total, currency: cost.currency } }),
    reason: stoppedReason,
    ...(estimated && { estimated }),
    open: false,
  };
}
