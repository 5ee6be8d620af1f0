// What CSMSs are told of the site's own limits, through the whole shell: what is offered, who pauses, who limits (S39).
import t from 'tap';
import { csmsId, evseNumber, meterId } from '../../gateway/kernel/ids.js';
import { ampere } from '../../gateway/kernel/units.js';
import type { CsmsMessage } from '../../gateway/ports/csms.js';
import { InnerWorld } from './inner-world.js';

async function charging(chargers: number, breaker: number): Promise<InnerWorld> {
  const world = await InnerWorld.open({
    chargers,
    csmss: [{}, { ocpp: '1.6', role: 'observer' }],
    main: { breaker: ampere(breaker), meter: meterId('grid') },
    authorization: { offline: 'accept-unknown' },
  });
  for (const index of [0, 1]) await world.online(index);
  for (const index of [0, 1])
    await world.gateway.views[index]?.command({
      type: 'setVariables',
      variables: [
        { component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands', value: 'Current.Offered,Power.Offered' },
        { component: 'SampledDataCtrlr', variable: 'TxUpdatedInterval', value: '10' },
      ],
    });
  for (const charger of world.chargers.values()) {
    await charger.connect();
    await charger.status('Occupied');
    charger.wants = 32;
    await charger.start(`DRIVER-${charger.id}`);
  }
  return world;
}

async function run(world: InnerWorld, spent: number, building: number): Promise<void> {
  for (let second = 1; second <= spent; second++) {
    await world.second(building);
    if (second % 10 !== 0) continue;
    for (const charger of world.chargers.values()) if (charger.transaction !== undefined) await charger.sample(10);
  }
}

const sent = (world: InnerWorld, index: number): readonly CsmsMessage[] => world.link(index).sent;
const offeredTo = (world: InnerWorld, index: number): readonly string[] =>
  sent(world, index).flatMap((message) => {
    if (message.type !== 'transaction') return [];
    return message.record.meterValues.flatMap(({ sampled }) =>
      sampled.flatMap(({ measurand, value }) => (measurand?.endsWith('Offered') ? [`${measurand} ${value}`] : [])),
    );
  });

void t.test('a CSMS that samples what is offered is told, although the charger does not say it', async (t) => {
  const world = await charging(1, 63);
  await run(world, 60, 5);
  for (const index of [0, 1]) {
    const offered = offeredTo(world, index);
    t.ok(offered.includes('Current.Offered 32'), `CSMS ${index}: ${offered.join()}`);
    t.ok(offered.includes('Power.Offered 22080'));
  }
  t.equal(world.gateway.live.evse(evseNumber(1))?.saysItOffers, undefined, 'and it passes for no word of the charger');
});

void t.test('a building that takes the current: limits, changes of rate and pauses are told', async (t) => {
  const world = await charging(2, 63);
  await run(world, 90, 5);
  await run(world, 120, 40);
  const limits = sent(world, 0).flatMap((message) => (message.type === 'chargingLimit' ? [message] : []));
  t.match(limits[0], { source: 'EMS', cleared: false });
  const rates = world
    .link(0)
    .transactions()
    .filter(({ record }) => record.trigger === 'ChargingRateChanged');
  t.ok(rates.length >= 1, 'TransactionEvent ChargingRateChanged');
  // The charger of a car that is offered nothing says that the car pauses: it does not.
  await run(world, 90, 62);
  const charger = [...world.chargers.values()].find(({ limit }) => limit === 0);
  if (charger === undefined) throw new Error('nobody was paused');
  await world.report({
    type: 'status',
    station: charger.id,
    evse: charger.number,
    connector: 1,
    status: 'Occupied',
    chargingState: 'SuspendedEV',
    at: world.clock.now(),
  });
  t.equal(world.gateway.live.connector(charger.number, 1)?.chargingState, 'SuspendedEVSE');
  t.match(world.link(0).transactions().at(-1), {
    record: { trigger: 'ChargingRateChanged', chargingState: 'SuspendedEVSE' },
  });
  for (const one of world.chargers.values()) await one.end();
  await run(world, 40, 5);
  const last = sent(world, 0).flatMap((message) => (message.type === 'chargingLimit' ? [message] : []));
  t.ok(last.at(-1)?.cleared, 'and in the end nothing limits any more');
});

void t.test('the site explains each EVSE by its profile, its cable, its charger', async (t) => {
  const world = await charging(1, 63);
  await run(world, 70, 5);
  const why = () => world.gateway.balancing?.evses[0]?.because;
  t.match(why(), { kind: 'upperBound', by: 'the hardware' });
  const one = evseNumber(1);
  await world.gateway.operations.setChargingProfile(csmsId('operator'), [one], one, {
    id: 7,
    stackLevel: 0,
    purpose: 'TxDefaultProfile',
    kind: 'Relative',
    schedules: [{ unit: 'A', periods: [{ startPeriod: 0, limit: 10 }] }],
  });
  await run(world, 20, 5);
  t.match(why(), { kind: 'upperBound', profile: { csms: 'operator', purpose: 'TxDefaultProfile', id: 7 } });
  const charger = world.charger(1);
  await world.report({
    type: 'transaction',
    kind: 'updated',
    station: charger.id,
    evse: charger.number,
    connector: 1,
    ...(charger.transaction && { stationTransactionId: charger.transaction }),
    at: world.clock.now(),
    trigger: 'CablePluggedIn',
    cableMaxCurrent: 8,
    meterValues: [],
    offline: false,
  });
  await run(world, 20, 5);
  t.match(why(), { kind: 'upperBound', by: 'the cable' });
  t.equal(charger.limit, 8);
});
