// The link to a broker elsewhere, against a real one: Mosquitto, started here with a password, killed and started again.
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { mqttLink, type MqttSettings } from '../../../adapters/mqtt/client.js';
import { journalSeq } from '../../../gateway/kernel/ids.js';
import type { TelemetryListener } from '../../../gateway/ports/telemetry.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { EventStream } from '../../../gateway/telemetry/event-stream.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { MemoryJournal } from '../../fakes/memory-journal.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { happened } from '../../gateway/telemetry/rig.js';
import { freePort } from '../../peers/free-port.js';
import { BROKER_USER as USER, mosquitto, needsMosquitto as skip } from '../../peers/mosquitto.js';

/** Waits for things that a socket will bring about, as they come. */
class Heard<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async until(done: (all: readonly T[]) => boolean): Promise<void> {
    while (!done(this.all)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

async function subscriber(
  t: Test,
  url: string,
): Promise<{ readonly client: MqttClient; readonly heard: Heard<Message> }> {
  const heard = new Heard<Message>();
  const client = await connectAsync(url, { ...USER, reconnectPeriod: 50 }, false);
  // It goes on by itself while the broker is away.
  client.on('error', () => undefined);
  client.on('message', (topic, payload, { retain }) => heard.push({ topic, payload: payload.toString(), retain }));
  await client.subscribeAsync('f/S/#', { qos: 1 });
  t.teardown(() => client.end(true));
  return { client, heard };
}

const settings = (url: string, over: Partial<MqttSettings> = {}): MqttSettings => ({
  url,
  ...USER,
  clientId: 'forecourt-S',
  will: { topic: 'f/S/online', payload: 'false' },
  commandTopics: ['f/S/grid-operator-limit/set'],
  ...over,
});

const listener = (over: Partial<TelemetryListener> = {}): TelemetryListener & { readonly news: Heard<string> } => {
  const news = new Heard<string>();
  return {
    news,
    connected: () => news.push('up'),
    disconnected: () => news.push('down'),
    message: (topic, payload) => news.push(`${topic}=${payload}`),
    ...over,
  };
};

/** Not `once` of node:events: an MQTT client is no emitter to its types, and its errors are not what is waited for. */
const next = (client: MqttClient, event: 'connect' | 'close'): Promise<void> =>
  new Promise((resolve) => client.once(event, () => resolve()));

const RETAINED = { qos: 1, retain: true } as const;

void t.test('retained state, commands, and a goodbye without a will', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const link = mqttLink(settings(broker.url), systemClock, recordingLog());
  const { news, ...heard } = listener();
  t.equal(await link.publish('f/S/online', 'true', RETAINED), false, 'not before it is connected');
  link.start({ ...heard });
  await news.until((all) => all.includes('up'));
  t.ok(link.connected);
  t.ok(await link.publish('f/S/online', 'true', RETAINED));
  t.ok(await link.publish('f/S/event/cdr', '{}', { qos: 1, retain: false }));
  const late = await subscriber(t, broker.url);
  await late.heard.until((all) => all.length > 0);
  t.same(
    late.heard.all,
    [{ topic: 'f/S/online', payload: 'true', retain: true }],
    'whoever comes later sees the state',
  );
  await late.client.publishAsync('f/S/grid-operator-limit/set', '16', { qos: 1 });
  await news.until((all) => all.includes('f/S/grid-operator-limit/set=16'));
  await link.stop();
  t.equal(link.connected, false);
  t.equal(await link.publish('f/S/online', 'true', RETAINED), false);
  await late.client.publishAsync('f/S/last', 'x', { qos: 1 });
  await late.heard.until((all) => all.some(({ topic }) => topic === 'f/S/last'));
  t.notOk(
    late.heard.all.some(({ payload }) => payload === 'false'),
    'a link that stops in order leaves no will',
  );
});

void t.test('a command that the broker has kept from another time is not obeyed', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const topic = 'f/S/grid-operator-limit/set';
  const operator = await subscriber(t, broker.url);
  await operator.client.publishAsync(topic, '99', { qos: 1, retain: true });
  const log = recordingLog();
  const link = mqttLink(settings(broker.url), systemClock, log);
  t.teardown(() => link.stop());
  const { news, ...heard } = listener();
  link.start({ ...heard });
  await news.until((all) => all.includes('up'));
  for (let i = 0; !log.lines.some(({ message }) => message.startsWith('a command that the broker has kept')); i++)
    await operator.client.publishAsync('f/S/tick', String(i), { qos: 1 });
  await operator.client.publishAsync(topic, '16', { qos: 1 });
  await news.until((all) => all.includes(`${topic}=16`));
  t.notOk(news.all.includes(`${topic}=99`));
});

void t.test('a gateway that is killed is offline to everybody', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const { heard } = await subscriber(t, broker.url);
  const script = fileURLToPath(new URL('./gateway-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, broker.url], { stdio: ['ignore', 'ignore', 'inherit'] });
  await heard.until((all) => all.some(({ payload }) => payload === 'true'));
  child.kill('SIGKILL');
  await heard.until((all) => all.some(({ payload }) => payload === 'false'));
  const late = await subscriber(t, broker.url);
  await late.heard.until((all) => all.length > 0);
  t.same(late.heard.all, [{ topic: 'f/S/online', payload: 'false', retain: true }]);
});

void t.test('a broker that is killed and comes back: every event, in order, none twice', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const { client, heard } = await subscriber(t, broker.url);
  const link = mqttLink(settings(broker.url), systemClock, recordingLog());
  t.teardown(() => link.stop());
  const journal = new MemoryJournal();
  const events = await EventStream.open({
    id: 'broker',
    root: 'f/S',
    tokens: 'full',
    journal,
    link,
    log: recordingLog(),
  });
  journal.onCommitted(() => events.wake());
  const { news } = listener();
  link.start({
    connected: () => {
      news.push('up');
      events.wake();
    },
    disconnected: () => news.push('down'),
    message: () => undefined,
  });
  const seen = (): number[] =>
    heard.all
      .filter(({ topic }) => topic === 'f/S/event/transaction')
      .map(({ payload }) => (JSON.parse(payload) as { seq: number }).seq);
  const commit = (count: number): Promise<unknown> =>
    journal.commit({ records: Array.from({ length: count }, () => happened('updated')) });

  await news.until((all) => all.includes('up'));
  await commit(100);
  await heard.until((all) => all.length === 100);
  await broker.kill();
  await news.until((all) => all.includes('down'));
  await commit(50);
  t.equal(events.cursor, 100);
  const back = next(client, 'connect');
  await broker.start();
  await back;
  await client.subscribeAsync('f/S/#', { qos: 1 });
  await commit(1);
  await heard.until(() => seen().at(-1) === 151);
  const firstAfter = seen().indexOf(101);
  t.same(
    seen().slice(0, 100),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  const later = firstAfter === -1 ? seen().slice(100) : seen().slice(firstAfter);
  t.same(
    later,
    Array.from({ length: later.length }, (_, i) => 152 - later.length + i),
    'in order and each once; the link may have been faster than this subscriber',
  );
  // Acknowledged after them, so they are acknowledged too; the cursor follows within a few turns.
  await link.publish('f/S/last', 'x', { qos: 1, retain: false });
  for (let turns = 0; events.cursor < 151 && turns < 10_000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(events.cursor, journalSeq(151));
});

void t.test('a wrong password is said once, and tried again until it is right', { skip }, async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const log = recordingLog();
  const said = new Heard<string>();
  const clock = new FakeClock();
  const { news, ...heard } = listener();
  const link = mqttLink(
    settings(broker.url, { password: 'wrong' }),
    { ...clockOf(clock), after: (delay, action) => (said.push(String(delay)), clock.after(delay, action)) },
    log,
  );
  t.teardown(() => link.stop());
  link.start(heard);
  for (let attempt = 1; attempt <= 8; attempt++) {
    await said.until((all) => all.length >= attempt);
    await clock.advance(Number(said.all[attempt - 1]));
  }
  t.same(
    said.all.slice(0, 8),
    ['1000', '2000', '4000', '8000', '16000', '32000', '60000', '60000'],
    'less and less often',
  );
  t.match(
    log.lines,
    [{ level: 'warn', fields: { fault: 'FC-Q01', err: { message: /[Nn]ot authorized/ } } }],
    'told once',
  );
  t.notOk(JSON.stringify(log.lines).includes('wrong'), 'without the password');
  t.same(news.all, [], 'never up, so never down');
});

void t.test('a broker that never acknowledges does not hold up the stop, nor does one that is not there', async (t) => {
  const mute = createServer((socket) => {
    // CONNACK, and then nothing any more.
    socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0])));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.teardown(() => mute.close());
  const url = `mqtt://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const link = mqttLink(settings(url, { commandTopics: [] }), systemClock, recordingLog());
  const { news, ...heard } = listener();
  link.start(heard);
  await news.until((all) => all.includes('up'));
  const owed = link.publish('f/S/online', 'true', RETAINED);
  await link.stop();
  t.equal(await owed, false);

  const log = recordingLog();
  const nowhere = mqttLink(settings(`mqtt://127.0.0.1:${await freePort()}`), systemClock, log);
  nowhere.start(heard);
  await nowhere.stop();
  t.equal(nowhere.connected, false);
});

/** The methods of a fake clock as a plain object, so that one can be watched. */
const clockOf = (clock: FakeClock) => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  after: clock.after.bind(clock),
  every: clock.every.bind(clock),
});
