// Drivers while the cloud is away, refused afterwards, or held in doubt: S20 to S24 and S34 through the whole shell.
import t from 'tap';
import { minutes, seconds, timestamp, wattHour } from '../../gateway/kernel/units.js';
import type { AuthorizationStatus } from '../../gateway/site/tokens.js';
import { InnerWorld, token } from './inner-world.js';

const VERSIONS = ['1.6', '2.0.1'] as const;

for (const ocpp of VERSIONS) {
  void t.test(`S22: who may stop while the CSMS (${ocpp}) is away`, async (t) => {
    const world = await InnerWorld.open({ csmss: [{ ocpp }] });
    const charger = world.charger();
    const group = { idToken: 'FLEET', type: 'Central' } as const;
    world.link().tokens.set('OWNER', { status: 'Accepted', group });
    world.link().tokens.set('COLLEAGUE', { status: 'Accepted', group });
    await world.online();
    await charger.connect();
    t.match(await charger.authorize('COLLEAGUE'), { status: 'Accepted' }, 'known to the cache from now on');
    t.match(await charger.authorize('OWNER'), { status: 'Accepted', group }, 'told its group');
    await charger.start('OWNER');
    await world.offline();
    t.match(await charger.authorize('OWNER'), { status: 'Accepted' });
    t.match(await charger.authorize('COLLEAGUE'), { status: 'Accepted', group }, 'of the same group');
    t.not((await charger.authorize('STRANGER')).status, 'Accepted');
    charger.register = 2000;
    await charger.end('COLLEAGUE');
    const told = world.link().transactions().length;
    await world.online(0, false);
    await world.clock.advance(100);
    t.same(
      world
        .link()
        .transactions()
        .slice(told)
        .map(({ record, offline }) => [record.kind, offline]),
      [['ended', true]],
    );
  });

  void t.test(`S34: the CSMS (${ocpp}) is asked only where its word is needed`, async (t) => {
    const world = await InnerWorld.open({ chargers: 9, csmss: [{ ocpp }], authorization: { offline: 'known-only' } });
    await world.online();
    for (let number = 1; number <= 9; number++) await world.charger(number).connect();
    const entries = (['LISTED', 'BLOCKED'] as const).map((idToken) => ({
      idToken: token(idToken),
      info: { status: idToken === 'LISTED' ? ('Accepted' as const) : ('Blocked' as const) },
    }));
    const list = { type: 'sendLocalList', version: 1, update: 'Full', entries } as const;
    t.match(await world.gateway.views[0]?.command(list), { status: 'Accepted' });
    world.link().tokens.set('BAD', { status: 'Blocked' });
    const rows: readonly (readonly [idToken: string, online: boolean, asked: boolean, AuthorizationStatus])[] = [
      ['LISTED', true, false, 'Accepted'],
      ['BLOCKED', true, true, 'Accepted'],
      ['NEW', true, true, 'Accepted'],
      ['NEW', true, false, 'Accepted'],
      ['BAD', true, true, 'Blocked'],
      ['LISTED', false, false, 'Accepted'],
      ['NEW', false, false, 'Accepted'],
      ['BAD', false, false, 'Blocked'],
      ['UNKNOWN', false, false, 'Invalid'],
    ];
    await world.clock.advance(seconds(10));
    for (const [index, [idToken, online, asked, status]] of rows.entries()) {
      if (online !== world.gateway.views[0]?.online) await (online ? world.online(0, false) : world.offline());
      const before = world.link().asked.length;
      const info = await world.charger(index + 1).authorize(idToken);
      t.match(info, { status }, `${idToken} ${online ? 'online' : 'offline'}`);
      t.equal(world.link().asked.length > before, asked, `${idToken} ${online ? 'online' : 'offline'}: asked`);
    }
  });

  void t.test(`S24: let in offline, refused by the CSMS (${ocpp}) later`, async (t) => {
    const world = await InnerWorld.open({ csmss: [{ ocpp }], authorization: { offline: 'accept-unknown' } });
    const charger = world.charger();
    charger.wants = 16;
    await charger.connect();
    await world.clock.advance(seconds(10));
    t.match((await charger.start('UNKNOWN')).idTokenInfo, { status: 'Accepted' });
    await world.clock.advance(seconds(30));
    t.ok(charger.limit >= 6, 'charges');
    world.link().tokens.set('UNKNOWN', { status: 'Invalid' });
    await world.online();
    await world.clock.advance(seconds(2));
    t.equal(charger.limit, 0, 'no more energy');
    await world.clock.advance(seconds(10));
    t.equal(charger.of('requestStop').length, 1, 'and told to stop');
    await world.crash();
    await charger.connect('Occupied');
    await world.clock.advance(seconds(30));
    t.equal(charger.limit, 0, 'a restart gives nothing back');
    t.ok(charger.of('requestStop').length > 1, 'and the charger is told again');
    t.match(await charger.authorize('UNKNOWN'), { status: 'Accepted' }, 'may stop his own');
    await charger.end('UNKNOWN');
    t.equal(world.gateway.openTransactions(charger.id).length, 0);
  });

  void t.test(`S24: MaxEnergyOnInvalidId is weighed with every register (${ocpp})`, async (t) => {
    const world = await InnerWorld.open({
      csmss: [{ ocpp }],
      authorization: { offline: 'accept-unknown', stopOnInvalidId: false, maxEnergyOnInvalidId: wattHour(500) },
    });
    const charger = world.charger();
    charger.wants = 16;
    await charger.connect();
    await world.clock.advance(seconds(10));
    await charger.start('UNKNOWN');
    await charger.sample(200);
    world.link().tokens.set('UNKNOWN', { status: 'Invalid' });
    await world.online();
    await world.clock.advance(seconds(30));
    await charger.sample(300);
    await world.clock.advance(seconds(2));
    t.ok(charger.limit >= 6, 'the allowance lasts');
    await world.crash();
    await charger.connect('Occupied');
    await world.clock.advance(seconds(70));
    await charger.sample(200);
    await world.clock.advance(seconds(2));
    t.equal(charger.limit, 0, 'used up, counted over the restart');
    t.equal(charger.of('requestStop').length, 0, 'and the transaction stays open');
  });
}

void t.test(
  'a refused driver stays refused when the charger repeats the start, and the CSMS is asked once',
  async (t) => {
    const world = await InnerWorld.open();
    const charger = world.charger();
    world.link().tokens.set('BAD', { status: 'Blocked' });
    await world.online();
    await charger.connect();
    const at = world.clock.now();
    const first = await charger.start('BAD', at);
    const asked = world.link().asked.length;
    const again = await charger.start('BAD', at);
    t.equal(again.stationTransactionId, first.stationTransactionId);
    t.not(first.idTokenInfo?.status, 'Accepted');
    t.not(again.idTokenInfo?.status, 'Accepted');
    t.equal(world.link().asked.length, asked);
    await world.clock.advance(seconds(6));
    t.equal(charger.of('requestStop').length, 1, 'a charger that goes on is told to stop');
  },
);

void t.test('a stop that never comes is estimated after 15 minutes, and corrected when it does', async (t) => {
  const world = await InnerWorld.open();
  const charger = world.charger();
  await world.online();
  await charger.connect();
  await charger.start('DRIVER');
  await charger.sample(400);
  const id = charger.transaction;
  await charger.disconnect();
  await world.clock.advance(minutes(2));
  await charger.connect('Available');
  await world.clock.advance(minutes(14));
  t.equal(world.gateway.openTransactions(charger.id).length, 1, 'it may still be replayed');
  await world.clock.advance(minutes(2));
  t.equal(world.gateway.openTransactions(charger.id).length, 0);
  const end = world.link().transactions().at(-1)?.record;
  t.match(end, { kind: 'ended', stoppedReason: 'PowerLoss', register: 1400 });
  charger.transaction = id;
  charger.register = 1450;
  t.equal((await charger.end('DRIVER')).stationTransactionId, id, 'the late stop is taken');
  const bills = world.journal.commits
    .flatMap(({ commit }) => commit.records ?? [])
    .filter(({ type }) => type === 'cdr');
  t.match(bills, [
    { energy: 400, estimated: true },
    { energy: 450, estimated: false },
  ]);
});

void t.test('a disk that refuses one event of two takes back that one only', async (t) => {
  const world = await InnerWorld.open();
  const charger = world.charger();
  await world.online();
  await charger.connect();
  await charger.start('DRIVER');
  world.journal.failNext(1);
  await t.rejects(charger.sample(100), { name: 'JournalUnavailable' });
  await charger.sample(100);
  await charger.end();
  await world.clock.advance(seconds(1));
  const told = world
    .link()
    .transactions()
    .map(({ record }) => [record.kind, record.n]);
  t.same(told[0], ['started', 0]);
  t.same(told.at(-1), ['ended', told.length === 2 ? 2 : told.length - 1]);
});

void t.test('a charger that leaves site.yaml takes no transaction with it', async (t) => {
  const world = await InnerWorld.open({ chargers: 2, csmss: [{ ocpp: '1.6' }] });
  const charger = world.charger(2);
  await charger.connect();
  await world.clock.advance(seconds(10));
  world.link().tokens.set('DRIVER', { status: 'Accepted' });
  await world.online();
  await charger.start('DRIVER');
  await world.offline();
  await charger.sample(700);
  await world.crash({ ...world.site, stations: world.site.stations.filter(({ id }) => id !== charger.id) });
  t.equal(world.gateway.openTransactions(charger.id).length, 0);
  await world.online();
  await world.clock.advance(seconds(2));
  t.match(world.link().transactions().at(-1)?.record, { kind: 'ended', evse: 2, register: 1700 });
});

void t.test(
  'a charger whose clock stands in 2099: the clouds are told when it arrived, and the next visit is its own',
  async (t) => {
    const world = await InnerWorld.open({ csmss: [{ ocpp: '2.0.1' }] });
    await world.online();
    const charger = world.charger();
    await charger.connect();
    const begun = world.clock.now();
    await charger.start('FIRST', timestamp(Date.UTC(2099, 0, 1)));
    await world.clock.advance(60_000);
    await charger.end('FIRST');
    await charger.start('SECOND');
    await world.clock.advance(100);
    const told = world.link().transactions();
    t.same(
      told.map(({ record }) => record.kind),
      ['started', 'ended', 'started'],
    );
    for (const { record } of told) t.ok(record.at >= begun && record.at <= world.clock.now(), record.kind);
    t.match(told[0]?.record, { reportedAt: Date.UTC(2099, 0, 1) });
  },
);

void t.test('samples that only the journal knows survive one crash, a checkpoint, and another crash', async (t) => {
  const world = await InnerWorld.open();
  const charger = world.charger();
  await world.online();
  await charger.connect();
  await charger.start('DRIVER');
  await charger.sample(400);
  const at = world.clock.now();
  await world.crash();
  await charger.connect('Occupied');
  await world.clock.advance(minutes(2));
  await world.crash();
  t.match(world.gateway.openTransactions(charger.id), [{ register: 1400, registerAt: at }]);
});

void t.test('a sample whose answer was lost in the crash is not taken in twice', async (t) => {
  const world = await InnerWorld.open();
  const charger = world.charger();
  await world.online();
  await charger.connect();
  await charger.start('DRIVER');
  await world.clock.advance(minutes(1));
  await charger.sample(400);
  await world.crash();
  const before = world.journal.lastSeq;
  // The same moment by the charger's clock: the same message.
  await charger.sample();
  t.equal(world.journal.lastSeq, before, 'known from the journal alone');
});
