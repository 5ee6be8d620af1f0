// S31: the disk is full, read-only, failing or gone while cars charge; what was acknowledged is delivered, what was refused is kept by the chargers.
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { StubbornCharger } from '../crash/stubborn-charger.js';
import { failing, openDiskWorld, type DiskWorld } from './disk-world.js';
import { brittleDisk, cannotBreak, cannotMount, cannotTrace, smallDisk } from './means.js';

t.setTimeout(600_000);

const pidOf = ({ gateway }: DiskWorld): number => {
  if (gateway.pid === undefined) throw new Error('the gateway does not run');
  return gateway.pid;
};

/** The charger's own start, sent once: the answer's error code, or undefined where it was taken. */
async function startOnce(charger: StubbornCharger, token: string): Promise<string | undefined> {
  const timestamp = new Date().toISOString();
  const sent = charger.is16
    ? charger.peer.call('StartTransaction', { connectorId: 1, idTag: token, meterStart: 1, timestamp })
    : charger.peer.call('TransactionEvent', {
        eventType: 'Started',
        timestamp,
        triggerReason: 'Authorized',
        seqNo: 0,
        evse: { id: 1, connectorId: 1 },
        transactionInfo: { transactionId: token },
        idToken: { idToken: token, type: 'ISO14443' },
      });
  return sent.then(
    () => undefined,
    (err: unknown) => (err as { rpcErrorCode?: string }).rpcErrorCode ?? String(err),
  );
}

/** While nothing can be written: transaction messages are refused, everything that needs no disk goes on. */
async function checkRefusals(t: Test, world: DiskWorld): Promise<void> {
  for (const [index, charger] of world.chargers.entries()) {
    const name = charger.options.version;
    const token = `RUNNING-${index}`;
    t.equal(
      await startOnce(charger, `REFUSED-${charger.options.identity}`),
      'InternalError',
      `${name}: the start is refused`,
    );
    const authorized = charger.is16
      ? await charger.peer.call('Authorize', { idTag: token })
      : await charger.peer.call('Authorize', { idToken: { idToken: token, type: 'ISO14443' } });
    t.match(
      authorized,
      charger.is16 ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } },
      name,
    );
    t.match(await charger.peer.call('Heartbeat', {}), { currentTime: String }, `${name}: the heartbeat is answered`);
  }
}

function checkPeers(t: Test, world: DiskWorld): void {
  const faults = [...world.csmss, ...world.chargers.map(({ peer }) => peer)].flatMap(({ record }) => record.faults);
  t.same(faults, [], 'every frame valid, in turn, under an id of its own');
}

/** A visit that is under way when the disk fails, and goes on while it does: `spoil` to `mend`. */
async function throughTheFailure(
  t: Test,
  world: DiskWorld,
  spoil: () => Promise<void> | void,
  mend: () => Promise<void> | void,
): Promise<void> {
  const { chargers, changes } = world;
  const from = chargers.map(({ register }) => register);
  for (const [index, charger] of chargers.entries()) {
    await charger.status(false);
    await charger.start(`RUNNING-${index}`);
    await charger.charge(300);
  }
  await spoil();
  await checkRefusals(t, world);
  await world.toldStation('Faulted');
  // They hold on to what is refused, and send it until it is taken.
  let taken = 0;
  const ends = chargers.map(async (charger, index) => {
    await charger.charge(400);
    await charger.stop(`RUNNING-${index}`);
    taken++;
    changes.happened();
  });
  await mend();
  await world.toldStation('Available');
  await Promise.all(ends);
  t.equal(taken, chargers.length);
  for (const [index] of chargers.entries()) await world.checkVisit(t, `RUNNING-${index}`, from[index] ?? 0);
  const after = chargers.map(({ register }) => register);
  for (const [index, charger] of chargers.entries()) await charger.visit(`AFTER-${index}`);
  for (const [index] of chargers.entries()) await world.checkVisit(t, `AFTER-${index}`, after[index] ?? 0);
  for (const csms of world.csmss)
    for (const { options } of chargers)
      t.same(
        world.heard(csms, `REFUSED-${options.identity}`).messages,
        [],
        'what was refused and not sent again is nowhere',
      );
  checkPeers(t, world);
  t.same(world.gateway.exits, [], 'without a restart');
}

void t.test('S31: the disk is full', { skip: cannotMount }, async (t) => {
  const disk = smallDisk(t, 24);
  const world = await openDiskWorld(t, join(disk, 'data'));
  const ballast = join(disk, 'ballast');
  await throughTheFailure(
    t,
    world,
    () => {
      const handle = openSync(ballast, 'w');
      for (let size = 1 << 20; size >= 1; size >>= 1) {
        try {
          for (;;) writeSync(handle, Buffer.alloc(size));
        } catch {
          // Smaller pieces, down to the last byte.
        }
      }
      closeSync(handle);
    },
    () => rmSync(ballast),
  );
});

void t.test('writing fails as on a file system that has become read-only', { skip: cannotTrace }, async (t) => {
  const world = await openDiskWorld(t, undefined);
  let mend: () => Promise<void> = () => Promise.resolve();
  await throughTheFailure(
    t,
    world,
    async () => {
      mend = await failing(t, pidOf(world), 'pwrite64:error=EROFS');
    },
    () => mend(),
  );
});

void t.test('a disk that broke down and is mounted anew', { skip: cannotBreak }, async (t) => {
  const disk = brittleDisk(t);
  const world = await openDiskWorld(t, join(disk.folder, 'data'));
  await throughTheFailure(
    t,
    world,
    () => disk.breakDown(),
    () => disk.mountAnew(),
  );
});

void t.test(
  'the disk says once, and then again and again, that it could not keep it',
  { skip: cannotTrace },
  async (t) => {
    const world = await openDiskWorld(t, undefined);
    const mend = await failing(t, pidOf(world), 'fdatasync,fsync:error=EIO:when=1+3');
    for (let round = 0; round < 3; round++) {
      const from = world.chargers.map(({ register }) => register);
      await Promise.all(world.chargers.map((charger, index) => charger.visit(`EIO-${round}-${index}`)));
      for (const [index] of world.chargers.entries())
        await world.checkVisit(t, `EIO-${round}-${index}`, from[index] ?? 0);
    }
    await mend();
    t.ok(
      world.gateway.lines.some(({ fault }) => fault === 'FC-J01'),
      'it has happened',
    );
    await world.toldStation('Available');
    checkPeers(t, world);
    t.same(world.gateway.exits, []);
  },
);

void t.test(
  'killed right after a flush failed: what may be on the disk all the same harms nobody',
  { skip: cannotTrace },
  async (t) => {
    const world = await openDiskWorld(t, undefined);
    const from = world.chargers.map(({ register }) => register);
    const mend = await failing(t, pidOf(world), 'fdatasync,fsync:error=EIO');
    const visits = world.chargers.map((charger, index) => charger.visit(`KILLED-${index}`));
    await world.changes.until('a refusal', () => world.gateway.lines.some(({ fault }) => fault === 'FC-J01'), 20_000);
    await world.gateway.kill();
    await mend();
    await world.gateway.start();
    await Promise.all(visits);
    for (const [index] of world.chargers.entries()) await world.checkVisit(t, `KILLED-${index}`, from[index] ?? 0);
    checkPeers(t, world);
  },
);

void t.test(
  'a disk comes back that may hold what was refused: the process ends, and the next one takes it as it is',
  { skip: cannotBreak || cannotTrace },
  async (t) => {
    const disk = brittleDisk(t);
    const world = await openDiskWorld(t, join(disk.folder, 'data'));
    const from = world.chargers.map(({ register }) => register);
    const mend = await failing(t, pidOf(world), 'fdatasync,fsync:error=EIO');
    const visits = world.chargers.map((charger, index) => charger.visit(`ANEW-${index}`));
    await world.changes.until('a refusal', () => world.gateway.lines.some(({ fault }) => fault === 'FC-J01'), 20_000);
    disk.breakDown();
    await mend();
    disk.mountAnew();
    await world.changes.until('the gateway to ask for a new process', () => !world.gateway.running, 40_000);
    t.same(world.gateway.exits, ['3']);
    t.ok(world.gateway.lines.some(({ fault, msg }) => fault === 'FC-J08' && msg.startsWith('gateway stops')));
    await world.gateway.start();
    await Promise.all(visits);
    for (const [index] of world.chargers.entries()) await world.checkVisit(t, `ANEW-${index}`, from[index] ?? 0);
    checkPeers(t, world);
  },
);

void t.test('a damaged journal: the gateway starts on what can be read, and cars that charge go on', async (t) => {
  const data = join(t.testdir(), 'data');
  mkdirSync(data);
  const world = await openDiskWorld(t, data);
  const from = world.chargers.map(({ register }) => register);
  for (const [index, charger] of world.chargers.entries()) {
    await charger.status(false);
    await charger.start(`RUINED-${index}`);
    await charger.charge(300);
  }
  for (const csms of world.csmss)
    for (const index of world.chargers.keys())
      await world.changes.until('the start to be told', () => world.heard(csms, `RUINED-${index}`).messages.length > 0);
  await world.gateway.stop();
  const handle = openSync(join(data, 'journal.db'), 'r+');
  writeSync(handle, Buffer.alloc(100, 0xa5), 0, 100, 0);
  closeSync(handle);
  await world.gateway.start();
  t.match(
    world.gateway.lines.find(({ fault }) => fault === 'FC-J04'),
    { entries: Number, documents: Number },
    'said, with what was saved',
  );
  for (const [index, charger] of world.chargers.entries()) {
    await charger.charge(400);
    await charger.stop(`RUINED-${index}`);
    await charger.status(true);
  }
  for (const [index] of world.chargers.entries()) await world.checkVisit(t, `RUINED-${index}`, from[index] ?? 0);
  const before = new Set(world.chargers.flatMap(({ ids }) => ids));
  for (const charger of world.chargers) await charger.visit(`NEXT-${charger.options.identity}`);
  t.ok(
    world.chargers.every(({ ids }) => !before.has(ids.at(-1) ?? '')),
    'no id is used twice',
  );
  t.ok(Number(world.chargers[0]?.ids.at(-1)) > 1000, 'and the next ones are far from those that may be lost');
  t.ok(
    readdirSync(data).some((name) => name.startsWith('journal.db.damaged-')),
    'the damaged file is kept',
  );
  checkPeers(t, world);
});
