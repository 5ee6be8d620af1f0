// Who goes next on a bus: turns of the units, writes before reads, pauses kept, nobody forgotten, nothing without bound.
import fc from 'fast-check';
import t from 'tap';
import type { IoPolicy } from '../../../adapters/modbus/device-profile.js';
import type { ModbusRequest } from '../../../adapters/modbus/pdu.js';
import { RequestQueue, type Waiting } from '../../../adapters/modbus/request-queue.js';

const waiting = (kind: 'read' | 'write', unit: number, address: number, io: IoPolicy = {}): Waiting => {
  const request: ModbusRequest =
    kind === 'read'
      ? { kind, unit, fc: 3, address, count: 1 }
      : { kind, unit, fc: 6, address, words: Buffer.from([0, 1]) };
  return { request, io, settle: () => undefined };
};

const named = ({ request }: Waiting): string =>
  `${request.kind} ${request.unit}/${request.kind === 'bit' || request.kind === 'identification' ? '' : request.address}`;

/** Everything that may go now, in its order. */
function order(queue: RequestQueue, now = 0): readonly string[] {
  const gone: string[] = [];
  for (let next = queue.next(now); typeof next === 'object'; next = queue.next(now)) {
    queue.sent(next.request, now);
    gone.push(named(next));
  }
  return gone;
}

t.test('units take turns, and writes go before reads', (test) => {
  const queue = new RequestQueue();
  for (const address of [0, 1, 2]) queue.add(waiting('read', 1, address));
  queue.add(waiting('read', 2, 0));
  queue.add(waiting('read', 3, 0));
  queue.add(waiting('write', 3, 9));
  test.same(order(queue), ['write 3/9', 'read 1/0', 'read 2/0', 'read 3/0', 'read 1/1', 'read 1/2']);
  test.ok(queue.empty);
  test.end();
});

t.test('a flood of writes lets a read through now and then', (test) => {
  const queue = new RequestQueue();
  for (let i = 0; i < 20; i++) queue.add(waiting('write', 1, i));
  queue.add(waiting('read', 2, 0));
  test.equal(order(queue).indexOf('read 2/0'), 8);
  test.end();
});

t.test('a unit for which too much waits takes no more; the others do', (test) => {
  const queue = new RequestQueue();
  const taken = Array.from({ length: 1000 }, (_, i) => queue.add(waiting('read', 1, i))).filter(Boolean);
  test.equal(taken.length, 64);
  test.ok(queue.add(waiting('read', 2, 0)));
  test.equal(queue.drain(1).length, 64);
  test.ok(queue.add(waiting('read', 1, 0)));
  test.end();
});

t.test('after a write a unit is left alone, and an overdue answer is waited for; others go on', (test) => {
  const queue = new RequestQueue();
  const written = waiting('write', 1, 0, { settleAfterWriteMs: 500 });
  queue.written(written, 0);
  const late = waiting('read', 2, 0).request;
  queue.overdue(late, 300);
  for (const each of [waiting('read', 1, 5), waiting('read', 2, 5), waiting('read', 3, 5)]) queue.add(each);
  queue.add(waiting('write', 2, 7));
  test.same(order(queue), ['write 2/7', 'read 3/5'], 'a write of unit 2 cannot be mixed up with a late read');
  test.equal(queue.next(0), 300);
  test.same(order(queue, 300), ['read 2/5']);
  test.equal(queue.next(300), 200);
  test.same(order(queue, 500), ['read 1/5']);
  test.end();
});

t.test(
  'whatever comes when: everything goes, no pause is cut short, no unit is passed over by a whole round',
  (test) => {
    const io = fc.record({
      minReadIntervalMs: fc.constantFrom(0, 50),
      minWriteIntervalMs: fc.constantFrom(0, 200),
      settleAfterWriteMs: fc.constantFrom(0, 100),
    });
    const arrivals = fc.array(
      fc.record({
        at: fc.nat(500),
        kind: fc.constantFrom('read' as const, 'write' as const),
        unit: fc.integer({ min: 1, max: 5 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.array(io, { minLength: 5, maxLength: 5 }), arrivals, (policies, asked) => {
        const queue = new RequestQueue();
        const sorted = [...asked].sort((a, b) => a.at - b.at);
        const sent: { readonly at: number; readonly kind: string; readonly unit: number }[] = [];
        let now = 0;
        let index = 0;
        for (let turn = 0; turn < 10_000; turn++) {
          for (let next = sorted[index]; next !== undefined && next.at <= now; next = sorted[++index])
            queue.add(waiting(next.kind, next.unit, index, policies[next.unit - 1]));
          const next = queue.next(now);
          if (typeof next === 'object') {
            queue.sent(next.request, now);
            if (next.request.kind === 'write') queue.written(next, now + 1);
            sent.push({ at: now, kind: next.request.kind, unit: next.request.unit });
            now += 1;
          } else if (next !== undefined) now += Math.max(1, next);
          else if (index < sorted.length) now = sorted[index]?.at ?? now;
          else break;
        }
        const kept = sent.every(({ at, kind, unit }, i) => {
          const policy = policies[unit - 1];
          const before = sent.slice(0, i).filter((each) => each.unit === unit);
          const last = before.findLast((each) => each.kind === kind);
          const write = before.findLast((each) => each.kind === 'write');
          const interval = kind === 'read' ? policy?.minReadIntervalMs : policy?.minWriteIntervalMs;
          return (
            (last === undefined || at - last.at >= (interval ?? 0)) &&
            (write === undefined || at - write.at >= (policy?.settleAfterWriteMs ?? 0))
          );
        });
        return kept && sent.length === asked.length;
      }),
      { numRuns: 300 },
    );
    test.end();
  },
);
