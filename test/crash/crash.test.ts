// S30: the gateway is killed at chosen moments of a visit, which goes on as if nothing had been (at random ones: load.test.ts).
import t, { type Test } from 'tap';
import { answer, held, silence } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { openCrashWorld, type CrashWorld } from './crash-world.js';
import { entryOf } from './ledger.js';

/** A gateway that was killed dials its CSMSs anew; a busy machine takes its time. */
const PATIENCE = 30_000;

t.setTimeout(400_000);

const startOf = (csms: RpcCsms): string => (csms.version === 'ocpp1.6' ? 'StartTransaction' : 'TransactionEvent');

/** Both clouds heard one transaction, whole and in order, with the energy that flowed. */
async function checkVisit(
  t: Test,
  world: CrashWorld,
  token: string,
  energy: { readonly from: number; readonly to: number },
): Promise<void> {
  for (const csms of world.csmss) {
    const name = `${token} at the ${csms.record.peer} (${csms.version})`;
    await world.changes.until(`the end of ${name}`, () => entryOf(csms, token, world.issued).ended, PATIENCE);
    const entry = entryOf(csms, token, world.issued);
    t.same(entry.faults, [], `${name}: one transaction, in order, without a gap`);
    t.equal(entry.meterStart, energy.from, `${name}: begins at the charger's register`);
    t.equal(entry.meterStop, energy.to, `${name}: ends at the charger's register`);
    t.ok(
      entry.repeated.every((times) => times <= world.kills),
      `${name}: repeated ${entry.repeated.join(' ')} at most once a kill`,
    );
  }
}

function checkPeers(t: Test, world: CrashWorld): void {
  const faults = [...world.csmss, ...world.ocpp.map(({ peer }) => peer)].flatMap(({ record }) => record.faults);
  t.same(faults, [], 'every frame valid, in turn, under an id of its own');
  t.same(
    world.gateway.lines.filter(({ level }) => level >= 50),
    [],
    'no error was logged',
  );
}

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
  void t.test(`S30 with an authority of ${version}`, async (t: Test) => {
    const world = await openCrashWorld(t, version);
    const { authority, changes } = world;
    let count = 0;

    for (const [index, charger] of world.ocpp.entries()) {
      const played = async (t: Test, arrange: (token: string) => Promise<void> | void): Promise<void> => {
        const token = `POINT${++count}-CP${index + 1}`;
        const from = charger.register;
        await arrange(token);
        await charger.visit(token);
        await world.up();
        await checkVisit(t, world, token, { from, to: from + 700 });
        t.equal(charger.verdicts.at(-1), 'Accepted');
      };

      await t.test(`${charger.options.version}: before the commit of the start`, (t) =>
        played(t, () => world.killAt('start', 0)),
      );
      await t.test(`${charger.options.version}: around the commit of the stop`, (t) =>
        played(t, () => world.killAt('stop', 3)),
      );
      await t.test(`${charger.options.version}: after the answer to the start`, (t) =>
        played(t, () => world.killAt('values', 0)),
      );
      await t.test(`${charger.options.version}: the start is under way to the CSMS`, async (t) => {
        const late = held();
        authority.scripts.once(startOf(authority), late.script);
        await played(t, (token) => {
          // The visit goes on meanwhile: the CSMS is silent, the charger is not.
          void changes
            .until('the start to arrive', () => late.waiting > 0 && entryOf(authority, token, world.issued), PATIENCE)
            .then(() => world.killNow())
            .then(() => late.release(silence));
        });
      });
      await t.test(`${charger.options.version}: the CSMS has answered, the gateway has not written it`, async (t) => {
        authority.scripts.once(startOf(authority), async (payload, action) => {
          setImmediate(() => void world.killNow().catch(() => undefined));
          const script = authority.version === 'ocpp1.6' ? recognised(world, payload) : undefined;
          return script ?? authority.usual(action, payload);
        });
        await played(t, () => undefined);
      });
    }
    checkPeers(t, world);
    await world.gateway.stop();
  });
}

/** What the 1.6 CSMS would have said to this start, had the test not taken its place. */
function recognised(world: CrashWorld, payload: Readonly<Record<string, unknown>>) {
  return answer({ transactionId: world.issued.issue(payload), idTagInfo: { status: 'Accepted' } });
}

void t.test('a Modbus charger, which remembers nothing itself, goes on with its transaction', async (t: Test) => {
  const world = await openCrashWorld(t, 'ocpp2.0.1');
  const { changes, wallbox } = world;
  const openOf = (csms: RpcCsms) => entryOf(csms, 'DEPOT', world.issued);
  wallbox.set('EVSE.State', 'B2');
  for (const csms of world.csmss) await changes.until('the start', () => openOf(csms).messages.length > 0, PATIENCE);
  wallbox.set('EVSE.State', 'C2');
  wallbox.set('Energy.Active.Import.Register', 50_400);
  await world.killNow();
  wallbox.set('Energy.Active.Import.Register', 50_900);
  await changes.until(
    'the charger to be served again',
    () => world.gateway.lines.filter(({ msg, station }) => msg === 'station booted' && station === 'WB1').length > 1,
    PATIENCE,
  );
  const restarted = world.killNow();
  // While it is away: in one poll of a running gateway the state may be newer than the register.
  wallbox.set('Energy.Active.Import.Register', 51_200);
  wallbox.set('EVSE.State', 'A');
  await restarted;
  await checkVisit(t, world, 'DEPOT', { from: 50_000, to: 51_200 });
  checkPeers(t, world);
  await world.gateway.stop();
});
