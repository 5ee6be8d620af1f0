// Telemetry against a broker in memory: newest state, every event, nothing lost while the broker is away, all of it documented.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { csmsId, journalSeq } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { defaultRoot } from '../../../gateway/telemetry/topics.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { AT, bill, CP1, happened, ONE, reading, rig, standing, TOKEN, transaction, type Rig } from './rig.js';

const seqs = ({ link }: Rig): unknown[] =>
  link.published
    .filter(({ topic }) => topic.includes('/event/'))
    .map(({ payload }) => (JSON.parse(payload) as { seq: unknown }).seq);

/** Everything that can be told, once. */
async function everything({ telemetry, book, journal, clock }: Rig): Promise<void> {
  book.linkChanged(CP1, true, AT);
  book.booted(CP1, { vendor: 'ACME', model: 'Wall 22', firmwareVersion: '1.4.2' });
  book.status({
    type: 'status',
    station: CP1,
    evse: ONE,
    connector: 1,
    status: 'Occupied',
    error: { code: 'OtherError', info: 'fan' },
    at: AT,
  });
  book.transactionChanged(transaction(), AT);
  book.measured(
    ONE,
    [
      {
        at: AT,
        sampled: [
          { measurand: 'Current.Import', phase: 'L1', value: 15.84 },
          { measurand: 'Energy.Active.Import.Register', value: 5500 },
        ],
      },
    ],
    AT,
  );
  book.offered(ONE, ampere(16));
  telemetry.stationChanged(CP1);
  telemetry.connectorChanged(ONE, 1);
  telemetry.meter(reading(71.23));
  telemetry.circuit(standing(16));
  telemetry.gridOperator({
    limits: new Map([['main', 6]]),
    failsafe: true,
    sources: [{ source: 'mqtt', failsafeSince: AT }, { source: 'contact 1' }],
  });
  telemetry.reason({
    evse: ONE,
    reason: 'rotation',
    text: 'it waits for its turn',
    circuit: 'main',
    phase: 'L1',
    profile: { csms: 'operator', purpose: 'TxProfile', id: 4 },
  });
  telemetry.csms({
    csms: csmsId('operator'),
    connected: true,
    accepted: true,
    queued: 2,
    oldest: timestamp(AT),
    dead: 0,
    lastError: 'InternalError',
  });
  await journal.commit({
    records: [
      happened('started'),
      happened('updated', { trigger: 'MeterValuePeriodic' }),
      happened('ended'),
      bill,
      { type: 'security', station: CP1, event: 'TamperDetectionActivated', at: AT, techInfo: 'lid' },
      { type: 'meter', station: CP1, evse: ONE, meterValues: [] },
    ],
  });
  await clock.advance(1000);
}

void t.test('a broker that connects gets the whole state, retained, and later only what changes', async (t) => {
  const the = await rig();
  the.telemetry.meter(reading(1));
  the.link.up();
  t.same(
    the.link.published.map(({ topic }) => topic).sort(),
    [
      'f/S/evse/1',
      'f/S/evse/1/connector/1',
      'f/S/evse/2',
      'f/S/evse/2/connector/1',
      'f/S/meter/grid',
      'f/S/online',
      'f/S/station/CP1',
      'f/S/station/CP2',
    ],
    'also what has not changed since the gateway started: the broker may remember older',
  );
  t.ok(the.link.published.every(({ qos, retain }) => qos === 1 && retain));
  the.link.published.length = 0;
  the.telemetry.meter(reading(1.01));
  await the.clock.advance(1000);
  t.same(the.link.published, [], 'noise below a tenth of an ampere is no change');
  for (const l1 of [5, 6, 7]) the.telemetry.meter(reading(l1));
  await the.clock.advance(1000);
  t.same(
    the.link.of('f/S/meter/grid'),
    [
      {
        current_A: { L1: 7, L2: 2, L3: -3 },
        power_W: 1235,
        import_Wh: 99,
        export_Wh: 1,
        at: '2025-03-01T08:00:00.000Z',
      },
    ],
    'once a second, the newest',
  );
  the.link.down();
  the.link.published.length = 0;
  the.link.up();
  t.equal(the.link.published.length, 8, 'everything again after a disconnection');
});

void t.test('a slow broker has one value of each topic on its way, and gets the newest next', async (t) => {
  const the = await rig();
  the.link.answers = false;
  the.link.up();
  const topics = the.link.inFlight;
  for (let l1 = 1; l1 <= 30; l1++) {
    the.telemetry.meter(reading(l1));
    await the.clock.advance(1000);
  }
  t.equal(the.link.inFlight, topics + 1);
  the.link.acknowledge();
  await the.clock.advance(1000);
  t.match(the.link.of('f/S/meter/grid'), [{ current_A: { L1: 1 } }, { current_A: { L1: 30 } }]);
});

void t.test('a state that the broker did not take is sent again', async (t) => {
  const the = await rig();
  the.link.up();
  the.link.refuse.add(the.link.published.length);
  the.telemetry.meter(reading(5));
  await the.clock.advance(1000);
  await the.clock.advance(1000);
  t.equal(the.link.of('f/S/meter/grid').length, 2);
  await the.clock.advance(5000);
  t.equal(the.link.of('f/S/meter/grid').length, 2, 'and then no more');
});

void t.test('events: every one, in order, a bounded number on the way, none for samples', async (t) => {
  const the = await rig();
  the.link.up();
  the.link.answers = false;
  const before = the.link.inFlight;
  await the.journal.commit({
    records: Array.from({ length: 100 }, (_, i) =>
      i % 10 === 9 ? happened('updated', { trigger: 'MeterValueClock' }) : happened('updated'),
    ),
  });
  await the.clock.settle(10);
  t.ok(the.link.inFlight - before <= 32, `${the.link.inFlight} on the way`);
  for (let i = 0; i < 10; i++) {
    the.link.acknowledge();
    await the.clock.settle(10);
  }
  t.same(
    seqs(the),
    Array.from({ length: 100 }, (_, i) => i + 1).filter((seq) => seq % 10 !== 0),
  );
  t.ok(the.link.published.filter(({ topic }) => topic.includes('/event/')).every(({ qos, retain }) => qos && !retain));
  t.equal(the.telemetry.settled, 100);
});

void t.test('a broker that is away misses nothing; a refused event is offered again, in order', async (t) => {
  const the = await rig();
  the.link.up();
  await the.journal.commit({ records: [happened('started')] });
  await the.clock.settle();
  the.link.down();
  await the.journal.commit({ records: [happened('updated'), happened('ended'), bill] });
  await the.clock.advance(60_000);
  t.same(seqs(the), [1]);
  t.equal(the.telemetry.settled, 1, 'and the journal keeps them');
  the.link.up();
  await the.clock.settle(10);
  t.same(seqs(the), [1, 2, 3, 4]);

  the.link.refuse.add(the.link.published.length);
  await the.journal.commit({ records: [happened('started'), happened('ended')] });
  await the.clock.settle(10);
  t.equal(the.telemetry.settled, 4);
  await the.clock.advance(1000);
  t.same(seqs(the).slice(-2), [5, 6], 'after a refusal, without a new connection');
  t.equal(the.telemetry.settled, 6);
});

void t.test('after a crash the events go on where the broker was, and before that nothing is new', async (t) => {
  const journal = new MemoryJournal();
  await journal.commit({ records: [happened('started')] });
  const the = await rig({}, journal);
  the.link.up();
  await the.clock.advance(1000);
  t.same(seqs(the), [], 'history is not told to a broker that is new');
  the.link.down();
  await the.journal.commit({ records: [happened('ended')] });
  const next = await the.restarted();
  next.link.up();
  await next.clock.advance(1000);
  t.same(seqs(next), [2]);
  const last = await next.restarted();
  last.link.up();
  await last.clock.advance(1000);
  t.same(seqs(last), [], 'the cursor is on disk');
  t.equal(last.telemetry.settled, 2);
});

void t.test('how far the broker is costs one small write a second, not one an event', async (t) => {
  const the = await rig();
  the.link.up();
  await the.clock.advance(1000);
  const before = the.journal.commits.length;
  for (let i = 0; i < 20; i++) {
    await the.journal.commit({ records: [happened('updated')] });
    await the.clock.settle(5);
  }
  await the.clock.advance(1000);
  t.equal(the.journal.commits.length - before, 21);
  t.equal(the.journal.commits.at(-1)?.urgency, 'batch');
  the.journal.failNext();
  await the.journal.commit({ records: [happened('updated')] }).catch(() => undefined);
  await the.journal.commit({ records: [happened('updated')] });
  the.journal.failNext();
  await the.clock.advance(1000);
  t.match(the.log.lines.at(-1), { level: 'warn', fields: { fault: 'FC-J01' } });
  await the.clock.advance(1000);
  t.same((await the.journal.load('telemetry')).get('broker'), { cursor: the.telemetry.settled }, 'it is tried again');
});

void t.test('a broker that never comes back does not keep the journal for ever', async (t) => {
  class LongJournal extends MemoryJournal {
    ahead = 0;
    override get lastSeq() {
      return journalSeq(super.lastSeq + this.ahead);
    }
  }
  const journal = new LongJournal();
  const the = await rig({}, journal);
  journal.ahead = 1_000_000;
  await the.clock.advance(1000);
  t.equal(the.telemetry.settled, 0);
  journal.ahead = 1_000_500;
  await the.clock.advance(1000);
  t.equal(the.telemetry.settled, 500);
  t.match(the.log.lines.at(-1), { level: 'warn', fields: { fault: 'FC-Q02', from: 1, to: 500 } });
});

void t.test('stopping says so to the broker, and does not wait for one that is stuck', async (t) => {
  const the = await rig();
  the.link.up();
  await the.telemetry.stop();
  t.match(the.link.published.at(-1), { topic: 'f/S/online', payload: 'false', retain: true });
  t.ok(the.link.stopped);
  await the.clock.advance(5000);
  t.match(the.link.published.at(-1), { topic: 'f/S/online', payload: 'false' }, 'nothing afterwards');

  const stuck = await rig();
  stuck.link.answers = false;
  stuck.link.up();
  const stopping = stuck.telemetry.stop();
  await stuck.clock.advance(2000);
  await stopping;
  t.ok(stuck.link.stopped);
});

void t.test('only the command topics are listened to', async (t) => {
  const the = await rig();
  the.link.up();
  the.link.receive('f/S/grid-operator-limit/set', '16');
  the.link.receive('f/S/online', 'false');
  the.link.receive('f/other/grid-operator-limit/set', '1');
  the.link.receive('f/S/grid-operator-limit/deck/set', '10 A');
  the.link.receive('f/S/grid-operator-limit/heartbeat', '');
  the.link.receive('f/S/grid-operator-limit/a/b/set', '1');
  t.same(the.limits, ['16', 'deck 10 A', 'alive']);
  the.link.down();
  t.match(the.log.lines, [{ level: 'warn', fields: { fault: 'FC-Q01', broker: 'broker' } }]);
});

void t.test(
  'why an EVSE has its current is told when it changes, and not more often than every ten seconds',
  async (t) => {
    const the = await rig();
    the.link.up();
    for (let second = 0; second < 60; second++) {
      const phase = second % 2 === 0 ? 'L1' : 'L2';
      the.telemetry.reason({ evse: ONE, reason: 'full', text: `full on ${phase}`, circuit: 'main', phase });
      await the.clock.advance(1000);
    }
    const told = the.link.of('f/S/evse/1/reason');
    t.match(told[0], { reason: 'full', circuit: 'main', phase: 'L1' });
    t.ok(told.length >= 2 && told.length <= 6, `${told.length} in a minute`);
  },
);

void t.test('a card is shown in full to the operator only', async (t) => {
  for (const [tokens, shown] of [
    ['full', TOKEN],
    ['masked', '04***(14)'],
  ] as const) {
    const the = await rig({ tokens });
    the.link.up();
    await everything(the);
    t.match(the.link.of('f/S/event/cdr'), [{ idToken: shown, energy_Wh: 4500 }]);
    const text = JSON.stringify(the.link.published);
    t.equal(text.split(TOKEN).length - 1, tokens === 'full' ? 1 : 0, 'nowhere else');
  }
});

void t.test('payloads say what the site looks like', async (t) => {
  const the = await rig();
  the.link.up();
  await everything(the);
  t.same(the.link.of('f/S/evse/1').at(-1), {
    offered_A: 16,
    current_A: { L1: 0, L2: 15.8, L3: 0 },
    register_Wh: 5500,
    transaction: transaction().uid,
    energy_Wh: 4500,
  });
  t.match(the.link.of('f/S/evse/1/connector/1').at(-1), { status: 'Occupied', transaction: 'open', errorInfo: 'fan' });
  t.match(the.link.of('f/S/circuit/main').at(-1), { background_A: { L1: 1.2 }, heat: { L1: 0.12 }, limit_A: 63 });
  t.match(the.link.of('f/S/event/transaction'), [{ event: 'started' }, { event: 'ended', stoppedReason: 'Local' }]);
  the.book.transactionChanged(transaction({ endedAt: AT, register: wattHour(5500) }), AT);
  the.telemetry.measured(ONE);
  await the.clock.advance(1000);
  t.strictSame(Object.keys(the.link.of('f/S/evse/1').at(-1) as object), ['offered_A', 'current_A', 'register_Wh']);
  t.equal(defaultRoot('S'), 'forecourt/S');
});

interface Documented {
  readonly pattern: RegExp;
  readonly retained: boolean;
  readonly keys: readonly string[];
  readonly example: string;
}

function documented(): Map<string, Documented> {
  const text = readFileSync('deploy/MQTT.md', 'utf8').split('## Command topics')[0] ?? '';
  const sections = text.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const topic = /^`([^`]+)`/.exec(section)?.[1] ?? '';
      const pattern = new RegExp(`^f/S/${topic.replaceAll(/<[^>]+>/g, '[^/]+')}$`);
      const keys = [...section.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, key]) => key ?? '');
      const example = /^```(?:json)?\n([^]*?)\n```$/m.exec(section)?.[1] ?? '';
      return [topic, { pattern, retained: section.includes('Retained: yes.'), keys, example }];
    }),
  );
}

void t.test('deploy/MQTT.md describes every topic and key there is, and no other', async (t) => {
  const the = await rig();
  the.link.up();
  await everything(the);
  const docs = documented();
  const used = new Set<string>();
  const keys = new Map<string, Set<string>>();
  for (const { topic, payload, retain } of the.link.published) {
    const [name, doc] = [...docs].find(([, { pattern }]) => pattern.test(topic)) ?? [];
    if (name === undefined || doc === undefined) {
      t.fail(`${topic} is not documented`);
      continue;
    }
    used.add(name);
    t.equal(retain, doc.retained, `${topic} retained`);
    const value = JSON.parse(payload) as unknown;
    const seen = keys.get(name) ?? new Set<string>();
    keys.set(name, seen);
    if (typeof value === 'object' && value !== null) for (const key of Object.keys(value)) seen.add(key);
  }
  t.same([...used].sort(), [...docs.keys()].sort(), 'every documented topic was published');
  for (const [name, doc] of docs) {
    t.same([...(keys.get(name) ?? [])].sort(), [...doc.keys].sort(), `keys of ${name}`);
    const example = JSON.parse(doc.example) as unknown;
    if (doc.keys.length > 0) t.same(Object.keys(example as object), doc.keys, `example of ${name}`);
  }
});
