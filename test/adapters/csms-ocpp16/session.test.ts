// The session with a CSMS, which both versions share: who may speak before Boot is accepted, and what a lost link costs.
import t from 'tap';
import type { Payload } from '../../../adapters/ocpp-j/contract.js';
import { openOcpp16Csms } from '../../../adapters/csms-ocpp16/link.js';
import { openOcpp201Csms } from '../../../adapters/csms-ocpp201/link.js';
import {
  aliasTable,
  AT,
  boot,
  callError,
  csmsOf,
  energy,
  settle,
  SLOT_1,
  TOKEN,
  transaction,
  view,
  wiring,
} from './rig.js';

const OPEN = {
  'ocpp1.6': async () => {
    const wired = await wiring('ocpp1.6');
    const link = openOcpp16Csms(csmsOf('1.6'), wired.host, wired.context, wired.csms.dial, {
      aliases: aliasTable(),
      random: () => 0.5,
    });
    return { ...wired, link };
  },
  'ocpp2.0.1': async () => {
    const wired = await wiring('ocpp2.0.1');
    const link = openOcpp201Csms(csmsOf('2.0.1'), wired.host, wired.context, wired.csms.dial, { random: () => 0.5 });
    return { ...wired, link };
  },
} as const;

const status = { type: 'status', connector: view() } as const;

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
  const open = OPEN[version];
  const readConfiguration: readonly [string, Payload] =
    version === 'ocpp1.6'
      ? ['GetConfiguration', { key: ['HeartbeatInterval'] }]
      : [
          'GetVariables',
          { getVariableData: [{ component: { name: 'OCPPCommCtrlr' }, variable: { name: 'HeartbeatInterval' } }] },
        ];

  t.test(`${version}: S01 a cold boot, then heartbeats at the interval of the CSMS`, async (t) => {
    const { link, csms, host, clock } = await open();
    t.equal((await link.deliver(status)).kind, 'unsent', 'nothing leaves before the link is up');
    link.start();
    link.start();
    await settle();
    t.strictSame(csms.actions(), ['BootNotification'], 'one boot for one start');
    t.strictSame(host.events, ['up booted']);
    t.ok(link.accepted);
    await clock.advance(299);
    t.equal(csms.sent.length, 1);
    await clock.advance(1);
    t.strictSame(csms.actions(), ['BootNotification', 'Heartbeat']);
    await clock.advance(300);
    t.equal(csms.sent.length, 3);
    host.settings.set('HeartbeatInterval', 60);
    await clock.advance(90);
    t.equal(csms.sent.length, 4, 'a shorter interval takes effect long before the old one would have ended');
  });

  t.test(
    `${version}: S02 pending: configuration is read, commands are refused, a triggered boot goes out`,
    async (t) => {
      const { link, csms, host, clock } = await open();
      csms.responder = (action) => (action === 'BootNotification' ? boot('Pending', 120) : {});
      link.start();
      await settle();
      t.notOk(link.accepted);
      t.equal((await link.deliver(transaction())).kind, 'unsent');
      t.notOk(typeof (await csms.ask(...readConfiguration)) === 'string');
      t.strictSame(
        host.commands.map(({ type }) => type),
        ['getVariables'],
      );
      const start =
        version === 'ocpp1.6'
          ? await csms.ask('RemoteStartTransaction', { idTag: 'A' })
          : await csms.ask('RequestStartTransaction', { idToken: { idToken: 'A', type: 'Central' }, remoteStartId: 1 });
      t.match(start, { status: 'Rejected' });
      t.equal(host.commands.length, 1, 'the view never saw the refused command');
      await clock.advance(119);
      t.equal(csms.sent.length, 1);
      await clock.advance(1);
      t.equal(csms.sent.length, 2, 'boot again after the interval');
      csms.responder = undefined;
      t.match(await csms.ask('TriggerMessage', { requestedMessage: 'BootNotification' }), { status: 'Accepted' });
      t.equal(csms.sent.length, 3);
      t.ok(link.accepted);
      t.match(await csms.ask('TriggerMessage', { requestedMessage: 'BootNotification' }), { status: 'Rejected' });
      await clock.advance(120);
      t.equal(csms.actions().filter((action) => action === 'BootNotification').length, 3, 'the old timer is dead');
    },
  );

  t.test(`${version}: a message that the CSMS triggers may leave while boot is pending, others not`, async (t) => {
    const { link, csms, host } = await open();
    csms.responder = (action) => (action === 'BootNotification' ? boot('Pending', 120) : {});
    link.start();
    await settle();
    host.answer = () => ({ status: 'Accepted', afterwards: () => void link.deliver(status) });
    await csms.ask('TriggerMessage', { requestedMessage: 'StatusNotification' });
    t.strictSame(csms.actions(), ['BootNotification', 'StatusNotification']);
    t.equal((await link.deliver(status)).kind, 'unsent');
    csms.responder = (action) => (action === 'BootNotification' ? 'silent' : {});
    await csms.ask('TriggerMessage', { requestedMessage: 'BootNotification' });
    await csms.ask('TriggerMessage', { requestedMessage: 'StatusNotification' });
    t.equal(csms.actions().at(-1), 'StatusNotification', 'also while the boot it asked for has no answer yet');
  });

  t.test(
    `${version}: S03 rejected: own back-off at interval 0, else the interval; calls are a SecurityError`,
    async (t) => {
      const { link, csms, host, clock } = await open();
      let interval = 0;
      csms.responder = () => boot('Rejected', interval);
      link.start();
      await settle();
      t.equal(await csms.ask(...readConfiguration), 'SecurityError', 'B03.FR.08');
      t.equal(host.commands.length, 0);
      interval = 60;
      await clock.advance(11.9);
      t.equal(csms.sent.length, 1);
      await clock.advance(0.2);
      t.equal(csms.sent.length, 2, 'minimum 10 s and half of the random 4 s');
      await clock.advance(59);
      t.equal(csms.sent.length, 2);
      csms.responder = undefined;
      await clock.advance(1);
      t.equal(csms.sent.length, 3);
      t.ok(link.accepted);
    },
  );

  t.test(`${version}: a rejected station that loses its link still waits as long as it was told`, async (t) => {
    const { link, csms, clock } = await open();
    csms.responder = () => boot('Rejected', 60);
    link.start();
    await clock.advance(5);
    csms.cut();
    await clock.advance(54);
    t.equal(csms.dials.length, 2);
    t.equal(csms.sent.length, 1);
    t.equal(await csms.ask(...readConfiguration), 'SecurityError');
    await clock.advance(1);
    t.equal(csms.sent.length, 2);
  });

  t.test(`${version}: a boot that is not answered is repeated`, async (t) => {
    const { link, csms, clock } = await open();
    csms.responder = () => 'silent';
    link.start();
    await clock.advance(30);
    csms.responder = () => callError('InternalError');
    await clock.advance(12);
    t.equal(csms.sent.length, 2);
    csms.responder = undefined;
    await clock.advance(60);
    t.ok(link.accepted);
  });

  t.test(`${version}: S04 back-off doubles, stays, starts over; no boot on a reconnect`, async (t) => {
    const { link, csms, host, clock } = await open();
    link.start();
    await settle();
    csms.refuse = 'HTTP 503';
    csms.cut('gone');
    t.notOk(link.accepted);
    t.equal((await link.deliver(status)).kind, 'unsent');
    // 10 + 2 = 12; 2 x 12 + 2 = 26; 2 x 26 + 2 = 54; and no further.
    await clock.advance(12 + 26 + 54 + 54);
    t.strictSame(csms.dials, [0, 12, 38, 92, 146]);
    csms.refuse = undefined;
    await clock.advance(54);
    t.strictSame(host.events, ['up booted', 'down: gone', 'up']);
    t.strictSame(csms.actions(), ['BootNotification'], 'no second boot');
    t.equal((await link.deliver(status)).kind, 'answered');
    await clock.advance(60);
    csms.cut('gone again');
    await clock.advance(12);
    t.equal(csms.dials.length, 7, 'after a link that held the waits start over');
    csms.cut('and again');
    await clock.advance(12);
    t.equal(csms.dials.length, 7, 'after one that did not they go on');
    await clock.advance(14);
    t.equal(csms.dials.length, 8);
  });

  t.test(`${version}: a link lost before the boot was answered boots on the next one`, async (t) => {
    const { link, csms, host, clock } = await open();
    csms.responder = () => 'silent';
    link.start();
    await settle();
    csms.cut();
    csms.responder = undefined;
    await clock.advance(12);
    t.strictSame(csms.actions(), ['BootNotification', 'BootNotification']);
    t.strictSame(host.events, ['up booted']);
  });

  t.test(`${version}: a CSMS that forgot the station gets a boot, and the message costs no attempt`, async (t) => {
    const { link, csms, host } = await open();
    link.start();
    await settle();
    csms.responder = (action) =>
      action === 'StatusNotification'
        ? callError('SecurityError')
        : action === 'BootNotification'
          ? boot('Accepted')
          : {};
    t.equal((await link.deliver(status)).kind, 'unsent');
    await settle();
    t.strictSame(csms.actions(), ['BootNotification', 'StatusNotification', 'BootNotification']);
    t.strictSame(host.events, ['up booted', 'down: booting again', 'up booted']);
    t.equal((await link.deliver(status)).kind, 'refused', 'a CSMS that always says so is not booted for ever');
    t.equal(csms.sent.length, 4);
  });

  t.test(`${version}: reboot, time-out, lost link, triggered heartbeat, unknown action, stop`, async (t) => {
    const { link, csms, host, clock } = await open();
    link.start();
    await settle();
    link.reboot('RemoteReset');
    await settle();
    t.strictSame(host.events, ['up booted', 'down: booting again', 'up booted']);
    if (version === 'ocpp2.0.1') t.equal(csms.last('BootNotification')?.['reason'], 'RemoteReset');

    csms.responder = () => 'silent';
    const late = link.deliver(status);
    await clock.advance(30);
    t.equal((await late).kind, 'refused', 'no answer in time is an attempt');
    const lost = link.deliver(status);
    csms.cut();
    t.equal((await lost).kind, 'unsent', 'a lost link is none');
    csms.responder = undefined;
    await clock.advance(12);

    t.match(await csms.ask('TriggerMessage', { requestedMessage: 'Heartbeat' }), { status: 'Accepted' });
    t.equal(csms.actions().at(-1), 'Heartbeat');
    t.equal(await csms.ask('MakeCoffee'), 'NotImplemented');
    host.answer = () => {
      throw new Error('boom');
    };
    await t.rejects(csms.ask('ClearCache'), { message: 'boom' }, 'the wire answers InternalError');

    await link.stop();
    await link.stop();
    t.equal(clock.pending, 1, 'only the time-out of the lost call is left, which is the fake wire of this test');
    t.notOk(link.accepted);
    await clock.advance(1000);
    t.equal(csms.dials.length, 2, 'a stopped link does not dial');
  });

  t.test(`${version}: stop ends the waiting for a CSMS that is not there`, async (t) => {
    const { link, csms, clock } = await open();
    csms.refuse = 'nobody';
    link.start();
    await settle();
    await link.stop();
    await clock.advance(1000);
    t.equal(csms.dials.length, 1);
    t.equal(clock.pending, 0);
  });

  t.test(`${version}: a driver at the door goes before transactions, those before statuses, values last`, async (t) => {
    const { link, csms } = await open();
    link.start();
    await settle();
    await link.deliver({ type: 'meterValues', slot: SLOT_1, meterValues: [energy(1)] });
    await link.deliver(status);
    await link.deliver(transaction());
    await link.deliver({ type: 'authorize', idToken: TOKEN });
    t.strictSame(
      csms.priorities.map(([, priority]) => priority),
      [0, 3, 2, 1, 0],
    );
  });

  t.test(`${version}: every kind of message makes a valid frame or none`, async (t) => {
    const { link, csms } = await open();
    link.start();
    await settle();
    const long = 'ü😀'.repeat(400);
    const kinds = [
      {
        type: 'stationStatus',
        status: 'Faulted',
        error: { code: 'OtherError', info: long, vendorErrorCode: long },
        at: AT,
      },
      { type: 'stationStatus', status: 'Available', at: AT },
      { type: 'status', connector: view({ error: { code: 'GroundFailure', info: long, vendorId: long } }) },
      { type: 'reservationEnded', reservationId: 4, why: 'Expired' },
      { type: 'securityEvent', event: long, at: AT, techInfo: long },
      { type: 'dataTransfer', vendorId: long, messageId: long, data: { a: [1] } },
      { type: 'dataTransfer', vendorId: 'v' },
      { type: 'report', requestId: 1, variables: [] },
      { type: 'reportChargingProfiles', requestId: 1, slotEvse: 0, source: 'CSO', profiles: [], more: false },
      { type: 'chargingLimit', slotEvse: 1, source: 'EMS', cleared: false },
      { type: 'chargingLimit', slotEvse: undefined, source: 'SO', cleared: true },
      { type: 'jobStatus', job: 'firmware', status: 'InstallRebooting', requestId: 7 },
      { type: 'jobStatus', job: 'log', status: 'PermissionDenied', requestId: 8 },
      { type: 'jobStatus', job: 'log', status: 'Nonsense' },
      { type: 'meterValues', slot: undefined, meterValues: [] },
      { type: 'meterValues', slot: SLOT_1, meterValues: [{ at: AT, sampled: [{ value: 1.5, measurand: 'Voltage' }] }] },
    ] as const;
    const outcomes: string[] = [];
    for (const message of kinds) outcomes.push((await link.deliver(message)).kind);
    t.strictSame(
      outcomes.map((kind, index) => (kind === 'nothing' ? index : -1)).filter((index) => index >= 0),
      version === 'ocpp1.6' ? [3, 7, 8, 9, 10, 13, 14] : [8, 13, 14],
      'exactly these are not said in this version',
    );
    t.notOk(outcomes.some((kind) => kind === 'refused' || kind === 'unsent'));
    t.ok(csms.sent.length > 9);
  });
}
