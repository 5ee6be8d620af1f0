// A process that commits as fast as it can and says what was acknowledged, until it is killed.
import { openJournal } from '../../../adapters/journal-sqlite/journal.js';
import { JournalUnavailable } from '../../../gateway/ports/journal.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { note } from '../../gateway/ports/journal-contract.js';
import { recordingLog } from '../../fakes/recording-log.js';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: writer <directory>');
const journal = await openJournal(directory, 1e9, systemClock, recordingLog()).catch((err: unknown) => {
  const words = err instanceof JournalUnavailable ? `${err.name} ${err.fault} ${err.message}` : String(err);
  process.stdout.write(`refused ${words}\n`);
  process.exit(1);
});

/** Two records and a document in one commit: all three or none must be there afterwards. */
async function write(lane: number): Promise<never> {
  for (;;) {
    const seq = journal.lastSeq + 1;
    await journal.commit(
      {
        records: [note(`first of ${seq}`), note(`second of ${seq}`)],
        documents: [{ collection: `lane`, key: String(lane), value: seq }],
      },
      lane % 2 === 0 ? 'now' : 'batch',
    );
    process.stdout.write(`${lane} ${seq}\n`);
  }
}
await Promise.all([0, 1, 2, 3].map(write));
