// The grid operator's box on real wires: a broker and a contact, the lowest holds, a charger follows, and a killed gateway remembers.
import { connectAsync } from 'mqtt';
import t from 'tap';
import { startModbusSlave } from '../../simulation/modbus-slave.js';
import { Changes } from '../peers/changes.js';
import { freePort } from '../peers/free-port.js';
import { startGateway } from '../peers/gateway-process.js';
import type { RpcCharger } from '../peers/rpc-charger.js';
import { BROKER_USER, mosquitto, needsMosquitto as skip } from '../peers/mosquitto.js';
import { checkSound, openWorld } from '../peers/world.js';

t.setTimeout(120_000);

const limitOf = (charger: RpcCharger): number | undefined => charger.act.limits.at(-1)?.current;

void t.test('Mosquitto and an I/O module', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const bits = new Map([[4, 0]]);
  const io = await startModbusSlave({ units: new Map([[1, { holding: new Map(), bits }]]) });
  t.teardown(() => io.stop());
  const credentials = `${BROKER_USER.username}:${BROKER_USER.password}@`;
  const world = await openWorld(t, {
    chargers: ['ocpp2.0.1'],
    authority: 'ocpp2.0.1',
    broker: broker.url,
    env: { BROKER_PASSWORD: BROKER_USER.password },
    brokerKeys: `username: ${BROKER_USER.username}, password: { env: BROKER_PASSWORD }`,
    yaml: `balancing:
  grid-operator-limit:
    from: [mqtt, contact]
    failsafe: 8.4 kW
    contacts: [{ connection: 'tcp://127.0.0.1:${io.port}', input: discrete-input 4, limit: 6.9 kW }]`,
  });
  const client = await connectAsync(broker.url.replace('//', `//${credentials}`));
  t.teardown(() => client.end(true));
  const root = 'forecourt/SITE-01/grid-operator-limit';
  const news: { limits_A: Record<string, number>; failsafe: boolean }[] = [];
  client.on('message', (_topic, payload) => {
    news.push(JSON.parse(payload.toString()) as (typeof news)[number]);
    world.changes.happened();
  });
  await client.subscribeAsync(root);
  const say = async (word: string, topic = `${root}/set`): Promise<void> =>
    void (await client.publishAsync(topic, word, { qos: 1 }));
  const { changes } = world;
  await world.ready();
  const charger = await world.powerUp(1);
  const limited = (to: number): Promise<true> =>
    // A raise rests for ten seconds after the setpoint before it.
    changes.until(`a limit of ${to} A`, () => limitOf(charger) === to || undefined, 30_000);
  await charger.act.plug();
  await charger.act.start({ idToken: 'CARD1' });
  await limited(12.1);
  await changes.until(
    'the fail-safe to be told',
    () => news.at(-1)?.failsafe === true && news.at(-1)?.limits_A['main'] === 12.1,
  );

  await say('none');
  await limited(32);
  await say('{"limit":"11 kW"}');
  await limited(15.9);
  bits.set(4, 1);
  await limited(10);
  await changes.until('both to be told', () => news.at(-1)?.failsafe === false && news.at(-1)?.limits_A['main'] === 10);
  bits.set(4, 0);
  await limited(15.9);
  await say('9 A', `${root}/main/set`);
  await limited(9);

  // A cut does not wait for the disk; a meter value is answered when it is there, and so is all that came before it.
  await charger.act.charge(100);
  await world.gateway.kill();
  await world.gateway.start();
  await changes.until('the gateway to be back', () => world.authority.boots >= 2 && world.authority.connected);
  await world.powerUp(1);
  await limited(9);
  await changes.until('what holds to be told again', () => news.at(-1)?.limits_A['main'] === 9, 30_000);
  await say('none');
  await limited(32);
  await charger.act.stop();
  await changes.until('the end', () => world.authority.book.latest(1)?.ended);
  await checkSound(t, world);
});

void t.test('a control box at the local broker, which has a password', async (t) => {
  const [ocpp, mqtt] = [await freePort(), await freePort()];
  const yaml = (password: string): string => `site: { id: SITE-01, time-zone: Europe/Berlin }
circuits: { main: { breaker: 63 A }, chargers: { fed-by: main, breaker: 32 A } }
listen: { ocpp: '127.0.0.1:${ocpp}' }
stations: { CP1: { circuit: chargers, security-profile: 0, evses: [{ number: 1, max-current: 32 A, fallback-current: 0 A }] } }
telemetry: { local-broker: { listen: '127.0.0.1:${mqtt}'${password} } }
balancing: { grid-operator-limit: { failsafe: 4.2 kW, circuit: chargers } }
`;
  const topic = 'forecourt/SITE-01/grid-operator-limit';
  const visit = async (password: string, options: { username?: string; password?: string }) => {
    const changes = new Changes();
    const gateway = await startGateway(yaml(password), { changes });
    t.teardown(() => gateway.remove());
    const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { ...options, reconnectPeriod: 0 });
    t.teardown(() => client.end(true));
    const news: string[] = [];
    let closed = false;
    client.on('close', () => {
      closed = true;
      changes.happened();
    });
    client.on('message', (_topic, payload) => {
      news.push(payload.toString());
      changes.happened();
    });
    await client.subscribeAsync(topic);
    const has = (failsafe: boolean, limits: object) => () =>
      news.at(-1)?.startsWith(JSON.stringify({ limits_A: limits, failsafe }).slice(0, -1)) === true;
    await changes.until('the fail-safe', has(true, { chargers: 6 }));
    client.publish(`${topic}/set`, '{"limit":"11 kW"}', { qos: 0 });
    return { changes, gateway, has, closed: () => closed };
  };
  const site = { username: 'site', password: 'a-password-of-16' };
  const trusted = await visit(`, username: site, password: a-password-of-16`, site);
  await trusted.changes.until('the limit', trusted.has(false, { chargers: 15.9 }));
  await trusted.gateway.stop();
  const anybody = await visit('', {});
  await anybody.changes.until('who publishes without a password is sent away', anybody.closed);
  await anybody.gateway.stop();
});
