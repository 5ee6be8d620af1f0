// How much of the disk the journal takes.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The database, and what SQLite keeps next to it. */
const FILES = ['journal.db', 'journal.db-wal'];

/** In bytes; undefined where there is no journal, or it cannot be looked at. */
export async function journalSize(directory: string): Promise<number | undefined> {
  const [database, log] = await Promise.all(
    FILES.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  return database === undefined ? undefined : database + (log ?? 0);
}
