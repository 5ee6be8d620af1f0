// The commands of a CSMS: translated to the site's numbers, allowed by role, answered in words that the schema knows.
import t from 'tap';
import { csmsId, evseNumber, transactionUid } from '../../../gateway/kernel/ids.js';
import { seconds, timestamp } from '../../../gateway/kernel/units.js';
import type { CsmsCommand } from '../../../gateway/ports/csms.js';
import type { ChargingProfile } from '../../../gateway/site/charging-profile.js';
import { evse, meterValue, record, scene, transaction } from './fixture.js';

const idToken = { idToken: 'ABCD1234', type: 'ISO14443' } as const;
const profile = (purpose: ChargingProfile['purpose']): ChargingProfile => ({
  id: 1,
  stackLevel: 0,
  purpose,
  kind: 'Absolute',
  schedules: [{ unit: 'A', periods: [{ startPeriod: 0, limit: 10 }] }],
});

/** One of each, as the authority of a site would give it. */
const COMMANDS: readonly CsmsCommand[] = [
  { type: 'requestStart', idToken, slotEvse: 1 },
  { type: 'requestStop', transaction: { uid: transactionUid('a') } },
  { type: 'unlock', target: { evse: 1, connector: 1 } },
  { type: 'changeAvailability', operative: false },
  { type: 'reset', kind: 'soft', whenIdle: false },
  { type: 'reserve', reservationId: 1, idToken, expiry: timestamp(9) },
  { type: 'cancelReservation', reservationId: 1 },
  { type: 'sendLocalList', version: 1, update: 'Full', entries: [] },
  { type: 'getLocalListVersion' },
  { type: 'clearCache' },
  { type: 'setChargingProfile', target: { evse: 1 }, profile: profile('TxDefaultProfile') },
  { type: 'setChargingProfile', target: undefined, profile: profile('ChargingStationMaxProfile') },
  { type: 'clearChargingProfile', id: 1 },
  { type: 'getCompositeSchedule', target: { evse: 1 }, duration: 60 },
  { type: 'getChargingProfiles', requestId: 1 },
  { type: 'trigger', message: 'StatusNotification' },
  { type: 'getVariables', variables: [] },
  { type: 'setVariables', variables: [] },
  { type: 'getReport', requestId: 1, base: 'FullInventory' },
  { type: 'getTransactionStatus' },
  { type: 'dataTransfer', vendorId: 'org.forecourt', messageId: 'Charger', data: { evseId: 1, vendorId: 'x' } },
];
const label = (command: CsmsCommand): string =>
  command.type === 'setChargingProfile' ? `${command.type} ${command.profile.purpose}` : command.type;

t.test('S46: what each role may do; a refusal is a word of the schema and reaches nothing', async (t) => {
  const answered = async (role: 'authority' | 'observer' | 'limiter') => {
    const s = await scene({ csms: { role } });
    s.operations.transactions.set(transactionUid('a'), transaction('a'));
    await s.up();
    const answers: Record<string, string> = {};
    for (const command of COMMANDS) answers[label(command)] = (await s.view.command(command)).status;
    return { answers, asked: s.operations.names() };
  };
  const authority = await answered('authority');
  t.strictSame(
    Object.entries(authority.answers).filter(([, status]) => status !== 'Accepted'),
    [
      ['unlock', 'Unlocked'],
      ['getChargingProfiles', 'NoProfiles'],
    ],
  );
  const observer = await answered('observer');
  t.strictSame(observer.asked, []);
  t.strictSame(observer.answers, {
    ...authority.answers,
    requestStart: 'Rejected',
    requestStop: 'Rejected',
    unlock: 'UnlockFailed',
    changeAvailability: 'Rejected',
    reset: 'Rejected',
    reserve: 'Rejected',
    cancelReservation: 'Rejected',
    sendLocalList: 'Failed',
    clearCache: 'Rejected',
    'setChargingProfile TxDefaultProfile': 'Rejected',
    'setChargingProfile ChargingStationMaxProfile': 'Rejected',
    clearChargingProfile: 'Unknown',
    dataTransfer: 'Rejected',
  });
  const limiter = await answered('limiter');
  t.strictSame(limiter.asked, ['setChargingProfile', 'clearChargingProfiles']);
  t.equal(limiter.answers['setChargingProfile TxDefaultProfile'], 'Rejected');
  t.equal(limiter.answers['setChargingProfile ChargingStationMaxProfile'], 'Accepted');
});

t.test('slots become the EVSEs of the site, and only of this view', async (t) => {
  const s = await scene({
    evses: [evse(1), evse(5, 'CP5', 2), evse(9)],
    csms: { ocpp: '1.6', evses: [evseNumber(5), evseNumber(9)] },
  });
  const { view, operations } = s;
  await view.command({ type: 'requestStart', idToken, slotFlat: 2 });
  t.match(operations.calls.at(-1)?.args, [{ target: { evse: 5, connector: 2 }, evses: [5, 9] }]);
  await view.command({ type: 'requestStart', idToken });
  t.match(operations.calls.at(-1)?.args, [{ target: undefined, evses: [5, 9] }]);
  await view.command({ type: 'changeAvailability', target: { flat: 3 }, operative: false });
  t.match(operations.calls.at(-1)?.args, [[5, 9], { evse: 9, connector: 1 }, false]);
  const composite = await view.command({ type: 'getCompositeSchedule', target: { flat: 3 }, duration: 60, unit: 'W' });
  t.match(composite.schedule, { slotEvse: 2, slotFlat: 3, schedule: { unit: 'W' } });
  t.match(await view.command({ type: 'getCompositeSchedule', target: { flat: 0 }, duration: 60 }), {
    schedule: { slotEvse: 0, slotFlat: 0, schedule: { unit: 'A' } },
  });
  t.strictSame(view.slotOf(1, 2), { evse: 1, connector: 2, flat: 2 });
  t.strictSame(view.slotOfFlat(3), { evse: 2, connector: 1, flat: 3 });
  t.equal(view.slotOfFlat(4), undefined);
});

t.test('a slot that is not there is refused in the words of each message', async (t) => {
  const s = await scene();
  const old = await scene({ csms: { id: csmsId('old'), ocpp: '1.6' } });
  const status = async (command: CsmsCommand, on = s) => (await on.view.command(command)).status;
  t.equal(await status({ type: 'requestStart', idToken, slotEvse: 4 }), 'Rejected');
  t.equal(await status({ type: 'unlock', target: { evse: 1, connector: 2 } }), 'UnknownConnector');
  t.equal(await status({ type: 'unlock', target: { flat: 0 } }), 'UnknownConnector');
  t.equal(await status({ type: 'changeAvailability', target: { evse: 4 }, operative: true }), 'Rejected');
  t.equal(await status({ type: 'reset', kind: 'hard', whenIdle: false, slotEvse: 4 }), 'Rejected');
  t.equal(await status({ type: 'clearChargingProfile', target: { evse: 4 } }), 'Unknown');
  t.equal(await status({ type: 'getChargingProfiles', requestId: 1, slotEvse: 4 }), 'NoProfiles');
  t.equal(await status({ type: 'getCompositeSchedule', target: { evse: 4 }, duration: 1 }), 'Rejected');
  t.equal(await status({ type: 'trigger', message: 'StatusNotification', target: { evse: 4 } }), 'Rejected');
  const set: CsmsCommand = { type: 'setChargingProfile', target: { flat: 4 }, profile: profile('TxDefaultProfile') };
  t.equal(await status(set), 'Rejected');
  t.equal(await status(set, old), 'PropertyConstraintViolation', '1.6 errata 3.39');
  t.strictSame([...s.operations.names(), ...old.operations.names()], []);
});

t.test("a CSMS's own transaction ids lead to the site's, over a restart and after the end", async (t) => {
  const s = await scene({ csms: { ocpp: '1.6' } });
  await s.up();
  await s.happens(record('a', 0, 'started'), record('b', 0, 'started'), record('b', 1, 'ended'));
  const again = await scene({ journal: s.journal.afterCrash(), csms: { ocpp: '1.6' } });
  const stop = async (id: number) =>
    (await again.view.command({ type: 'requestStop', transaction: { csmsTransactionId: id } })).status;
  t.equal(await stop(99), 'Rejected');
  t.equal(await stop(100), 'Accepted');
  t.strictSame(again.operations.calls.at(-1)?.args, ['a']);
  t.equal(await stop(101), 'Accepted');
  const tx: CsmsCommand = {
    type: 'setChargingProfile',
    target: { flat: 1 },
    profile: profile('TxProfile'),
    csmsTransactionId: 100,
  };
  t.equal((await again.view.command(tx)).status, 'Accepted');
  t.match(again.operations.calls.at(-1)?.args[2], { transaction: 'a' });
  t.equal((await again.view.command({ ...tx, csmsTransactionId: 5 })).status, 'Rejected');
});

t.test('a transaction on an EVSE that the CSMS does not see is unknown to it', async (t) => {
  const s = await scene({ csms: { evses: [evseNumber(2)] } });
  s.operations.transactions.set(transactionUid('a'), transaction('a'));
  t.match(await s.view.command({ type: 'requestStop', transaction: { uid: transactionUid('a') } }), {
    status: 'Rejected',
  });
  t.strictSame(s.operations.names(), []);
});

t.test('Reset begins the gateway anew and leaves chargers alone, unless the site is meant', async (t) => {
  const gateway = await scene();
  const answer = await gateway.view.command({ type: 'reset', kind: 'hard', whenIdle: false });
  t.strictSame(gateway.link.reboots, [], 'not before the answer is out');
  answer.afterwards?.();
  t.strictSame([answer.status, gateway.link.reboots], ['Accepted', ['RemoteReset']]);
  t.strictSame(gateway.operations.names(), []);
  await gateway.view.command({ type: 'reset', kind: 'hard', whenIdle: true, slotEvse: 2 });
  t.strictSame(gateway.operations.calls.at(-1)?.args, [[2], 'hard', true]);
  const whole = await scene({ csms: { resetScope: 'site' } });
  (await whole.view.command({ type: 'reset', kind: 'soft', whenIdle: false })).afterwards?.();
  t.strictSame(whole.operations.calls.at(-1)?.args, [[1, 2, 3], 'soft', false]);
  t.strictSame(whole.link.reboots, ['RemoteReset']);
});

t.test('the station taken out of service says so, also after a restart', async (t) => {
  const s = await scene();
  await s.up();
  await s.view.command({ type: 'changeAvailability', operative: false });
  await s.clock.advance(2_000);
  t.equal(s.link.statuses().at(-1), '0 Unavailable');
  const again = await scene({ journal: s.journal.afterCrash(), clock: s.clock });
  await again.up();
  t.equal(again.link.statuses()[0], '0 Unavailable');
  await again.view.command({ type: 'changeAvailability', operative: true });
  await s.clock.advance(2_000);
  t.equal(again.link.statuses().at(-1), '0 Available');
});

t.test('triggers are answered from what the gateway knows', async (t) => {
  const s = await scene();
  await s.up();
  const told = s.link.sent.length;
  const ask = async (message: string, number?: number) => {
    const answer = await s.view.command({
      type: 'trigger',
      message,
      ...(number === undefined ? {} : { target: { evse: number } }),
    });
    answer.afterwards?.();
    await s.clock.settle(20);
    return answer.status;
  };
  t.equal(await ask('BootNotification'), 'Rejected', '1.6 errata 3.35');
  t.equal(await ask('MeterValues', 1), 'Rejected', 'nothing was ever measured');
  t.equal(await ask('TransactionEvent'), 'Rejected');
  t.equal(await ask('SignV2GCertificate'), 'NotImplemented');
  t.equal(s.link.sent.length, told);
  t.equal(await ask('FirmwareStatusNotification'), 'Accepted');
  t.strictSame(s.link.sent.pop(), { type: 'jobStatus', job: 'firmware', status: 'Idle' });
  t.equal(await ask('StatusNotification', 2), 'Accepted');
  t.strictSame(s.link.statuses().slice(-1), ['2 Available']);
  t.equal(await ask('StatusNotification'), 'Accepted');
  t.equal(s.link.sent.length, told + 5);
  s.live.evses.set(evseNumber(1), { number: evseNumber(1), lastValues: meterValue(77, 1234) });
  t.equal(await ask('MeterValues'), 'Accepted');
  t.match(s.link.sent.at(-1), {
    type: 'meterValues',
    slot: { evse: 1 },
    meterValues: [{ at: 77, sampled: [{ value: 1234, context: 'Trigger' }] }],
  });
  await s.happens(record('a', 0, 'started'));
  s.operations.transactions.set(transactionUid('a'), transaction('a'));
  t.equal(await ask('TransactionEvent', 1), 'Accepted');
  t.match(s.link.sent.at(-1), { type: 'transaction', record: { trigger: 'Trigger' }, state: { seqNo: 0 } });
  await s.happens(record('a', 1, 'ended'));
  t.match(s.link.sent.at(-1), { type: 'transaction', record: { kind: 'ended' }, state: { seqNo: 1 } });
});

t.test('S33: GetTransactionStatus tells whether it runs and whether anything waits', async (t) => {
  const s = await scene();
  await s.up();
  const status = async (uid?: string) =>
    (
      await s.view.command({
        type: 'getTransactionStatus',
        ...(uid === undefined ? {} : { transaction: { uid: transactionUid(uid) } }),
      })
    ).transactionStatus;
  t.strictSame(await status(), { messagesInQueue: false });
  t.strictSame(await status('nobody'), { ongoing: false, messagesInQueue: false });
  s.operations.transactions.set(transactionUid('a'), transaction('a'));
  await s.happens(record('a', 0, 'started'));
  t.strictSame(await status('a'), { ongoing: true, messagesInQueue: false });
  await s.down();
  s.operations.transactions.set(transactionUid('a'), transaction('a', { endedAt: timestamp(5) }));
  await s.happens(record('a', 1, 'ended'));
  t.strictSame(await status('a'), { ongoing: false, messagesInQueue: true });
  t.strictSame(await status(), { messagesInQueue: true });
});

t.test('charging profiles are reported per EVSE, the last report saying that it is', async (t) => {
  const s = await scene();
  s.operations.profiles = [
    { evse: undefined, profile: profile('ChargingStationMaxProfile') },
    { evse: evseNumber(2), profile: profile('TxDefaultProfile') },
    { evse: evseNumber(2), profile: { ...profile('TxProfile'), id: 2 } },
  ];
  const answer = await s.view.command({ type: 'getChargingProfiles', requestId: 8 });
  t.equal(answer.status, 'Accepted');
  answer.afterwards?.();
  t.match(s.link.sent, [
    { type: 'reportChargingProfiles', requestId: 8, slotEvse: 0, profiles: [{ id: 1 }], more: true },
    { slotEvse: 2, profiles: [{ id: 1 }, { id: 2 }], more: false },
  ]);
});

t.test('vendor messages reach a charger only inside our wrapper', async (t) => {
  const s = await scene();
  const send = async (vendorId: string, messageId: string, data: unknown) =>
    (await s.view.command({ type: 'dataTransfer', vendorId, messageId, data })).status;
  const inner = { evseId: 2, vendorId: 'ACME', messageId: 'Blink', data: 'on' };
  t.equal(await send('ACME', 'Blink', 'on'), 'UnknownVendorId');
  t.equal(await send('org.forecourt', 'Other', inner), 'UnknownMessageId');
  t.equal(await send('org.forecourt', 'Charger', '{broken'), 'Rejected');
  t.equal(await send('org.forecourt', 'Charger', { ...inner, evseId: 7 }), 'Rejected');
  t.strictSame(s.operations.names(), []);
  t.equal(await send('org.forecourt', 'Charger', inner), 'Accepted');
  t.equal(await send('org.forecourt', 'Charger', JSON.stringify(inner)), 'Accepted');
  t.strictSame(s.operations.calls[1]?.args, [2, 'ACME', 'Blink', 'on']);
});

t.test('only an authority that answers in time is asked about a token; its slots become EVSEs', async (t) => {
  const s = await scene({ csms: { evses: [evseNumber(2), evseNumber(3)] } });
  t.equal(await s.view.authorize(idToken), undefined, 'offline');
  await s.up();
  s.link.behave = () => ({ kind: 'answered', idTokenInfo: { status: 'Accepted', evses: [evseNumber(2)] } });
  t.strictSame(await s.view.authorize(idToken), { status: 'Accepted', evses: [3] });
  s.link.behave = () => ({ kind: 'refused', reason: 'InternalError' });
  t.equal(await s.view.authorize(idToken), undefined);
  s.link.behave = () => 'silent';
  const late = s.view.authorize(idToken);
  await s.clock.advance(seconds(5));
  t.equal(await late, undefined);
  const observer = await scene({ csms: { role: 'observer' } });
  await observer.up();
  t.equal(await observer.view.authorize(idToken), undefined);
  t.equal(
    observer.link.sent.some(({ type }) => type === 'authorize'),
    false,
  );
});

t.test('notices go out while the CSMS is there and are not kept', async (t) => {
  const s = await scene({ csms: { evses: [evseNumber(2)] } });
  s.view.reservationEnded(4, 'Expired');
  t.strictSame(s.link.sent, []);
  await s.up();
  const told = s.link.sent.length;
  s.view.reservationEnded(5, 'Removed');
  t.strictSame(s.link.sent.slice(told), [{ type: 'reservationEnded', reservationId: 5, why: 'Removed' }]);
  await s.clock.settle();
});
