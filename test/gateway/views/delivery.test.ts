// What a CSMS is told, in which order, and that nothing is lost or told twice when links, disks and processes fail.
import fc from 'fast-check';
import t from 'tap';
import { csmsId, evseNumber, stationId, transactionUid } from '../../../gateway/kernel/ids.js';
import { timestamp } from '../../../gateway/kernel/units.js';
import type { CsmsMessage } from '../../../gateway/ports/csms.js';
import { meterValue, record, scene, type Scene } from './fixture.js';

const whole = (uid: string) => [record(uid, 0, 'started'), record(uid, 1, 'updated'), record(uid, 2, 'ended')];

t.test('S23: a transaction that happened offline is told in order, as it was, flagged offline', async (t) => {
  const s = await scene();
  await s.up();
  await s.happens(record('a', 0, 'started'));
  t.strictSame(
    s.link.transactions().map(({ offline }) => offline),
    [false],
    'online, nothing is flagged',
  );
  await s.down();
  await s.happens(record('a', 1, 'updated'), record('a', 2, 'ended'), ...whole('b'));
  t.equal(s.link.told().length, 1, 'nothing leaves while the link is down');
  t.equal(s.view.status().queued, 5);
  t.equal(s.view.status().oldest, 1_001_000);
  await s.up(false);
  t.strictSame(s.link.told(), ['a started', 'a updated', 'a ended', 'b started', 'b updated', 'b ended']);
  const later = s.link.transactions().slice(1);
  t.ok(later.every(({ offline }) => offline));
  t.strictSame(
    later.map(({ record: { at } }) => at),
    [1_001_000, 1_002_000, 1_000_000, 1_001_000, 1_002_000],
  );
  t.strictSame(
    s.link.transactions().map(({ state }) => state['seqNo'] ?? 'first'),
    ['first', 0, 1, 'first', 0, 1],
    'each follows from the state of the one before (I7)',
  );
  t.equal(s.view.status().queued, 0);
});

t.test('S20: after a reconnect the start is not behind the statuses; 1.6 ids are substituted', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  await s.down();
  s.live.set(1, { status: 'Occupied', transaction: 'open', chargingState: 'Charging' });
  s.view.connectorChanged(evseNumber(1));
  const values = { trigger: 'MeterValuePeriodic' as const, meterValues: [meterValue(1_200_000, 40)] };
  await s.happens(record('a', 0, 'started'), record('a', 1, 'updated', values), record('a', 2, 'ended'));
  const before = s.link.sent.length;
  await s.up(false);
  const after = s.link.sent.slice(before);
  t.equal(after.find(({ type }) => type === 'transaction' || type === 'status')?.type, 'transaction');
  t.equal(after.filter(({ type }) => type === 'status').length, 1, 'only the connector that changed');
  t.strictSame(
    s.link.transactions().map(({ state }) => state['csmsTransactionId']),
    [undefined, 100, 100],
  );
  t.strictSame(s.operations.names(), ['transactionJudged']);
});

t.test('S25: what was queued when the link dropped is flagged offline, without a gap (E11.FR.07)', async (t) => {
  const s = await scene();
  await s.up();
  await s.happens(record('a', 0, 'started'));
  s.link.behave = () => 'silent';
  await s.happens(record('a', 1, 'updated'), record('a', 2, 'updated'), record('a', 3, 'updated'));
  t.equal(s.link.told().length, 2, 'one message in flight');
  t.equal(s.view.status().inFlight, true);
  s.link.behave = () => undefined;
  await s.down();
  await s.up(false);
  await s.happens(record('a', 4, 'ended'));
  t.strictSame(
    s.link.transactions().map(({ record: { n }, offline }) => [n, offline]),
    [
      [0, false],
      [1, false],
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ],
  );
  t.equal(s.link.transactions()[2]?.state['repeated'], true, 'it may have reached the CSMS before');
});

t.test('S26: a refused message is repeated after 60 s and 120 s, then taken', async (t) => {
  const s = await scene();
  await s.up();
  let refusals = 2;
  s.link.behave = (message) =>
    message.type === 'transaction' && refusals-- > 0 ? { kind: 'refused', reason: 'InternalError' } : undefined;
  await s.happens(...whole('a'));
  t.equal(s.link.told().length, 1);
  await s.clock.advance(59_000);
  t.equal(s.link.told().length, 1);
  await s.clock.advance(1_000);
  t.equal(s.link.told().length, 2);
  await s.clock.advance(119_000);
  t.equal(s.link.told().length, 2);
  await s.clock.advance(1_000);
  await s.clock.settle(20);
  t.strictSame(s.link.told(), ['a started', 'a started', 'a started', 'a updated', 'a ended']);
  const [first, second, third] = s.link.transactions();
  t.strictSame(second, { ...first, state: { repeated: true } });
  t.strictSame(third, second, 'a repetition is identical');
  t.equal(s.view.status().dead, 0);
});

t.test('S26: what is refused for good is kept as a dead letter, the queue goes on, re-drive works', async (t) => {
  const s = await scene();
  await s.up();
  const isEnd = (message: CsmsMessage) => message.type === 'transaction' && message.record.kind === 'ended';
  s.link.behave = (message) =>
    isEnd(message) && message.type === 'transaction' && message.record.uid === 'a'
      ? { kind: 'refused', reason: 'FormationViolation' }
      : undefined;
  await s.happens(...whole('a'), ...whole('b'));
  await s.clock.advance(180_000);
  t.strictSame(s.link.told().slice(-3), ['b started', 'b updated', 'b ended']);
  t.equal(s.link.told().filter((each) => each === 'a ended').length, 3);
  t.match(s.view.deadLetters(), [{ seq: 3, reason: 'FormationViolation', attempts: 3, record: { uid: 'a' } }]);
  t.match(
    s.log.lines.filter(({ level }) => level === 'error'),
    [{ fault: 'FC-C01', transaction: 'a' }],
  );

  const restarted = await scene({ journal: s.journal.afterCrash(), clock: s.clock });
  t.equal(restarted.view.deadLetters().length, 1, 'kept over a restart');
  restarted.link.behave = (message) => (isEnd(message) ? { kind: 'refused', reason: 'again' } : undefined);
  await restarted.up();
  t.equal(restarted.view.redrive().length, 1);
  await s.clock.settle(20);
  t.equal(restarted.view.deadLetters().length, 1, 'refused again: still kept');
  restarted.link.behave = () => undefined;
  t.equal(restarted.view.redrive().length, 1);
  await s.clock.settle(20);
  t.equal(restarted.view.deadLetters().length, 0);
  t.match(restarted.link.transactions().at(-1), { offline: true, state: { seqNo: 1 } });
  t.equal((await restarted.journal.load('view/operator')).has('dead/3'), false);
});

t.test(
  'a dead letter keeps its number: the next event has its own, and a re-drive is told under the old one',
  async (t) => {
    const s = await scene();
    await s.up();
    let takes = false;
    s.link.behave = (message) =>
      !takes && message.type === 'transaction' && message.record.kind === 'updated'
        ? { kind: 'refused', reason: 'InternalError', abandoned: { seqNo: 1 } }
        : undefined;
    await s.happens(...whole('a'));
    await s.clock.advance(180_000);
    const numbers = (): unknown[] => s.link.transactions().map(({ record: { kind }, state }) => [kind, state['seqNo']]);
    t.strictSame(numbers().slice(-2), [
      ['updated', 0],
      ['ended', 1],
    ]);
    takes = true;
    t.equal(s.view.redrive().length, 1);
    await s.clock.settle(20);
    t.strictSame(numbers().at(-1), ['updated', 0]);
    t.equal(s.view.deadLetters().length, 0);
    t.match((await s.journal.load('view/operator')).get('tx/a'), { state: { seqNo: 2 } }, 'the count does not go back');
  },
);

t.test('a CSMS that refuses values does not hold up the end of transactions for ever', async (t) => {
  const s = await scene();
  await s.up();
  let reason: 'CALLERROR' | 'silence' = 'CALLERROR';
  s.link.behave = (message) =>
    message.type === 'transaction' && message.record.kind === 'updated'
      ? { kind: 'refused', reason, ...(reason === 'silence' && { unanswered: true }) }
      : undefined;
  const updates = [1, 2, 3, 4].map((n) => record('a', n, 'updated'));
  await s.happens(record('a', 0, 'started'), ...updates, record('a', 5, 'ended'));
  await s.clock.advance(180_000);
  t.strictSame(s.link.told().slice(-5), ['a updated', 'a updated', 'a updated', 'a updated', 'a ended']);
  t.equal(s.link.told().length, 1 + 3 + 3 + 1, 'the first three times, the others once');
  t.equal(s.view.deadLetters().length, 4, 'all kept');
  reason = 'silence';
  await s.happens(record('b', 0, 'started'), record('b', 1, 'updated'));
  await s.clock.advance(180_000);
  t.equal(s.link.told().filter((each) => each === 'b updated').length, 3, 'no answer is no refusal');
});

t.test('a late 1.6 start whose values are refused has begun: its id holds, also for the next process', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  const info = { status: 'Accepted' as const };
  s.link.behave = (message) => {
    if (message.type !== 'transaction') return undefined;
    if (message.record.kind === 'started') return { kind: 'nothing', state: { pendingStart: { at: 1 } } };
    if (message.record.kind === 'ended') return 'silent';
    const partly = { state: { csmsTransactionId: 77 }, idTokenInfo: info };
    const begun = message.state['csmsTransactionId'] === 77;
    return { kind: 'refused', reason: 'InternalError', ...(!begun && { partly }) };
  };
  const values = {
    trigger: 'MeterValuePeriodic' as const,
    meterValues: [meterValue(1_200_000, 40)],
    startToken: { idToken: 'ABCD1234', type: 'ISO14443' as const },
  };
  await s.happens(record('a', 0, 'started'), record('a', 1, 'updated', values), record('a', 2, 'ended'));
  t.match((await s.journal.load('view/operator')).get('tx/a'), { state: { csmsTransactionId: 77 } }, 'on disk at once');
  await s.clock.advance(180_000);
  t.match(s.link.transactions().at(-1), { record: { kind: 'ended' }, state: { csmsTransactionId: 77 } });
  t.notOk(s.link.transactions().at(-1)?.state['startDead']);
  t.strictSame(s.operations.names(), ['transactionJudged'], 'judged once');
});

t.test('S28: after a start that was given up, the rest of that transaction says so', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  s.link.behave = (message) =>
    message.type === 'transaction' && message.record.kind === 'started' && message.record.uid === 'a'
      ? { kind: 'refused', reason: 'no answer' }
      : undefined;
  const values = { trigger: 'MeterValuePeriodic' as const, meterValues: [meterValue(1_200_000, 40)] };
  await s.happens(record('a', 0, 'started'), record('a', 1, 'updated', values), record('a', 2, 'ended'), ...whole('b'));
  await s.clock.advance(180_000);
  const rest = s.link.transactions().filter(({ record: { n, uid } }) => uid === 'a' && n > 0);
  t.strictSame(
    rest.map(({ state }) => state),
    [{ startDead: true }, { startDead: true }],
  );
  t.ok(s.link.told().includes('b ended'));
});

t.test('S27: ConcurrentTx to a start that may have arrived before is no verdict', async (t) => {
  const s = await scene();
  await s.up();
  let starts = 0;
  s.link.behave = (message) => {
    if (message.type !== 'transaction' || message.record.kind !== 'started') return undefined;
    if (starts++ === 0) return { kind: 'refused', reason: 'time-out' };
    return { kind: 'answered', state: {}, idTokenInfo: { status: 'ConcurrentTx' } };
  };
  await s.happens(record('a', 0, 'started'));
  await s.clock.advance(60_000);
  await s.happens(record('b', 0, 'started'));
  const judged = s.operations.calls.filter(({ name }) => name === 'transactionJudged');
  t.match(judged, [{ args: ['a', { status: 'Accepted' }] }, { args: ['b', { status: 'ConcurrentTx' }] }]);
});

t.test('S30: killed at any moment, the next process loses nothing and repeats one message at most', async () => {
  const records = [...whole('a'), ...whole('b')];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: records.length }),
      fc.boolean(),
      fc.constantFrom<'2.0.1' | '1.6'>('2.0.1', '1.6'),
      async (crashAt, answered, ocpp) => {
        const s = await scene({ csms: { ocpp } });
        await s.up();
        let transactions = 0;
        s.link.behave = (message) => {
          if (message.type !== 'transaction' || ++transactions < crashAt) return undefined;
          // Either the answer never comes, or it comes and the acknowledgement never reaches the disk.
          s.journal.hold();
          return answered && transactions === crashAt ? undefined : 'silent';
        };
        await s.happens(...records);
        const before = s.link.transactions();
        const disk = s.journal.afterCrash();
        const next = await scene({ journal: disk, clock: s.clock, csms: { ocpp } });
        await next.up();
        const all = [...before, ...next.link.transactions()];
        const bare = (message: (typeof all)[number]) => {
          const { repeated: _, ...state } = message.state;
          return JSON.stringify({ record: message.record, slot: message.slot, state });
        };
        const distinct = new Set(all.map(bare));
        // An update without values is nothing to a 1.6 CSMS that knows the transaction.
        const expected = ocpp === '1.6' ? records.filter(({ kind }) => kind !== 'updated') : records;
        const seen = [...new Set(all.map(({ record: { uid, n } }) => `${uid}${n}`))];
        const order = expected.map(({ uid, n }) => `${uid}${n}`);
        if (JSON.stringify(seen) !== JSON.stringify(order)) throw new Error(`lost or reordered: ${seen.join()}`);
        if (all.length - distinct.size > 1) throw new Error('more than one repetition');
        if (distinct.size !== order.length) throw new Error('a repetition that differs');
      },
    ),
    { numRuns: 30 },
  );
});

t.test('whatever fails in whatever order, every record arrives, in order, without a gap in seqNo', async () => {
  const step = fc.constantFrom('happen', 'happen', 'cut', 'up', 'refuse', 'silence', 'disk', 'crash', 'time');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      let s = await scene();
      const set = (variable: string, value: string) => ({
        component: 'OCPPCommCtrlr',
        variable,
        instance: 'TransactionEvent',
        value,
      });
      await s.view.command({ type: 'setVariables', variables: [set('MessageAttempts', '100')] });
      const arrived: string[] = [];
      let trouble: 'refuse' | 'silence' | undefined;
      const listen = (scene: Scene) => {
        scene.link.behave = (message) => {
          if (message.type !== 'transaction') return undefined;
          if (trouble === 'refuse') {
            trouble = undefined;
            return { kind: 'refused', reason: 'InternalError' };
          }
          const { record: told, state } = message;
          arrived.push(`${told.n} after ${Number(state['seqNo'] ?? -1)}`);
          return trouble === 'silence' ? 'silent' : undefined;
        };
      };
      listen(s);
      let n = 0;
      for (const each of [...steps, 'time', 'cut', 'up', 'time']) {
        if (each === 'happen') {
          s.journal.release();
          await s.happens(record('a', n, n === 0 ? 'started' : 'updated'));
          n++;
        }
        if (each === 'refuse' || each === 'silence') trouble = each;
        if (each === 'cut') {
          trouble = undefined;
          await s.down();
        }
        if (each === 'up' && !s.view.online) await s.up(false);
        if (each === 'disk') s.journal.hold();
        if (each === 'time') {
          s.journal.release();
          await s.clock.advance(10 * 3_600_000);
        }
        if (each === 'crash') {
          s.view.stop();
          s = await scene({ journal: s.journal.afterCrash(), clock: s.clock });
          n = s.journal.lastSeq;
          trouble = undefined;
          listen(s);
        }
      }
      const first = [...new Set(arrived)].filter((each) => Number(each.split(' ')[0]) < n);
      const expected = Array.from({ length: n }, (_, i) => `${i} after ${i - 1}`);
      if (JSON.stringify(first) !== JSON.stringify(expected)) throw new Error(`${first.join()} of ${n}`);
    }),
    { numRuns: 60 },
  );
});

t.test('an acknowledgement that the disk refuses holds the queue until it is kept', async (t) => {
  const s = await scene();
  await s.up();
  await s.journal.commit({ records: whole('a') });
  s.journal.failNext(2);
  s.view.journalAdvanced();
  await s.clock.settle(20);
  t.strictSame(s.link.told(), ['a started']);
  await s.clock.advance(1_000);
  t.strictSame(s.link.told(), ['a started'], 'refused again');
  await s.clock.advance(1_000);
  await s.clock.settle(20);
  t.strictSame(s.link.told(), ['a started', 'a updated', 'a ended']);
});

t.test('a fresh view begins now; its beginning survives a restart', async (t) => {
  const s = await scene();
  await s.journal.commit({ records: whole('early') });
  const late = await scene({ journal: s.journal, clock: s.clock, csms: { id: csmsId('late') } });
  await late.up();
  t.strictSame(late.link.told(), []);
  await s.journal.commit({ records: whole('a') });
  const again = await scene({ journal: s.journal.afterCrash(), clock: s.clock, csms: { id: csmsId('late') } });
  await again.up();
  t.strictSame(again.link.told(), ['a started', 'a updated', 'a ended']);
  t.equal(again.view.settled, again.journal.lastSeq);
});

t.test('S46: one silent CSMS delays no other; each has its own EVSEs, ids and samples', async (t) => {
  const a = await scene();
  const share = { journal: a.journal, clock: a.clock, live: a.live };
  const b = await scene({
    ...share,
    csms: { id: csmsId('landlord'), ocpp: '1.6', role: 'observer', evses: [evseNumber(2)] },
  });
  await a.up();
  await b.up();
  a.link.behave = () => 'silent';
  const onTwo = { evse: evseNumber(2), station: stationId('CP2') };
  const both = async (s: Scene) => {
    s.view.journalAdvanced();
    await s.clock.settle(20);
  };
  await a.journal.commit({
    records: [...whole('x'), record('y', 0, 'started', onTwo), record('y', 1, 'ended', onTwo)],
  });
  await both(a);
  await both(b);
  t.strictSame(a.link.told(), ['x started']);
  t.strictSame(b.link.told(), ['y started', 'y ended'], 'x is on an EVSE it does not see');
  t.match(b.link.transactions()[0]?.slot, { evse: 1, connector: 1, flat: 1 });
  t.strictSame(b.operations.names(), [], 'an observer is no judge');
  a.link.behave = () => undefined;
  await a.down();
  await a.up();
  t.strictSame(a.link.told(), ['x started', 'x started', 'x updated', 'x ended', 'y started', 'y ended']);
});

t.test('S18: each CSMS has its own interval and measurands; begin, end and triggers always pass', async (t) => {
  const s = await scene();
  await s.up();
  await s.view.command({
    type: 'setVariables',
    variables: [
      { component: 'SampledDataCtrlr', variable: 'TxUpdatedInterval', value: '30' },
      { component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands', value: 'Voltage' },
    ],
  });
  const start = 1_000_000;
  await s.happens(record('a', 0, 'started', { meterValues: [meterValue(start, 10, 'Transaction.Begin')] }));
  for (let i = 1; i <= 12; i++) {
    const at = start + i * 10_000 - 700;
    const meterValues = [meterValue(at, 10 + i)];
    await s.happens(record('a', i, 'updated', { at: timestamp(at), trigger: 'MeterValuePeriodic', meterValues }));
  }
  await s.happens(
    record('a', 13, 'updated', { trigger: 'Trigger', meterValues: [meterValue(start + 121_000, 30, 'Trigger')] }),
    record('a', 14, 'updated', { meterValues: [meterValue(start + 122_000, 31)] }),
    record('a', 15, 'ended', { meterValues: [meterValue(start + 123_000, 32, 'Transaction.End')] }),
  );
  t.strictSame(
    s.link
      .transactions()
      .map(({ record: { n, meterValues } }) => [n, meterValues.flatMap(({ sampled }) => sampled).length]),
    [
      [0, 2],
      [3, 1],
      [6, 1],
      [9, 1],
      [12, 1],
      [13, 2],
      [14, 0],
      [15, 2],
    ],
  );
});

t.test('security events travel with the slot of the charger they come from; bills stay here', async (t) => {
  const s = await scene({ csms: { evses: [evseNumber(2)] } });
  await s.up();
  await s.journal.commit({
    records: [
      { type: 'security', event: 'StartupOfTheDevice', at: timestamp(1) },
      {
        type: 'security',
        station: stationId('CP2'),
        event: 'TamperDetectionActivated',
        at: timestamp(2),
        techInfo: 'lid',
      },
      { type: 'security', station: stationId('CP1'), event: 'TamperDetectionActivated', at: timestamp(3) },
      { type: 'meter', station: stationId('CP2'), evse: evseNumber(2), meterValues: [meterValue(5, 7)] },
      { type: 'meter', station: stationId('CP2'), meterValues: [meterValue(5, 7)] },
    ],
  });
  s.view.journalAdvanced();
  await s.clock.settle(20);
  const rest = s.link.sent.filter(({ type }) => type === 'securityEvent' || type === 'meterValues');
  t.strictSame(rest, [
    { type: 'securityEvent', event: 'StartupOfTheDevice', at: 1 },
    { type: 'securityEvent', event: 'TamperDetectionActivated', at: 2, techInfo: 'evse=1;lid' },
    {
      type: 'meterValues',
      slot: { evse: 1, connector: 1, flat: 1 },
      meterValues: [{ at: 5, sampled: [{ value: 7, measurand: 'Energy.Active.Import.Register' }] }],
    },
  ]);
});

t.test('ended transactions are remembered for a while and then forgotten, in memory and on disk', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  for (let i = 0; i < 205; i++) await s.happens(record(`t${i}`, 0, 'started'), record(`t${i}`, 1, 'ended'));
  const stored = [...(await s.journal.load('view/operator')).keys()].filter((key) => key.startsWith('tx/'));
  t.equal(stored.length, 200);
  const stop = (csmsTransactionId: number) =>
    s.view.command({ type: 'requestStop', transaction: { csmsTransactionId } });
  t.match(await stop(100), { status: 'Rejected' });
  t.match(await stop(304), { status: 'Accepted' });
  t.match(s.operations.calls.at(-1), { name: 'requestStop', args: [transactionUid('t204')] });
});

t.test('a slow disk: a few routine answers may be ahead of it, a start or an end may not', async (t) => {
  const s = await scene();
  await s.up();
  await s.happens(record('a', 0, 'started'));
  await s.down();
  const updates = Array.from({ length: 40 }, (_, index) => record('a', 1 + index, 'updated'));
  await s.happens(...updates, record('a', 41, 'ended'));
  s.journal.hold();
  await s.up(false);
  const ahead = s.link.told().length - 1;
  t.ok(ahead > 1 && ahead <= 16, `${ahead} updates are ahead`);
  t.notOk(s.link.told().includes('a ended'));
  // The process dies: the next one tells them again, each under the number it had.
  const numbers = (link: typeof s.link, from: number) =>
    link
      .transactions()
      .slice(from)
      .map(({ record: { n }, state }) => [n, state['seqNo'] ?? 'first']);
  const first = numbers(s.link, 1);
  s.view.stop();
  const next = await scene({ journal: s.journal.afterCrash(), clock: s.clock, live: s.live });
  await next.up();
  await next.clock.settle(400);
  const again = numbers(next.link, 0);
  t.strictSame(again.slice(0, first.length), first, 'the same under the same numbers');
  t.equal(next.link.told().at(-1), 'a ended');
  t.strictSame(
    again.map(([n]) => n),
    [...updates.map(({ n }) => n), 41],
    'all of them, in order',
  );
});

t.test('an end leaves only when everything that was answered before it is on disk', async (t) => {
  const s = await scene();
  await s.up();
  await s.happens(record('a', 0, 'started'));
  await s.down();
  await s.happens(record('a', 1, 'updated'), record('a', 2, 'ended'));
  s.journal.hold();
  await s.up(false);
  t.strictSame(s.link.told(), ['a started', 'a updated']);
  s.journal.release();
  await s.clock.settle(20);
  t.strictSame(s.link.told(), ['a started', 'a updated', 'a ended']);
});

t.test('what was answered is written before whatever is committed next', async (t) => {
  const s = await scene();
  await s.up();
  await s.happens(record('a', 0, 'started'));
  await s.down();
  await s.happens(record('a', 1, 'updated'), record('a', 2, 'updated'), record('a', 3, 'updated'));
  s.journal.hold();
  const before = s.journal.commits.length;
  await s.up(false);
  t.equal(s.link.told().length, 4);
  t.equal(s.journal.commits.length, before + 1, 'the later answers wait for company');
  s.view.flush();
  const cursor = s.journal.commits.at(-1)?.commit.documents?.find(({ key }) => key === 'cursor');
  t.match(cursor?.value, { seq: 4 });
});
