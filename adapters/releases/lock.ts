// One upgrade at a time: a lock that the kernel takes back from whoever holds it and ends, in whichever way.
import Database from 'better-sqlite3';

export interface Lock {
  release(): void;
}

/** Undefined: somebody has it. @throws Error where the file cannot be made */
export function takeLock(file: string): Lock | undefined {
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return { release: () => void db.close() };
  } catch (err) {
    db.close();
    if (err instanceof Database.SqliteError && err.code.startsWith('SQLITE_BUSY')) return undefined;
    throw err;
  }
}
