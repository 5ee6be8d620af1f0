// What a CSMS is told of limits that are not its own (S39; K11 to K13), and how slowly.
import t from 'tap';
import type { Because, BalancingReport, CircuitReport, EvseReport } from '../../../gateway/balancing/report.js';
import { circuitId, csmsId, evseNumber } from '../../../gateway/kernel/ids.js';
import { ampere, seconds } from '../../../gateway/kernel/units.js';
import type { Csms } from '../../../gateway/site/topology.js';
import { perPhase } from '../../../gateway/site/topology.js';
import { record, scene, transaction, type Scene } from './fixture.js';

const where = { kind: 'circuit', name: 'main', phase: 'L1' } as const;
const full: Because = { kind: 'full', where, why: 'load' };
const operator: Because = { kind: 'full', where, why: 'gridOperator' };
const profile = (csms: string) => ({ csms: csmsId(csms), purpose: 'ChargingStationMaxProfile', id: 4 }) as const;
const capped = (csms: string): Because => ({
  kind: 'full',
  where: { kind: 'cap', name: 'a cap', phase: 'L1', profile: profile(csms) },
  why: 'load',
});

const evse = (number: number, current: number, because: Because): EvseReport => ({
  evse: evseNumber(number),
  standing: 'obeying',
  target: ampere(current),
  sent: ampere(current),
  ceiling: ampere(current),
  phases: ['L1', 'L2', 'L3'],
  because,
});
const circuit = (limit: number, limitedBy: CircuitReport['limitedBy']): CircuitReport => ({
  circuit: circuitId('main'),
  limit: ampere(limit),
  limitedBy,
  meter: 'none',
  background: perPhase(() => ampere(0)),
  slack: perPhase(() => ampere(0)),
  reserved: perPhase(() => ampere(0)),
  granted: perPhase(() => ampere(0)),
  heat: perPhase(() => 0),
  breaker: perPhase(() => 'hold'),
});
const report = (evses: readonly EvseReport[], circuits: readonly CircuitReport[] = []): BalancingReport => ({
  evses,
  circuits,
  failsafe: false,
});

async function online(over: Partial<Csms> = {}): Promise<Scene> {
  const s = await scene({ csms: over });
  await s.up();
  return s;
}
/** `slot source` of each notice, with a minus where it is cleared. */
const notices = (s: Scene): string[] =>
  s.link.sent.flatMap((message) =>
    message.type === 'chargingLimit'
      ? [`${message.slotEvse ?? 'all'} ${message.cleared ? '-' : ''}${message.source}`]
      : [],
  );
const rates = (s: Scene) =>
  s.link.transactions().filter(({ record: { trigger } }) => trigger === 'ChargingRateChanged');

t.test('a limit is told when it comes, changes and goes, with its source', async (t) => {
  const s = await online();
  const look = async (because: Because, current: number, wait = 31) => {
    s.view.planned(report([evse(1, current, because)]));
    await s.clock.advance(seconds(wait));
  };
  await look({ kind: 'demand' }, 16);
  t.same(notices(s), [], 'the car itself is no limit');
  await look(full, 16);
  await look(full, 16);
  await look(full, 15);
  t.same(notices(s), ['1 EMS'], 'one in sixteen is less than LimitChangeSignificance');
  await look(full, 10);
  t.same(notices(s), ['1 EMS', '1 EMS']);
  await look(operator, 10);
  t.same(notices(s).slice(2), ['1 -EMS', '1 SO']);
  await look(capped('limiter'), 10);
  t.same(notices(s).slice(4), ['1 -SO', '1 Other']);
  await look(capped('operator'), 10);
  t.same(notices(s).slice(6), ['1 -Other'], 'its own cap is no news to it');
  await look({ kind: 'idle' }, 0);
  t.equal(notices(s).length, 7);
  s.view.planned(report([], [circuit(25, 'gridOperator')]));
  await s.clock.advance(seconds(31));
  s.view.planned(report([], [circuit(125, 'breaker')]));
  t.same(notices(s).slice(7), ['all SO', 'all -SO'], 'the whole site');
});

t.test('a building that moves every second does not fill the uplink', async (t) => {
  const s = await online();
  s.live.evses.set(evseNumber(1), { number: evseNumber(1), offered: ampere(6), transaction: transaction('a') });
  await s.happens(record('a', 0, 'started'));
  for (let second = 0; second < 600; second++) {
    const current = second % 2 === 0 ? 6 : 32;
    s.live.evses.set(evseNumber(1), { number: evseNumber(1), offered: ampere(current), transaction: transaction('a') });
    s.view.planned(report([evse(1, current, second % 4 < 2 ? full : operator)], [circuit(25, 'gridOperator')]));
    await s.clock.advance(seconds(1));
  }
  t.ok(notices(s).length <= 2 * 20 + 1, `${notices(s).length} notices in ten minutes`);
  t.ok(rates(s).length <= 20, `${rates(s).length} events in ten minutes`);
  t.ok(rates(s).length >= 5, 'but some');
});

t.test('many limits at once are told one after the other', async (t) => {
  const s = await online();
  const plan = report([1, 2, 3].map((number) => evse(number, 10, full)));
  s.view.planned(plan);
  t.equal(notices(s).length, 2);
  s.view.planned(plan);
  t.same(notices(s), ['1 EMS', '2 EMS', '3 EMS']);
});

t.test(
  'what the CSMS does not see, and what happens while it is away, is not told; after a boot it is told anew',
  async (t) => {
    const s = await online({ evses: [evseNumber(2)] });
    s.view.planned(report([evse(1, 10, full), evse(2, 10, full)]));
    t.same(notices(s), ['1 EMS'], 'EVSE 2 is slot 1');
    await s.down();
    await s.clock.advance(seconds(60));
    s.view.planned(report([evse(2, 6, full)]));
    t.equal(notices(s).length, 1);
    await s.up(false);
    s.view.planned(report([evse(2, 10, full)]));
    t.equal(notices(s).length, 1, 'it knows');
    await s.up(true);
    s.view.planned(report([evse(2, 10, full)]));
    t.equal(notices(s).length, 2);
  },
);

t.test('the current of a running transaction is told where it changes significantly', async (t) => {
  for (const ocpp of ['2.0.1', '1.6'] as const) {
    const s = await online({ ocpp });
    const look = async (offered: number) => {
      const number = evseNumber(1);
      s.live.evses.set(number, { number, offered: ampere(offered), transaction: transaction('a') });
      s.view.planned(report([evse(1, offered, full)]));
      await s.clock.advance(seconds(31));
    };
    await look(16);
    await look(10);
    t.equal(rates(s).length, 0, 'nothing of a transaction that it has not been told of');
    await s.happens(record('a', 0, 'started'));
    await look(9.5);
    await look(9.4);
    if (ocpp === '2.0.1')
      t.match(rates(s), [{ record: { kind: 'updated', meterValues: [] } }], 'against what it knows');
    else t.equal(rates(s).length, 0, '1.6 has no message for it');
    const measurands = { component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands', value: 'Current.Offered' };
    await s.view.command({ type: 'setVariables', variables: [measurands] });
    await look(0);
    t.match(rates(s).at(-1), {
      record: { meterValues: [{ sampled: [{ measurand: 'Current.Offered', value: 0 }] }] },
    });
  }
});

t.test('external constraints are read as profiles with ids below 0 (K09, K11.FR.06)', async (t) => {
  const s = await online();
  s.operations.profiles = [
    {
      evse: evseNumber(2),
      profile: { id: 1, stackLevel: 0, purpose: 'TxDefaultProfile', kind: 'Relative', schedules: [] },
    },
  ];
  s.view.planned(report([evse(2, 10, full)], [circuit(25, 'gridOperator')]));
  const read = async (criteria: object) => {
    const before = s.link.sent.length;
    const answer = await s.view.command({ type: 'getChargingProfiles', requestId: 8, ...criteria });
    answer.afterwards?.();
    return s.link.sent
      .slice(before)
      .flatMap((message) =>
        message.type === 'reportChargingProfiles'
          ? [`${message.slotEvse} ${message.source} ${message.profiles.map(({ id }) => id).join()} ${message.more}`]
          : [],
      );
  };
  t.same(await read({}), ['2 CSO 1 true', '0 SO -1 true', '2 EMS -3 false']);
  s.operations.profiles = [];
  t.same(await read({ sources: ['SO'] }), ['0 SO -1 false']);
  t.same(await read({ slotEvse: 2, purpose: 'ChargingStationExternalConstraints' }), ['2 EMS -3 false']);
  t.same(await read({ ids: [-3] }), ['2 EMS -3 false']);
  t.same(await read({ ids: [7] }), []);
});
