// A CSMS that stays away: the journal stays within its limit on a real disk, gives up the right things and counts them.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openJournal } from '../../adapters/journal-sqlite/journal.js';
import { evseNumber, journalSeq, stationId, transactionUid, uuidV7 } from '../../gateway/kernel/ids.js';
import { milliseconds, timestamp } from '../../gateway/kernel/units.js';
import { JournalUnavailable, type Journal } from '../../gateway/ports/journal.js';
import type { Reader } from '../../gateway/shedding/shed.js';
import { Storage } from '../../gateway/shell/storage.js';
import type { JournalRecord, TransactionRecord } from '../../gateway/site/transaction.js';
import { systemClock } from '../../gateway/system-clock.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { recordingLog } from '../fakes/recording-log.js';
import { readAll } from '../gateway/ports/journal-contract.js';

const LIMIT = 8_000_000;
/** What the write-ahead log may add to the file. */
const LOG = 16_000_000;
const FILLING = 'x'.repeat(700);

t.setTimeout(120_000);

interface World {
  readonly journal: Journal;
  readonly storage: Storage;
  readonly clock: FakeClock;
  readonly log: ReturnType<typeof recordingLog>;
  readonly directory: string;
  readonly authority: { settled: ReturnType<typeof journalSeq> };
}

async function open(t: Test): Promise<World> {
  const directory = t.testdir();
  const log = recordingLog();
  const journal = await openJournal(directory, LIMIT, systemClock, log);
  const clock = new FakeClock('2026-06-01T00:00:00Z');
  const reader = (id: string, isAuthority: boolean) => ({
    id,
    authority: isAuthority,
    settled: journalSeq(0),
    concerns: () => true,
    knows: () => false,
  });
  const authority = reader('authority', true);
  const readers: readonly Reader[] = [authority, reader('observer', false)];
  const storage = await Storage.open({
    journal,
    policy: { sizeLimit: LIMIT, keepBills: milliseconds(30 * 86_400_000) },
    clock,
    log,
    readers: () => readers,
    checkpoint: () => journal.lastSeq,
  });
  storage.start();
  t.teardown(async () => {
    await storage.stop();
    await journal.close();
  });
  return { journal, storage, clock, log, directory, authority };
}

const part = (uid: string, kind: TransactionRecord['kind'], i: number): TransactionRecord => ({
  type: 'transaction',
  uid: transactionUid(uid),
  n: i,
  kind,
  station: stationId('CP01'),
  evse: evseNumber(1),
  connector: 1,
  at: timestamp(i),
  trigger: kind === 'updated' ? 'MeterValuePeriodic' : 'Authorized',
  chargingState: 'Charging',
  offline: false,
  meterValues: [
    {
      at: timestamp(i),
      sampled: [{ value: i, context: kind === 'updated' ? 'Sample.Periodic' : 'Transaction.Begin' }],
    },
  ],
  customData: { vendorId: FILLING },
});
const reading = (i: number): JournalRecord => ({
  type: 'meter',
  station: stationId('CP01'),
  meterValues: [{ at: timestamp(i), sampled: [{ value: i, unit: FILLING }] }],
});

/** Measures are at most some hundred milliseconds old: waits for a fresh one, then lets the storage do its work. */
async function makeRoom({ journal, storage, clock }: World): Promise<void> {
  await journal.amend([]);
  await clock.advance(1000);
  // Portions are awaited on a real disk; `stop` waits for them without ending the next look.
  for (;;) {
    const before = JSON.stringify([...storage.status.shed]);
    await journal.amend([]);
    await clock.settle();
    if (!storage.busy && before === JSON.stringify([...storage.status.shed])) return;
  }
}

void t.test('within the limit for as long as samples are there to be shed', async (t) => {
  const world = await open(t);
  const { journal, storage, directory, log } = world;
  const told: string[] = [];
  let slowest = 0;
  for (let visit = 0; visit < 150; visit++) {
    const uid = `visit-${visit}`;
    told.push(`${uid} started`, `${uid} ended`);
    await journal.commit({ records: [part(uid, 'started', 0)] });
    const samples = Array.from({ length: 150 }, (_, i) => [part(uid, 'updated', i + 1), reading(i)]).flat();
    await journal.commit({ records: samples }, 'batch');
    const making = makeRoom(world);
    const begun = performance.now();
    await journal.commit({ records: [part(uid, 'ended', 151)] });
    slowest = Math.max(slowest, performance.now() - begun);
    await making;
    const { used, size } = storage.status;
    if (used > LIMIT || size > LIMIT + LOG) t.fail(`visit ${visit}: ${used} bytes used of ${size}`);
  }
  t.comment(`slowest commit beside the shedding: ${slowest.toFixed(1)} ms`);
  const file = statSync(join(directory, 'journal.db')).size;
  t.ok(file <= LIMIT * 1.05, `the file itself: ${file} bytes of ${LIMIT}, for 36 MB written`);
  const entries = await readAll(journal);
  const milestones = entries.flatMap(({ record }) =>
    record.type === 'transaction' && record.kind !== 'updated' ? [`${record.uid} ${record.kind}`] : [],
  );
  t.same(milestones, told, 'every start and end, in order');
  const { authority = {}, observer = {} } = Object.fromEntries(storage.status.shed);
  t.ok((authority.readings ?? 0) > 10_000 && (authority.samples ?? 0) > 5000, JSON.stringify(authority));
  t.equal(authority.transactions, undefined);
  t.same(observer, authority, 'both wait, both are counted');
  t.same((await journal.load('shed')).get('authority'), authority, 'on disk too');
  const warned = log.lines.filter(({ fields }) => fields.fault === 'FC-J07');
  t.ok(warned.length > 0 && log.lines.every(({ level }) => level !== 'error'));
});

void t.test(
  'starts and ends only: refused when there is no room, taken again when the CSMS has been told',
  async (t) => {
    const world = await open(t);
    const { journal, clock, authority } = world;
    const health: boolean[] = [];
    journal.onHealth(({ writable }) => health.push(writable));
    let kept = 0;
    let refusal: unknown;
    for (let i = 0; refusal === undefined && i < 1000; i++) {
      const records = Array.from({ length: 40 }, (_, n) => part(`t-${i}-${n}`, n % 2 === 0 ? 'started' : 'ended', n));
      await journal.commit({ records }).then(
        () => (kept += records.length),
        (err: unknown) => (refusal = err),
      );
      await makeRoom(world);
    }
    t.type(refusal, JournalUnavailable);
    t.match(refusal, { fault: 'FC-J06' });
    t.match(journal.status, { writable: false, fault: 'FC-J06', lost: false });
    t.ok(journal.status.used <= LIMIT * 1.1, `${journal.status.used} bytes`);
    t.equal((await readAll(journal)).length, kept, 'nothing was given up');
    await t.resolves(
      journal.commit({ documents: [{ collection: 'view/a', key: 'cursor', value: 1 }] }),
      'cursors are kept',
    );
    authority.settled = journal.lastSeq;
    await clock.advance(1000);
    await makeRoom(world);
    t.match(journal.status, { writable: true });
    t.same(health, [false, true]);
    await t.resolves(journal.commit({ records: [part('later', 'started', 0)] }));
  },
);

void t.test('old bills go, whatever is in the journal beside them', async (t) => {
  const { journal, clock } = await open(t);
  const key = (days: number): string => uuidV7(clock.now() - days * 86_400_000, new Uint8Array(10).fill(7));
  const bill = (of: string) => ({ collection: 'cdr', key: of, value: { of } });
  // The last was made while the box did not know the time.
  const [recent, lately, old, older] = [key(10), key(29), key(31), key(400)];
  const clockless = uuidV7(86_400_000, new Uint8Array(10));
  await journal.commit({ documents: [recent, lately, old, older, clockless].map(bill) });
  await clock.advance(3_600_000);
  await journal.amend([]);
  t.same([...(await journal.load('cdr')).keys()].sort(), [recent, lately, clockless].sort());
});
