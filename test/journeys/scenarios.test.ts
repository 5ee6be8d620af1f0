// What chargers, cars and clouds do that is rare and legal, and some of what is not: each seen by the meter, the journal and both clouds.
import t, { type Test } from 'tap';
import { hurry, setAt } from '../peers/link-settings.js';
import { answer, callError, drop, held } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';
import { checkEnergy, checkSound, openWorld, type World } from '../peers/world.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];

const byVersion = (world: World, version: OcppVersion): RpcCsms => {
  const csms = world.csmss.find((each) => each.version === version);
  if (csms === undefined) throw new Error(`there is no cloud of ${version}`);
  return csms;
};

const everyCsms = (world: World, what: string, look: (csms: RpcCsms) => boolean | undefined): Promise<unknown> =>
  Promise.all(world.csmss.map((csms) => world.changes.until(`${csms.record.peer}: ${what}`, () => look(csms))));

const begun = (world: World, slot: number, meterStart: number): Promise<unknown> =>
  everyCsms(world, 'the start', (csms) => csms.book.latest(slot)?.meterStart === meterStart);
const ended = (world: World, slot: number, meterStop: number): Promise<unknown> =>
  everyCsms(world, 'the end', (csms) => csms.book.latest(slot)?.meterStop === meterStop);

for (const version of VERSIONS)
  void t.test(`the authority speaks ${version}`, async (t) => {
    const observer = version === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
    const world = await openWorld(t, { chargers: VERSIONS, authority: version, observer });
    await world.ready();
    for (const csms of world.csmss) await hurry(csms);
    for (const number of [1, 2]) {
      const about = `a charger of ${(await world.powerUp(number)).version}`;
      await t.test(`S15: the car is unplugged at its own end, ${about}`, (t) => unplugged(t, world, number));
      await t.test(`S18, S25: each cloud has its own values, and a gap in the line is none in them, ${about}`, (t) =>
        sampled(t, world, number),
      );
    }
    await t.test('S33: GetTransactionStatus', (t) => transactionStatus(t, world));
    await t.test('S28: a start that is never acknowledged, and stops under ids of nobody', (t) => deadStarts(t, world));
    await t.test('S29: a start answered with odd ids', (t) => oddIds(t, world));
    await t.test('a cloud that chokes on one message', (t) => choking(t, world));
    await t.test('S19: a transaction that begins with the plug', (t) => plugFirst(t, world));
    await checkSound(t, world, [/^The CSMS refused a message for good/]);
  });

async function unplugged(t: Test, world: World, number: number): Promise<void> {
  const { authority, changes } = world;
  const charger = world.charger(number);
  const { act } = charger;
  const key = charger.version === 'ocpp1.6' ? 'StopTransactionOnEVSideDisconnect' : 'TxCtrlr.StopTxOnEVSideDisconnect';
  for (const stops of [true, false]) {
    await setAt(authority, 'stopOnEvDisconnect', String(stops));
    await changes.until('the charger to be told', () => act.settings.get(key) === String(stops));
    const from = act.register;
    await act.plug();
    await act.start({ idToken: 'CARD1' });
    await act.charge(100);
    await begun(world, number, from);
    if (!stops) {
      await act.suspendedByCar();
      await everyCsms(world, 'suspended', (csms) =>
        csms.version === 'ocpp1.6'
          ? csms.book.status(number) === 'SuspendedEV'
          : csms.book.latest(number)?.chargingStates.at(-1) === 'SuspendedEV',
      );
      for (const csms of world.csmss) t.equal(csms.book.latest(number)?.ended, false, 'it stays open');
    }
    await act.stop({ reason: stops ? 'EVDisconnected' : 'Local' });
    await ended(world, number, from + 100);
    for (const csms of world.csmss) t.equal(csms.book.latest(number)?.reason, stops ? 'EVDisconnected' : 'Local');
    await act.unplug();
    await checkEnergy(t, world, number, { from, to: from + 100 });
  }
  await setAt(authority, 'stopOnEvDisconnect', 'true');
}

/** Values of a transaction that one cloud was told after its start, as `<register> <measurands>`. */
function told(csms: RpcCsms, after: number): readonly string[] {
  type Sample = { readonly measurand?: string; readonly value: unknown; readonly phase?: string };
  type Values = readonly { readonly sampledValue: readonly Sample[] }[];
  return csms.calls
    .slice(after)
    .filter(({ action, payload }) => action === 'MeterValues' || payload['eventType'] === 'Updated')
    .flatMap(({ payload }) => (payload['meterValue'] ?? []) as Values)
    .map(({ sampledValue }) => {
      const register = sampledValue.find(({ measurand = 'Energy' }) => measurand.startsWith('Energy'));
      return `${Number(register?.value)} ${[...new Set(sampledValue.map(({ measurand }) => measurand ?? 'Energy.Active.Import.Register'))].join(' ')}`;
    });
}

async function sampled(t: Test, world: World, number: number): Promise<void> {
  const { authority, observer } = world;
  const { act } = world.charger(number);
  await setAt(authority, 'sampleInterval', '10');
  await setAt(authority, 'sampled', 'Energy.Active.Import.Register,Current.Import');
  await setAt(observer, 'sampleInterval', '300');
  await setAt(observer, 'sampled', 'Energy.Active.Import.Register');
  const marks = world.csmss.map(({ calls }) => calls.length);
  const from = act.register;
  // The meter's clock, not ours, says when a sample was taken.
  const since = Date.now() - 60_000;
  const at = (second: number): Date => new Date(since + second * 1000);
  await act.plug();
  await act.start({ idToken: 'CARD1', at: at(0) });
  await act.charge(10, 6, at(10));
  await act.charge(10, 6, at(15));
  await begun(world, number, from);
  for (const csms of world.csmss) {
    await csms.settle();
    await csms.stop();
  }
  for (const second of [20, 30, 40]) await act.charge(10, 6, at(second));
  for (const csms of world.csmss) await csms.start();
  await everyCsms(world, 'the line', (csms) => csms.connected);
  await act.charge(10, 6, at(50));
  await act.stop();
  await act.unplug();
  await ended(world, number, from + 60);
  const [mine = [], other = []] = world.csmss.map((csms, index) => told(csms, marks[index] ?? 0));
  const both = 'Energy.Active.Import.Register Current.Import';
  t.same(
    mine,
    [10, 30, 40, 50, 60].map((energy) => `${from + energy} ${both}`),
    'every ten seconds, with the register as it is',
  );
  t.same(other, [], 'not yet');
  for (const csms of world.csmss) {
    if (csms.version === 'ocpp1.6') continue;
    const events = csms.record
      .of('TransactionEvent')
      .filter(
        ({ payload }) => (payload['transactionInfo'] as Payload)['transactionId'] === csms.book.latest(number)?.id,
      );
    const offline = events.filter(({ payload }) => payload['offline'] === true).length;
    t.equal(offline, csms === authority ? 3 : 0, 'what happened while it was away says so');
    t.equal(events.at(-1)?.payload['offline'], undefined);
    t.notOk(events[0]?.payload['offline']);
  }
  await checkEnergy(t, world, number, { from, to: from + 60 });
}

async function transactionStatus(t: Test, world: World): Promise<void> {
  const csms = byVersion(world, 'ocpp2.0.1');
  const charger = world.charger(1);
  const { act } = charger;
  const ask = (transactionId?: string): Promise<Payload> =>
    csms.ask('GetTransactionStatus', transactionId === undefined ? {} : { transactionId });
  // What the scenario before has left is told first.
  while ((await ask())['messagesInQueue'] === true) await csms.settle();
  t.same(await ask(), { messagesInQueue: false }, 'without an id only the queue is told of (E14.FR.06)');
  t.same(await ask('of-nobody'), { ongoingIndicator: false, messagesInQueue: false });
  const from = act.register;
  await act.plug();
  await act.start({ idToken: 'CARD1' });
  await act.charge(50);
  await begun(world, 1, from);
  await csms.settle();
  const { id } = csms.book.latest(1) ?? { id: '' };
  t.same(await ask(id), { ongoingIndicator: true, messagesInQueue: false });
  await charger.drop();
  t.same(await ask(id), { ongoingIndicator: true, messagesInQueue: false }, 'its charger is away');
  await charger.connect();
  await act.heartbeat();
  const later = held();
  csms.scripts.once('TransactionEvent', later.script);
  await act.stop();
  await world.changes.until('the end to be under way', () => later.waiting === 1);
  t.same(await ask(id), { ongoingIndicator: false, messagesInQueue: true });
  t.same(await ask(), { messagesInQueue: true });
  later.release(csms.usual('TransactionEvent', csms.record.of('TransactionEvent').at(-1)?.payload ?? {}));
  await ended(world, 1, from + 50);
  await csms.settle();
  await world.changes.until('an empty queue', () => csms.book.latest(1)?.ended);
  t.same(await ask(id), { ongoingIndicator: false, messagesInQueue: false });
  await act.unplug();
  await checkEnergy(t, world, 1, { from, to: from + 50 });
}

async function deadStarts(t: Test, world: World): Promise<void> {
  const old = byVersion(world, 'ocpp1.6');
  const modern = byVersion(world, 'ocpp2.0.1');
  const { act } = world.charger(1);
  for (const transactionId of [-1, 0, 424_242]) {
    const from = act.register;
    const stops = old.record.of('StopTransaction').length;
    const starts = old.record.of('StartTransaction').length;
    const refusal = callError('InternalError');
    old.scripts.once('StartTransaction', refusal, refusal, refusal);
    await act.plug();
    t.equal(await act.start({ idToken: 'CARD1' }), 'Accepted');
    await act.charge(80);
    await act.stop({ transactionId });
    await act.unplug();
    await world.changes.until('the stop', () => old.record.of('StopTransaction').length === stops + 1);
    t.equal(old.record.of('StartTransaction').length, starts + 3);
    t.match(old.record.of('StopTransaction').at(-1)?.payload, { transactionId: -1, meterStop: from + 80 });
    await world.changes.until('the end', () => modern.book.latest(1)?.meterStop === from + 80);
    await checkBill(t, world, 1, { from, to: from + 80 });
  }
}

async function oddIds(t: Test, world: World): Promise<void> {
  const old = byVersion(world, 'ocpp1.6');
  const charger = world.charger(2);
  const { act } = charger;
  for (const [transactionId, status] of [
    [0, 'Invalid'],
    [-7, 'Accepted'],
  ] as const) {
    const from = act.register;
    const stops = old.record.of('StopTransaction').length;
    old.scripts.once('StartTransaction', answer({ transactionId, idTagInfo: { status } }));
    const orders = charger.record.of('RequestStopTransaction').length;
    await act.plug();
    await act.start({ idToken: 'CARD2' });
    await act.charge(70);
    if (old === world.authority && status === 'Invalid')
      await world.changes.until('the order to stop', () => act.transaction === undefined);
    else {
      await act.stop();
      t.equal(charger.record.of('RequestStopTransaction').length, orders, 'an observer decides nothing');
    }
    await act.unplug();
    await world.changes.until('the stop', () => old.record.of('StopTransaction').length > stops);
    t.match(old.record.of('StopTransaction').at(-1)?.payload, { transactionId, meterStop: from + 70 });
  }
}

/** One cloud closes the connection each time that it sees one message: it alone has to do without that message. */
async function choking(t: Test, world: World): Promise<void> {
  const { observer, authority, changes } = world;
  const action = observer.version === 'ocpp1.6' ? 'StopTransaction' : 'TransactionEvent';
  const [{ act: first }, { act: second }] = [world.charger(1), world.charger(2)];
  const from = first.register;
  await first.plug();
  await first.start({ idToken: 'CARD1' });
  await begun(world, 1, from);
  await observer.settle();
  const { id } = observer.book.latest(1) ?? { id: '' };
  let drops = 0;
  observer.scripts.always(action, (payload, name) => {
    const info = payload['transactionInfo'] as { transactionId?: string } | undefined;
    const told = payload['transactionId'] as number | undefined;
    const poison = (told?.toString() ?? info?.transactionId) === id;
    if (!poison) return observer.usual(name, payload);
    drops++;
    return drop;
  });
  await first.charge(50);
  await first.stop();
  await first.unplug();
  while (drops < 6) {
    const seen = drops;
    const register = second.register;
    const begin = performance.now();
    await second.plug();
    await second.start({ idToken: 'CARD2' });
    await second.charge(30);
    await second.stop();
    await second.unplug();
    await changes.until('the authority to hear of it', () => authority.book.latest(2)?.meterStop === register + 30);
    t.ok(performance.now() - begin < 3000, 'nobody else waits');
    await changes.until(
      'the next time',
      () => drops > seen || observer.book.latest(2)?.meterStop === second.register,
      15_000,
    );
  }
  observer.scripts.always(action, undefined);
  await changes.until('what comes after it', () => observer.book.latest(2)?.meterStop === second.register, 15_000);
  t.equal(drops, 6, 'forgiven three times, tried three times');
  t.equal(observer.book.transactions.get(id)?.ended, false, 'it is a dead letter of that cloud');
  await checkBill(t, world, 1, { from, to: from + 50 });
}

async function checkBill(
  t: Test,
  world: World,
  slot: number,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const bill = await world.changes.until(
    'the bill',
    () => world.bills.latest(slot)?.meterStop_Wh === to && world.bills.latest(slot),
  );
  t.match(bill, { meterStart_Wh: from, energy_Wh: to - from, estimated: false });
}

/** A 2.0.1 charger with TxStartPoint EVConnected. */
async function plugFirst(t: Test, world: World): Promise<void> {
  const old = byVersion(world, 'ocpp1.6');
  const charger = world.charger(2);
  const from = charger.act.register;
  const starts = old.record.of('StartTransaction').length;
  let seqNo = 0;
  const event = (
    eventType: string,
    triggerReason: string,
    chargingState: string,
    register: number,
    more: Payload = {},
  ) =>
    charger.call('TransactionEvent', {
      eventType,
      triggerReason,
      timestamp: new Date().toISOString(),
      seqNo: seqNo++,
      evse: { id: 1, connectorId: 1 },
      transactionInfo: { transactionId: 'plug-first', chargingState },
      meterValue: [
        {
          timestamp: new Date().toISOString(),
          sampledValue: [
            {
              value: register,
              context:
                eventType === 'Ended'
                  ? 'Transaction.End'
                  : eventType === 'Started'
                    ? 'Transaction.Begin'
                    : 'Sample.Periodic',
              measurand: 'Energy.Active.Import.Register',
            },
          ],
        },
      ],
      ...more,
    });
  await charger.act.plug();
  await event('Started', 'CablePluggedIn', 'EVConnected', from);
  await world.changes.until('the start', () => byVersion(world, 'ocpp2.0.1').book.latest(2)?.ended === false);
  t.equal(old.record.of('StartTransaction').length, starts, 'nobody has shown a card yet');
  await event('Updated', 'Authorized', 'Charging', from, { idToken: { idToken: 'CARD3', type: 'ISO14443' } });
  await begun(world, 2, from);
  t.equal(old.record.of('StartTransaction').length, starts + 1);
  t.match(old.record.of('StartTransaction').at(-1)?.payload, { idTag: 'CARD3', meterStart: from });
  await event('Ended', 'StopAuthorized', 'EVConnected', from + 90);
  await charger.act.unplug();
  await ended(world, 2, from + 90);
  await checkEnergy(t, world, 2, { from, to: from + 90 });
}
