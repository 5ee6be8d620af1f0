// What the gateway has written down, read from its journal after it has ended, without a line of its own code.
import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** One transaction as the journal tells it; registers in Wh. */
export interface WrittenTransaction {
  readonly uid: string;
  readonly evse: number;
  readonly meterStart: number | undefined;
  /** Of the record that every CSMS is told. */
  readonly meterStop: number | undefined;
  readonly ended: boolean;
  /** Still among the documents of open transactions. */
  readonly listedOpen: boolean;
  /** The newest of its bills. */
  readonly bill: { readonly meterStart: number; readonly meterStop: number; readonly estimated: boolean } | undefined;
}

/** A message that one CSMS refused for good. */
export interface WrittenDeadLetter {
  readonly uid: string | undefined;
  readonly kind: string | undefined;
  /** 2.0.1: the number that it keeps. */
  readonly seqNo: number | undefined;
}

export interface WrittenJournal {
  readonly transactions: readonly WrittenTransaction[];
  readonly deadLetters: (csms: string) => readonly WrittenDeadLetter[];
  /** True while something of a transaction still waits for this CSMS. */
  readonly behind: (csms: string) => boolean;
}

interface TransactionBody {
  readonly type: 'transaction';
  readonly uid: string;
  readonly evse: number;
  readonly kind: 'started' | 'updated' | 'ended';
  readonly meterStart?: number;
  readonly register?: number;
}
interface BillBody {
  readonly type: 'cdr';
  readonly uid: string;
  readonly meterStart: number;
  readonly meterStop: number;
  readonly estimated: boolean;
}
type Body = TransactionBody | BillBody | { readonly type: 'meter' | 'security' };
interface LetterBody {
  readonly record: { readonly uid?: string; readonly kind?: string };
  readonly state?: { readonly seqNo?: number };
}

/** @throws Error when the file is not there, or a gateway still holds it */
export function readJournal(dataDirectory: string): WrittenJournal {
  const file = join(dataDirectory, 'journal.db');
  if (!existsSync(file)) throw new Error(`there is no journal at ${file}`);
  const db = new Database(file, { readonly: true, timeout: 2000 });
  try {
    const rows = db.prepare('SELECT seq, body FROM entry ORDER BY seq').raw().all() as [number, string][];
    const entries = rows.map(([seq, body]) => ({ seq, body: JSON.parse(body) as Body }));
    const documents = (collection: string): ReadonlyMap<string, unknown> =>
      new Map(
        (
          db.prepare('SELECT key, body FROM document WHERE collection = ?').raw().all(collection) as [string, string][]
        ).map(([key, body]) => [key, JSON.parse(body)]),
      );
    const records = entries.flatMap(({ body }) => (body.type === 'transaction' ? [body] : []));
    const bills = entries.flatMap(({ body }) => (body.type === 'cdr' ? [body] : []));
    const open = documents('transaction') as ReadonlyMap<string, { readonly transaction: { endedAt?: number } }>;
    const lastOfTransactions = entries.findLast(({ body }) => body.type === 'transaction')?.seq ?? 0;
    const letters = new Map<string, readonly WrittenDeadLetter[]>();
    const cursors = new Map<string, number>();
    const views = db.prepare("SELECT DISTINCT collection FROM document WHERE collection LIKE 'view/%'").pluck().all();
    for (const collection of views as string[]) {
      const csms = collection.slice('view/'.length);
      const stored = documents(collection);
      letters.set(
        csms,
        [...stored].filter(([key]) => key.startsWith('dead/')).map(([, value]) => letterOf(value as LetterBody)),
      );
      cursors.set(csms, (stored.get('cursor') as { readonly seq: number } | undefined)?.seq ?? 0);
    }
    return {
      transactions: [...new Set(records.map(({ uid }) => uid))].map((uid) => {
        const document = open.get(uid)?.transaction;
        return {
          ...writtenOf(
            uid,
            records.filter((record) => record.uid === uid),
          ),
          listedOpen: document !== undefined && document.endedAt === undefined,
          bill: bills.findLast((bill) => bill.uid === uid),
        };
      }),
      deadLetters: (csms) => letters.get(csms) ?? [],
      behind: (csms) => (cursors.get(csms) ?? 0) < lastOfTransactions,
    };
  } finally {
    db.close();
  }
}

const letterOf = ({ record, state }: LetterBody): WrittenDeadLetter => ({
  uid: record.uid,
  kind: record.kind,
  seqNo: state === undefined ? undefined : (state.seqNo ?? 0),
});

function writtenOf(uid: string, records: readonly TransactionBody[]) {
  const end = records.findLast(({ kind }) => kind === 'ended');
  return {
    uid,
    evse: records[0]?.evse ?? -1,
    meterStart: records.findLast(({ meterStart }) => meterStart !== undefined)?.meterStart,
    meterStop: end?.register,
    ended: end !== undefined,
  };
}
