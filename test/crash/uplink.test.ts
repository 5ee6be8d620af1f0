// A long absence of the cloud and a cloud that says nothing: everything is delivered, in order, and nobody waits for it.
import t from 'tap';
import { silence } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkSound, openWorld, type World } from '../peers/world.js';

t.setTimeout(120_000);

const VISITS = 100;
/** How long the slow cloud takes for each message while the queue drains. */
const SLOW_MS = 4;
const TELLING = ['StartTransaction', 'StopTransaction', 'MeterValues', 'TransactionEvent'];

/** Starts and stops, as `token` of the start, in the order heard; a stop is told by the transaction it ends. */
function story(csms: RpcCsms): readonly string[] {
  const tokenOf = new Map<string, string>();
  let issued = csms.record.peer === 'observer' ? 90_000 : 499;
  return csms.calls.flatMap(({ action, payload }) => {
    if (action === 'StartTransaction') {
      tokenOf.set(String(++issued), String(payload['idTag']));
      return [`start ${String(payload['idTag'])}`];
    }
    if (action === 'StopTransaction') return [`stop ${tokenOf.get(String(payload['transactionId'])) ?? 'of nobody'}`];
    if (action !== 'TransactionEvent') return [];
    const { transactionId } = payload['transactionInfo'] as { readonly transactionId: string };
    if (payload['eventType'] === 'Started') {
      const { idToken } = payload['idToken'] as { readonly idToken: string };
      tokenOf.set(transactionId, idToken);
      return [`start ${idToken}`];
    }
    return payload['eventType'] === 'Ended' ? [`stop ${tokenOf.get(transactionId) ?? 'of nobody'}`] : [];
  });
}

/** A setting of the gateway's back-off, in the words of either version. */
async function dialSoon(csms: RpcCsms, key: string, value: string): Promise<void> {
  if (csms.version === 'ocpp1.6') await csms.ask('ChangeConfiguration', { key, value });
  else
    await csms.ask('SetVariables', {
      setVariableData: [{ component: { name: 'OCPPCommCtrlr' }, variable: { name: key }, attributeValue: value }],
    });
}

async function visits(world: World, count: number, prefix: string): Promise<void> {
  const { act } = world.charger(1);
  for (let visit = 1; visit <= count; visit++) {
    await act.start({ idToken: `${prefix}${visit}` });
    await act.charge(100);
    await act.stop();
  }
}

for (const authority of ['ocpp1.6', 'ocpp2.0.1'] as const) {
  void t.test(`${VISITS} visits while the cloud (${authority}) is away`, async (t) => {
    const world = await openWorld(t, {
      chargers: ['ocpp1.6', 'ocpp2.0.1'],
      authority,
      yaml: 'authorization: { offline: accept-unknown }',
    });
    await world.ready();
    for (const number of [1, 2]) await world.powerUp(number);
    for (const [name, value] of [
      ['RetryBackOffWaitMinimum', '1'],
      ['RetryBackOffRandomRange', '0'],
      ['RetryBackOffRepeatTimes', '0'],
    ] as const)
      await dialSoon(world.authority, name, value);
    await world.authority.settle();
    await world.authority.stop();
    await visits(world, VISITS, 'V');
    for (const action of TELLING)
      world.authority.scripts.always(action, async (payload, name) => {
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        return world.authority.usual(name, payload);
      });
    await world.authority.start();
    await world.changes.until('the queue to drain', () => story(world.authority).length > 10, 20_000);
    const begun = performance.now();
    t.equal(await world.charger(2).act.authorize('LIVE'), 'Accepted');
    t.ok(performance.now() - begun < 1000, `a driver is answered in ${Math.round(performance.now() - begun)} ms`);
    t.ok(story(world.authority).length < 2 * VISITS, 'while the queue drains');
    t.equal(world.authority.record.of('Authorize').length, 1, 'by the cloud itself');
    await world.changes.until('all of it', () => story(world.authority).length >= 2 * VISITS, 30_000);
    const expected = Array.from({ length: VISITS }, (_, index) => [`start V${index + 1}`, `stop V${index + 1}`]);
    t.same(story(world.authority), expected.flat(), 'each once, in order');
    await checkSound(t, world);
  });
}

void t.test('a cloud that never answers delays neither the other one nor the chargers, nor the end', async (t) => {
  const world = await openWorld(t, { chargers: ['ocpp1.6'], authority: 'ocpp2.0.1', observer: 'ocpp1.6' });
  await world.ready();
  await world.powerUp(1);
  for (const action of [...TELLING, 'StatusNotification']) world.observer.scripts.always(action, silence);
  for (let visit = 1; visit <= 5; visit++) {
    const begun = performance.now();
    await visits(world, 1, `S${visit}-`);
    t.ok(performance.now() - begun < 1500, 'the charger is answered');
    await world.changes.until(
      'the authority to hear of it',
      () => story(world.authority).at(-1) === `stop S${visit}-1`,
      1500,
    );
  }
  const begun = performance.now();
  await world.gateway.stop();
  t.ok(performance.now() - begun < 5000, `SIGTERM ends it in ${Math.round(performance.now() - begun)} ms`);
});
