// The broker inside the gateway: what the site's network may read, and that it can change nothing.
import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo } from 'node:net';
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { localBroker, type BrokerSettings, type LocalBroker } from '../../../adapters/broker/broker.js';
import { recordingLog } from '../../fakes/recording-log.js';

interface Bench {
  readonly broker: LocalBroker;
  readonly url: string;
  readonly commands: string[];
  readonly client: (options?: IClientOptions) => Promise<MqttClient>;
}

async function bench(t: Test, over: Partial<BrokerSettings> = {}): Promise<Bench> {
  const commands: string[] = [];
  const broker = localBroker({ host: '127.0.0.1', port: 0, commandTopics: ['f/S/cmd'], ...over }, recordingLog());
  t.teardown(() => broker.stop());
  const up = new Promise<void>((resolve) => {
    broker.start({
      connected: resolve,
      disconnected: () => undefined,
      message: (topic, payload) => commands.push(`${topic}=${payload}`),
    });
  });
  const url = `mqtt://127.0.0.1:${await broker.listening}`;
  await up;
  const client = async (options: IClientOptions = {}): Promise<MqttClient> => {
    const made = await connectAsync(url, { reconnectPeriod: 0, ...options }, false);
    made.on('error', () => undefined);
    t.teardown(() => made.end(true));
    return made;
  };
  return { broker, url, commands, client };
}

/** Not `once` of node:events: an MQTT client is no emitter to its types, and its errors are not what is waited for. */
const next = (client: MqttClient, event: 'connect' | 'close'): Promise<void> =>
  new Promise((resolve) => client.once(event, () => resolve()));

const RETAINED = { qos: 1, retain: true } as const;

/** The first message on a topic. */
async function first(
  client: MqttClient,
  topic: string,
): Promise<{ readonly payload: string; readonly retain: boolean }> {
  const arrived = new Promise<{ readonly payload: string; readonly retain: boolean }>((resolve) => {
    client.on('message', (on, payload, { retain }) => {
      if (on === topic) resolve({ payload: payload.toString(), retain });
    });
  });
  await client.subscribeAsync(topic, { qos: 1 });
  return arrived;
}

void t.test('state is there for whoever comes, events for whoever listens', async (t) => {
  const { broker, client } = await bench(t);
  t.ok(broker.connected);
  t.ok(await broker.publish('f/S/online', 'true', RETAINED));
  t.ok(await broker.publish('f/S/online', 'still', RETAINED));
  const phone = await client();
  t.same(await first(phone, 'f/S/online'), { payload: 'still', retain: true });
  const arrived = new Promise<[string, Buffer]>((resolve) =>
    phone.once('message', (...said) => resolve([said[0], said[1]])),
  );
  await phone.subscribeAsync('f/S/event/#', { qos: 1 });
  await broker.publish('f/S/event/cdr', '{}', { qos: 1, retain: false });
  const [topic, payload] = await arrived;
  t.same([topic, payload.toString()], ['f/S/event/cdr', '{}']);
});

void t.test('a client cannot forge the state, nor leave a will that does', async (t) => {
  const { broker, client, commands } = await bench(t);
  await broker.publish('f/S/evse/1', 'true state', RETAINED);
  const intruder = await client();
  const gone = next(intruder, 'close');
  intruder.publish('f/S/evse/1', 'forged', RETAINED, () => undefined);
  await gone;
  const ghost = await client({
    clientId: 'ghost',
    will: { topic: 'f/S/evse/1', payload: Buffer.from('forged by will'), qos: 1, retain: true },
  });
  const dropped = next(ghost, 'close');
  ghost.stream.destroy();
  await dropped;
  const honest = await client();
  await honest.publishAsync('f/S/cmd', 'now', { qos: 1 });
  t.same(commands, ['f/S/cmd=now'], 'a command topic is open');
  t.same(await first(honest, 'f/S/evse/1'), { payload: 'true state', retain: true });
  for (const topic of ['$SYS/x', 'f/S/cmd/more', 'F/S/CMD']) {
    const other = await client();
    const closed = next(other, 'close');
    other.publish(topic, 'x', { qos: 1 }, () => undefined);
    await closed;
  }
  t.same(commands, ['f/S/cmd=now']);
});

void t.test('with a password in site.yaml nobody gets in without it', async (t) => {
  const { url, client } = await bench(t, { username: 'site', password: 'secret' });
  const refused: IClientOptions[] = [
    {},
    { username: 'site', password: 'wrong' },
    { username: 'site', password: 'secret ' },
    { username: 'other', password: 'secret' },
    { username: 'site' },
  ];
  for (const credentials of refused) {
    const attempt = connect(url, { reconnectPeriod: 0, ...credentials });
    const err = await new Promise<Error>((resolve) => attempt.once('error', resolve));
    t.match(err.message, /[Nn]ot authorized|[Bb]ad user/);
    attempt.end(true);
  }
  const allowed = await client({ username: 'site', password: 'secret' });
  t.ok(allowed.connected);
});

void t.test('a session that outlives its connection is not kept: those who never return fill no memory', async (t) => {
  const { broker, client } = await bench(t);
  const options = { clientId: 'display', clean: false };
  const before = await client(options);
  await before.subscribeAsync('f/S/event/#', { qos: 1 });
  const closed = next(before, 'close');
  before.stream.destroy();
  await closed;
  await broker.publish('f/S/event/cdr', 'while away', { qos: 1, retain: false });
  const again = await client(options);
  const heard: string[] = [];
  again.on('message', (topic) => heard.push(topic));
  await broker.publish('f/S/online', 'true', RETAINED);
  await first(again, 'f/S/online');
  t.same(heard, ['f/S/online']);
});

void t.test('bytes that are no MQTT end that connection only', async (t) => {
  const { broker, url, client } = await bench(t);
  const socket = dial(Number(new URL(url).port), '127.0.0.1');
  const closed = once(socket, 'close');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  socket.resume();
  await closed;
  await broker.publish('f/S/online', 'true', RETAINED);
  t.same(await first(await client(), 'f/S/online'), { payload: 'true', retain: true });
});

void t.test('a port that is taken is an error with its code; stopping ends every client', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const log = recordingLog();
  const { port } = other.address() as AddressInfo;
  const taken = localBroker({ host: '127.0.0.1', port, commandTopics: [] }, log);
  taken.start({ connected: () => undefined, disconnected: () => undefined, message: () => undefined });
  await t.rejects(taken.listening, { code: 'EADDRINUSE' });
  t.match(log.lines, [{ level: 'error', fields: { fault: 'FC-Q01' } }]);
  t.equal(taken.connected, false);
  await taken.stop();

  const { broker, client } = await bench(t);
  const phone = await client();
  const closed = next(phone, 'close');
  await broker.stop();
  await closed;
  t.equal(await broker.publish('f/S/online', 'true', RETAINED), false);
});
