// The journal's memory: what it answers, what it leaves to the disk, and that it stays small.
import t from 'tap';
import { Tail } from '../../../adapters/journal-sqlite/tail.js';
import { BatchWindow } from '../../../adapters/journal-sqlite/batch-window.js';
import { journalSeq } from '../../../gateway/kernel/ids.js';
import { milliseconds } from '../../../gateway/kernel/units.js';
import { note } from '../../gateway/ports/journal-contract.js';

const seqs = (tail: Tail, after: number, limit = 1_000): number[] | undefined =>
  tail.after(journalSeq(after), limit)?.map(({ seq }) => Number(seq));
const push = (tail: Tail, from: number, to: number, size = 10): void => {
  for (let seq = from; seq <= to; seq++) tail.push({ seq: journalSeq(seq), record: note(String(seq)) }, size);
};

void t.test('the newest entries are kept, older ones are left to the disk', (t) => {
  const tail = new Tail(3, 1_000, journalSeq(100));
  t.same(seqs(tail, 100), [], 'nothing newer');
  t.equal(seqs(tail, 99), undefined, 'before this process: on disk');
  push(tail, 101, 105);
  t.same(seqs(tail, 100), [101, 102, 103, 104, 105]);
  t.same(seqs(tail, 102, 2), [103, 104]);
  push(tail, 106, 106);
  t.same(seqs(tail, 103), [104, 105, 106], 'cleared to the capacity');
  t.equal(seqs(tail, 102), undefined);
  t.equal(tail.newest, 106);
  t.end();
});

void t.test('numbers that are missing (a refused commit) are no gap', (t) => {
  const tail = new Tail(10, 1_000, journalSeq(0));
  push(tail, 1, 2);
  push(tail, 7, 8);
  t.same(seqs(tail, 1), [2, 7, 8]);
  t.same(seqs(tail, 4), [7, 8]);
  t.end();
});

void t.test('big entries are bounded by their size, even a single one', (t) => {
  const tail = new Tail(1_000, 100, journalSeq(0));
  push(tail, 1, 10);
  t.same(seqs(tail, 0)?.length, 10);
  push(tail, 11, 11);
  t.equal(seqs(tail, 5), undefined);
  t.same(seqs(tail, 6), [7, 8, 9, 10, 11], 'half of the limit is left');
  push(tail, 12, 12, 5_000);
  t.equal(seqs(tail, 11), undefined, 'too big to be remembered at all');
  t.same(seqs(tail, 12), []);
  push(tail, 13, 13);
  t.same(seqs(tail, 12), [13]);
  t.end();
});

void t.test('a trim forgets here too, but the newest entry stays', (t) => {
  const tail = new Tail(10, 1_000, journalSeq(0));
  push(tail, 1, 5);
  tail.trimmed(journalSeq(3));
  t.same(seqs(tail, 0), [4, 5]);
  tail.trimmed(journalSeq(5));
  t.same(seqs(tail, 0), [5]);
  tail.trimmed(journalSeq(1));
  t.same(seqs(tail, 0), [5]);
  t.end();
});

void t.test('only a slow disk makes a batch wait', (t) => {
  const after = (...flushes: number[]): number => {
    const window = new BatchWindow();
    for (const took of flushes) window.flushed(milliseconds(took));
    return window.wait;
  };
  t.equal(after(), 20, 'not known yet');
  t.equal(after(0.4, 0.5, 0.4), 0, 'NVMe');
  t.equal(after(8), 20, 'SD card');
  t.equal(after(60, 80), 50, 'worn SD card');
  t.equal(after(1, 1, 1, 1, 10), 0, 'one hiccup is not a slow disk');
  t.equal(after(1, 1, ...Array<number>(30).fill(8)), 20, 'a disk that has become slow');
  t.equal(after(80, ...Array<number>(30).fill(1)), 0, 'a disk that has become fast');
  t.end();
});
