// Brings the journal of a gateway that does not run to this release's form, and looks whether it can be used.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { check, connect } from './database.js';
import { unavailable } from './disk.js';
import { reasonOf } from './protocol.js';

/** Milliseconds: a gateway that is just ending lets go of its journal within this. */
const PATIENCE = 30_000;

/** A folder without a journal is left as it is. @throws JournalUnavailable in words for the operator */
export function migrateJournal(folder: string): void {
  const file = join(folder, 'journal.db');
  if (!existsSync(file)) return;
  try {
    const db = connect(file, PATIENCE);
    try {
      check(db);
    } finally {
      // As the last one that uses it: what is in the log is moved to the database, and the log is removed.
      db.close();
    }
  } catch (err) {
    throw unavailable(reasonOf(err), `${file} cannot be used: `);
  }
}
