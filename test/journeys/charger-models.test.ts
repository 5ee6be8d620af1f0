// Chargers that take limits in their own way (S42), or only say so (S40), on real sockets: each is controlled.
import t from 'tap';
import { evseNumber } from '../../gateway/kernel/ids.js';
import { Changes } from '../peers/changes.js';
import { startFastGateway } from '../peers/fast-gateway.js';
import { freePort } from '../peers/free-port.js';
import { answer } from '../peers/reactions.js';
import { RpcCharger } from '../peers/rpc-charger.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const SPEED = 10;
/** Milliseconds: time-outs that pass SPEED times as fast are missed on a busy machine, and what they end is begun again. */
const PATIENCE = 60_000;

interface Profile {
  readonly purpose: string;
  readonly level: number;
  readonly kind: string;
  readonly unit: string;
  readonly limit: number;
}
function profileIn(payload: Payload): Profile {
  const profile = (payload['csChargingProfiles'] ?? payload['chargingProfile']) as Record<string, unknown>;
  const [schedule] = [profile['chargingSchedule']].flat() as {
    chargingRateUnit: string;
    chargingSchedulePeriod: { limit: number }[];
  }[];
  return {
    purpose: String(profile['chargingProfilePurpose']),
    level: Number(profile['stackLevel']),
    kind: String(profile['chargingProfileKind']),
    unit: schedule?.chargingRateUnit ?? '',
    limit: schedule?.chargingSchedulePeriod[0]?.limit ?? Number.NaN,
  };
}

interface Model {
  readonly name: string;
  readonly version?: OcppVersion;
  readonly takes: (profile: Profile) => boolean;
  /** What a limit of 6.5 A becomes, in ampere. */
  readonly half?: number;
}

/** None of them takes ChargePointMaxProfile or a relative profile. */
const MODELS: readonly Model[] = [
  { name: 'ampere only', takes: ({ unit }) => unit === 'A' },
  { name: 'watts only', takes: ({ unit }) => unit === 'W' },
  { name: 'watts only', version: 'ocpp2.0.1', takes: ({ unit }) => unit === 'W' },
  { name: 'stack level 0 only', takes: ({ level }) => level === 0 },
  { name: 'no TxProfile', takes: ({ purpose }) => purpose !== 'TxProfile' },
  { name: 'not 0 A', takes: ({ limit }) => limit > 0 },
  { name: 'whole ampere', takes: ({ limit }) => Number.isInteger(limit), half: 6 },
  { name: 'JSON with holes', takes: () => true },
];

const siteYaml = (port: number, chargers: number, breaker: number): string => `site:
  id: SITE-01
  name: Models
  time-zone: Europe/Amsterdam
  nominal-voltage: 230 V
circuits:
  main: { breaker: ${breaker} A }
listen: { ocpp: '127.0.0.1:${port}' }
stations:
${Array.from(
  { length: chargers },
  (_, i) => `  CP${i + 1}:
    circuit: main
    security-profile: 0
    evses: [{ number: ${i + 1}, max-current: 32 A, phases: L1 L2 L3, fallback-current: 6 A }]`,
).join('\n')}
authorization: { offline: free }
`;

void t.test('S42: every model gets its limits and its pause', async (t) => {
  const changes = new Changes();
  const port = await freePort();
  const { running, log } = await startFastGateway(t, siteYaml(port, MODELS.length, 125), SPEED);
  const chargers = MODELS.map(({ version = 'ocpp1.6', takes }, i) => {
    const charger = new RpcCharger({ identity: `CP${i + 1}`, version, port, changes });
    charger.scripts.always('SetChargingProfile', (payload, action) => {
      const profile = profileIn(payload);
      const never = /MaxProfile/.test(profile.purpose) || profile.kind === 'Relative';
      return never || !takes(profile) ? answer({ status: 'Rejected' }) : charger.act.react(action, payload);
    });
    return charger;
  });
  t.teardown(async () => {
    for (const charger of chargers) await charger.drop();
  });
  running.gateway.gridLimit(String(12 * MODELS.length));
  // What one may take that has not been heard of yet is kept for it, and would pause those that come first.
  for (const charger of chargers) {
    await charger.powerUp();
    await charger.act.available();
  }
  for (const charger of chargers) {
    await charger.act.plug();
    await charger.act.start({ idToken: 'CARD' });
  }
  const limits = (i: number): readonly number[] =>
    (chargers[i]?.act.limits ?? []).map(({ current }) => (MODELS[i]?.name === 'watts only' ? current / 690 : current));
  const all = (what: string, is: (i: number, limit: number) => boolean): Promise<true> =>
    changes.until(
      `all to be at ${what}`,
      () => MODELS.every((_, i) => is(i, limits(i).at(-1) ?? Number.NaN)) || undefined,
      PATIENCE,
    );
  // A charger that keeps every limit is raised slowly, and cut as fast as any.
  const spared = MODELS.findIndex(({ name }) => name === 'no TxProfile');
  await all('12 A', (i, limit) => limit === 12 || (i === spared && limit >= 6 && limit <= 12));
  running.gateway.gridLimit(String(6.5 * MODELS.length));
  await all('6.5 A', (i, limit) => limit === (MODELS[i]?.half ?? 6.5) || (i === spared && limit <= 6.5));

  const broken = chargers.at(-1);
  broken?.sendText(
    `[2,"holes","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"${new Date().toISOString()}",` +
      '"sampledValue":[{"value":"9.5","measurand":"Current.Import","phase":"L1"},]}]}]',
  );
  const last = evseNumber(MODELS.length);
  await changes.until('its values', () => running.gateway.live.evse(last)?.current?.L1 === 9.5);

  running.gateway.gridLimit('0');
  const stubborn = MODELS.findIndex(({ name }) => name === 'not 0 A');
  await all('0 A', (i, limit) => limit === (i === stubborn ? 6 : 0));
  t.ok(
    chargers.every(({ act }) => act.transaction !== undefined),
    'nobody is put out yet',
  );
  const ended = (): boolean => chargers[stubborn]?.act.transaction === undefined;
  await changes.until('the one that cannot pause to be stopped', ended, PATIENCE);
  t.ok(
    log.lines.some(({ fields }) => fields.fault === 'FC-B05'),
    'and it is said',
  );
  for (const [i, charger] of chargers.entries()) {
    const writes = charger.record.of('SetChargingProfile').map(({ payload }) => profileIn(payload));
    t.ok(writes.length <= 24, `${MODELS[i]?.name}: ${writes.length} profiles`);
    t.ok(writes.every(({ kind }) => kind === 'Absolute'));
  }
  t.same(
    log.lines.filter(({ level }) => level === 'error').map(({ message }) => message),
    [],
  );
});

void t.test(
  'S40: a charger that says yes and goes on is told again, paused, stopped, taken out of service',
  async (t) => {
    const changes = new Changes();
    const port = await freePort();
    const { log } = await startFastGateway(t, siteYaml(port, 2, 40), SPEED);
    const [deaf, neighbour] = [1, 2].map(
      (number) => new RpcCharger({ identity: `CP${number}`, version: 'ocpp1.6', port, changes }),
    ) as [RpcCharger, RpcCharger];
    t.teardown(async () => {
      for (const charger of [deaf, neighbour]) await charger.drop();
    });
    deaf.scripts.always('RemoteStopTransaction', answer({ status: 'Accepted' }));
    for (const charger of [deaf, neighbour]) {
      await charger.powerUp();
      await charger.act.available();
      await charger.act.plug();
      await charger.act.start({ idToken: 'CARD' });
    }
    const limit = (charger: RpcCharger): number => charger.act.limits.at(-1)?.current ?? Number.NaN;
    await changes.until('both to have their share', () => limit(deaf) === 20 && limit(neighbour) === 20, PATIENCE);

    // From now on it takes 30 A whatever it is told, and says so.
    const takes = { current: 30 };
    const meter = setInterval(() => {
      for (const [charger, current] of [
        [deaf, takes.current],
        [neighbour, Math.min(20, limit(neighbour))],
      ] as const)
        charger.act.charge(1, current).catch(() => undefined);
    }, 10_000 / SPEED);
    t.teardown(() => clearInterval(meter));
    const heard = (action: string): number => deaf.record.of(action).length;
    await changes.until('the neighbour to make room', () => limit(neighbour) <= 10, PATIENCE);
    await changes.until('0 A', () => limit(deaf) === 0, PATIENCE);
    t.ok(deaf.act.limits.filter(({ current }) => current === 20).length >= 2, 'told again first');
    await changes.until('the remote stop', () => heard('RemoteStopTransaction') > 0, PATIENCE);
    t.equal(heard('ChangeAvailability'), 0, 'not before');
    await changes.until('Inoperative', () => heard('ChangeAvailability') > 0, PATIENCE);
    t.match(deaf.record.of('ChangeAvailability')[0]?.payload, { type: 'Inoperative' });
    t.equal(neighbour.record.of('RemoteStopTransaction').length, 0, 'nobody else is put out');
    t.ok(log.lines.some(({ fields }) => fields.fault === 'FC-B02'));

    // Somebody pulls the plug: what it took is the neighbour's.
    takes.current = 0;
    await deaf.act.stop({ reason: 'EVDisconnected' });
    await changes.until('the neighbour to have its current again', () => limit(neighbour) >= 20, PATIENCE);
  },
);
