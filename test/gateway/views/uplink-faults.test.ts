// A CSMS that answers too late, chokes on one message, or numbers transactions oddly: the queue goes on and loses nothing.
import t from 'tap';
import { csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import type { CsmsMessage, DeliveryOutcome } from '../../../gateway/ports/csms.js';
import { meterValue, record, scene, type Scene } from './fixture.js';

const whole = (uid: string) => [record(uid, 0, 'started'), record(uid, 1, 'updated'), record(uid, 2, 'ended')];

const isStart = (message: CsmsMessage): boolean => message.type === 'transaction' && message.record.kind === 'started';
const isOf = (message: CsmsMessage, uid: string, kind: string): boolean =>
  message.type === 'transaction' && message.record.uid === uid && message.record.kind === kind;

/** No answer in time; `come` gives it late. */
function lateAnswers() {
  const waiting: ((outcome: DeliveryOutcome) => void)[] = [];
  return {
    outcome: (): DeliveryOutcome => ({
      kind: 'refused',
      reason: 'no answer in time',
      unanswered: true,
      late: new Promise((resolve) => waiting.push(resolve)),
    }),
    come: (outcome: DeliveryOutcome, nth = 0) => waiting[nth]?.(outcome),
  };
}

const begun = (id: number): DeliveryOutcome => ({
  kind: 'answered',
  state: { csmsTransactionId: id },
  idTokenInfo: { status: 'Accepted' },
});

t.test('a late answer to a start is its answer: it is not sent again, and what follows has its id', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  const late = lateAnswers();
  s.link.behave = (message) => (isStart(message) ? late.outcome() : undefined);
  await s.up();
  await s.happens(record('a', 0, 'started'), record('a', 1, 'ended'));
  t.strictSame(s.link.told(), ['a started']);
  late.come(begun(113));
  await s.clock.settle(20);
  t.strictSame(s.link.told(), ['a started', 'a ended']);
  t.match(s.link.transactions().at(-1), { state: { csmsTransactionId: 113 } });
  t.strictSame(s.operations.names(), ['transactionJudged']);
  await s.clock.advance(600_000);
  t.equal(s.link.told().length, 2);
});

t.test(
  'an answer to the first attempt while the second is under way waits for it, and serves when that fails',
  async (t) => {
    for (const second of ['answered', 'refused'] as const) {
      const s = await scene({ csms: { ocpp: '1.6' } });
      const late = lateAnswers();
      let starts = 0;
      let settle: (outcome: DeliveryOutcome) => void = () => undefined;
      const deliver = s.link.deliver.bind(s.link);
      s.link.deliver = (message) => {
        if (!isStart(message)) return deliver(message);
        if (++starts === 1) return Promise.resolve(late.outcome());
        return new Promise((resolve) => (settle = resolve));
      };
      await s.up();
      await s.happens(record('a', 0, 'started'), record('a', 1, 'ended'));
      await s.clock.advance(60_000);
      t.equal(starts, 2);
      late.come(begun(1));
      await s.clock.settle(20);
      t.strictSame(s.link.told(), [], 'one at a time');
      settle(second === 'answered' ? begun(2) : { kind: 'refused', reason: 'no answer in time', unanswered: true });
      await s.clock.settle(20);
      t.match(s.link.transactions().at(-1), { state: { csmsTransactionId: second === 'answered' ? 2 : 1 } });
      t.equal(starts, 2);
    }
  },
);

t.test('a start that is a dead letter by now takes its late id: the rest goes on under that', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  const late = lateAnswers();
  s.link.behave = (message) => (isStart(message) ? late.outcome() : undefined);
  await s.up();
  await s.happens(record('a', 0, 'started'));
  await s.clock.advance(180_000);
  t.equal(s.view.deadLetters().length, 1);
  late.come(begun(113), 2);
  await s.clock.settle(20);
  t.equal(s.view.deadLetters().length, 0);
  t.equal((await s.journal.load('view/operator')).has('dead/1'), false);
  await s.happens(record('a', 1, 'ended'));
  t.match(s.link.transactions().at(-1), { record: { kind: 'ended' }, state: { csmsTransactionId: 113 } });
  t.notOk(s.link.transactions().at(-1)?.state['startDead']);
  late.come(begun(114), 1);
  await s.clock.settle(20);
  t.match(
    (await s.journal.load('view/operator')).get('tx/a'),
    { state: { csmsTransactionId: 113 } },
    'the first one holds',
  );
});

/** From now on the link ends each time that such a message is under way. */
function choke(s: Scene, poison: (message: CsmsMessage) => boolean): void {
  s.link.behave = (message) => {
    if (!poison(message)) return undefined;
    s.link.cut();
    s.view.linkDown('cut');
    return { kind: 'unsent', underWay: true, abandoned: { seqNo: 7 } };
  };
}

/** `n` more links come up, and hold until the CSMS chokes. */
async function comeAndGo(s: Scene, n: number): Promise<void> {
  for (let round = 0; round < n; round++) {
    await s.up(false);
    await s.clock.advance(300_000);
  }
}

t.test(
  'a message at which the CSMS closes the connection each time becomes a dead letter, and the queue goes on',
  async (t) => {
    for (const kind of ['started', 'updated', 'ended'] as const) {
      const s = await scene();
      await s.up();
      await s.down();
      const poison = (message: CsmsMessage) => isOf(message, 'a', kind);
      choke(s, poison);
      await s.happens(...whole('a'), ...whole('b'));
      await comeAndGo(s, 3);
      t.equal(s.link.probes, 0, 'a link may be lost now and then');
      t.equal(s.view.deadLetters().length, 0);
      await comeAndGo(s, 4);
      await s.up(false);
      t.equal(
        s.link.told().filter((each) => each === `a ${kind}`).length,
        6,
        'forgiven three times, tried three times',
      );
      t.match(s.view.deadLetters(), [{ record: { uid: 'a', kind }, attempts: 3, state: {} }]);
      t.equal(s.link.told().at(-1), 'b ended', `a ${kind}: what follows is told`);
      t.equal(s.link.probes, 3, 'and only where the CSMS answered something else before');
    }
  },
);

t.test('a CSMS that is falling over takes every message with it, and no message is blamed', async (t) => {
  const s = await scene();
  await s.up();
  await s.down();
  s.link.answersProbes = false;
  choke(s, (message) => message.type === 'transaction');
  await s.happens(...whole('a'));
  await comeAndGo(s, 20);
  t.equal(s.view.deadLetters().length, 0);
  t.equal(s.link.told().length, 3, 'after that only the probe goes out');
  s.link.answersProbes = true;
  s.link.behave = () => undefined;
  await s.up(false);
  t.strictSame(s.link.told().slice(3), ['a started', 'a updated', 'a ended']);
});

t.test('a status at which the CSMS closes the connection does not keep the link down for ever', async (t) => {
  const s = await scene();
  await s.up();
  await s.down();
  const poison = (message: CsmsMessage): boolean => message.type === 'status' && message.connector.status === 'Faulted';
  choke(s, poison);
  s.live.set(2, { status: 'Faulted' });
  await comeAndGo(s, 4);
  const before = s.link.sent.filter(poison).length;
  t.equal(before, 4);
  await s.up(false);
  t.equal(s.link.sent.filter(poison).length, 4, 'not told again');
  s.live.set(2, { status: 'Available' });
  s.live.set(3, { status: 'Occupied' });
  s.view.connectorChanged(evseNumber(2));
  s.view.connectorChanged(evseNumber(3));
  await s.clock.settle(20);
  t.strictSame(s.link.statuses().slice(-2), ['2 Available', '3 Occupied'], 'the next ones are');
});

t.test(
  'S29: of two transactions with one id a command means the newer, also after a restart, and it is alarmed',
  async (t) => {
    const s = await scene({ csms: { ocpp: '1.6' } });
    s.link.behave = (message) => (isStart(message) ? begun(5) : undefined);
    await s.up();
    await s.happens(record('a', 0, 'started'), record('b', 0, 'started'));
    t.match(
      s.log.lines.filter(({ fault }) => fault === 'FC-C03'),
      [{ transaction: 'b', other: 'a', csmsTransactionId: 5 }],
    );
    // What the older one does later changes nothing.
    await s.happens(record('a', 1, 'updated', { meterValues: [meterValue(1_200_000, 40)] }));
    t.equal(s.link.told().at(-1), 'a updated');
    const stop = (each: Scene) => each.view.command({ type: 'requestStop', transaction: { csmsTransactionId: 5 } });
    t.match(await stop(s), { status: 'Accepted' });
    t.strictSame(s.operations.calls.at(-1), { name: 'requestStop', args: ['b'] });
    await s.happens(record('a', 2, 'ended'));
    const next = await scene({ csms: { ocpp: '1.6' }, journal: s.journal.afterCrash(), clock: s.clock });
    await stop(next);
    t.strictSame(next.operations.calls.at(-1), { name: 'requestStop', args: ['b'] }, 'the one that is open');
    t.equal(next.view.csms, csmsId('operator'));
  },
);

t.test('what is final is a dead letter at once, and both go out together again', async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  let dead = true;
  s.link.behave = (message) => {
    if (!dead || message.type !== 'transaction') return undefined;
    if (isStart(message)) return { kind: 'refused', reason: 'no' };
    return message.state['startDead'] === true
      ? { kind: 'refused', reason: 'its start is dead', final: true }
      : undefined;
  };
  await s.up();
  await s.happens(record('a', 0, 'started'));
  await s.clock.advance(180_000);
  await s.happens(record('a', 1, 'ended'), record('b', 0, 'started'));
  t.match(s.view.deadLetters(), [{ attempts: 3 }, { attempts: 1, record: { kind: 'ended' } }]);
  t.equal(s.link.told().at(-1), 'b started');
  dead = false;
  await s.clock.advance(600_000);
  t.same(s.view.redrive(), [1, 2]);
  await s.clock.settle(40);
  t.strictSame(s.link.told().slice(-2), ['a started', 'a ended']);
  t.match(s.link.transactions().at(-1)?.state, { csmsTransactionId: 101 }, 'the id of its start');
  t.equal(s.view.deadLetters().length, 0);
});
