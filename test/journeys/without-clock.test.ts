// A real gateway on a box that starts in 1970 with its uplink down: drivers charge, it is killed, and the clouds are told true times.
import t from 'tap';
import type { RpcCsms } from '../peers/rpc-csms.js';
import { checkEnergy, checkSound, openWorld } from '../peers/world.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

const VERSIONS: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
/** The clocks of the test and of the gateway meet in an answer over a socket; a busy machine takes its time. */
const CLOSE_MS = 3000;

/** When each transaction began and ended, as a CSMS was told; by EVSE. */
function times(csms: RpcCsms, evse: number): { readonly start: number[]; readonly end: number[] } {
  const at = (action: string, is: (payload: Payload) => boolean): number[] =>
    csms.record
      .of(action)
      .filter(({ payload }) => is(payload))
      .map(({ payload }) => Date.parse(String(payload['timestamp'])));
  if (csms.version === 'ocpp1.6') {
    const booked = [...csms.book.transactions.values()].filter(({ slot }) => slot === evse).map(({ id }) => Number(id));
    return {
      start: at('StartTransaction', ({ connectorId }) => connectorId === evse),
      end: at('StopTransaction', ({ transactionId }) => booked.includes(Number(transactionId))),
    };
  }
  // Only the first event of a transaction has to say where it is.
  const ids = csms.record
    .of('TransactionEvent')
    .filter(({ payload }) => (payload['evse'] as { id: number } | undefined)?.id === evse)
    .map(({ payload }) => (payload['transactionInfo'] as { transactionId: string }).transactionId);
  const of = (eventType: string) =>
    at('TransactionEvent', (payload) => {
      const { transactionId } = payload['transactionInfo'] as { transactionId: string };
      return payload['eventType'] === eventType && ids.includes(transactionId);
    });
  return { start: of('Started'), end: of('Ended') };
}

for (const authority of VERSIONS) {
  const observer = authority === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
  void t.test(`authority ${authority}, observer ${observer}`, async (t) => {
    const yaml = 'authorization: { offline: accept-unknown, timeout: 1 s }';
    const world = await openWorld(t, { chargers: VERSIONS, authority, observer, yaml, lostInTime: true });
    const { gateway } = world;
    t.ok(
      gateway.lines.some(({ fault }) => fault === 'FC-W01'),
      'it says that it does not know the time',
    );

    // One charger goes by what it is told, the other has a clock of its own.
    const [told, own] = [world.charger(1), world.charger(2)];
    for (const charger of [told, own]) await charger.powerUp();
    const heard = Date.parse(String((await told.act.heartbeat())['currentTime']));
    const heardAt = Date.now();
    t.ok(heard > Date.UTC(2025, 0, 1) && heard < heardAt - 60_000, 'not 1970, and not the time');
    const its = (): Date => new Date(heard + Date.now() - heardAt);
    const began = [Date.now()];
    const from = [told.act.register, own.act.register];
    await told.act.start({ idToken: 'CARD1', at: its() });
    began.push(Date.now());
    await own.act.start({ idToken: 'CARD2' });
    for (const { act } of [told, own]) await act.charge(100);
    await told.act.stop({ at: its() });
    const ended = [Date.now()];

    await gateway.kill();
    for (const csms of world.csmss) await csms.start();
    await gateway.start();
    await world.ready();
    await world.bills.listening();
    await own.connect();
    await own.act.charge(200);
    await own.act.stop();
    ended.push(Date.now());
    for (const csms of world.csmss)
      await world.changes.until('both ends', () => [1, 2].every((evse) => csms.book.latest(evse)?.ended === true));

    for (const csms of world.csmss)
      for (const [index, evse] of [1, 2].entries()) {
        const { start, end } = times(csms, evse);
        t.equal(start.length, 1, `${csms.version}, EVSE ${evse}`);
        t.ok(Math.abs((start[0] ?? 0) - (began[index] ?? 0)) < CLOSE_MS, `start ${start.join()}`);
        t.ok(Math.abs((end[0] ?? 0) - (ended[index] ?? 0)) < CLOSE_MS, `end ${end.join()}`);
      }
    await checkEnergy(t, world, 2, { from: from[1] ?? 0, to: (from[1] ?? 0) + 300 });
    for (const csms of world.csmss) t.match(csms.book.latest(1), { ended: true, meterStart: from[0] });
    await checkSound(t, world);
    t.ok(
      gateway.lines.some(({ msg }) => msg === 'the time is known now'),
      'it says that it knows',
    );
    await gateway.stop();
  });
}
