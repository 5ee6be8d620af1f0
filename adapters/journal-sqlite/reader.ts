// Looks into the journal of a gateway that does not run. It never writes, and stands in nobody's way.
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { journalSeq, type JournalSeq } from '../../gateway/kernel/ids.js';
import { JournalUnavailable, type JournalEntry } from '../../gateway/ports/journal.js';
import type { JournalRecord } from '../../gateway/site/transaction.js';
import { Statements } from './database.js';
import { unavailable } from './disk.js';
import { journalSize } from './size.js';

/** Every method throws JournalUnavailable: FC-J03 when a gateway owns the directory, or another when it cannot be read. */
export class JournalReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The highest sequence number; 0 in an empty journal. */
  lastSeq(): Promise<JournalSeq> {
    return this.#look((statements) => journalSeq(statements.lastSeq()));
  }

  read(after: JournalSeq, limit: number): Promise<readonly JournalEntry[]> {
    return this.#look((statements) =>
      statements.read(after, limit).map(([seq, body]) => ({
        seq: journalSeq(seq),
        record: JSON.parse(body) as JournalRecord,
      })),
    );
  }

  load(collection: string): Promise<ReadonlyMap<string, unknown>> {
    return this.#look(
      (statements) => new Map(statements.load(collection).map(([key, body]) => [key, JSON.parse(body) as unknown])),
    );
  }

  size(): Promise<number | undefined> {
    return journalSize(this.#directory);
  }

  /** Opened for each look and closed again: a gateway that is started meanwhile finds its journal free. */
  // Async for one reason: what cannot be read is a rejection.
  async #look<T>(question: (statements: Statements) => T): Promise<T> {
    const file = join(this.#directory, 'journal.db');
    let db: Database.Database | undefined;
    try {
      db = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 });
      return question(new Statements(db));
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new JournalUnavailable('the journal holds something unreadable', {
          cause: error,
          fault: FAULTS.journalDamaged.code,
        });
      // better-sqlite3 calls a folder that is not there a TypeError.
      const code = error instanceof Database.SqliteError ? error.code : undefined;
      const words = error instanceof Error ? error.message : String(error);
      throw unavailable({ error: words, ...(code !== undefined && { code }) }, `cannot read ${file}: `);
    } finally {
      db?.close();
    }
  }
}
