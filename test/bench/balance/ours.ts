// Forecourt's load balancing as a controller of a simulated garage.
import { evseNumber, meterId } from '../../../gateway/kernel/ids.js';
import { ampere, minutes, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { perPhase, type BalancingPolicy, type PerPhase } from '../../../gateway/site/topology.js';
import { plan, type Plan } from '../../../gateway/balancing/balancer.js';
import { confirmed, failed } from '../../../gateway/balancing/commit.js';
import type { EvseObservation } from '../../../gateway/balancing/observation.js';
import { initialBalancing } from '../../../gateway/balancing/state.js';
import type { Garage } from './garage.js';
import type { Controller, SeenEvse } from './simulation.js';

const START = 1_800_000_000_000;
const at = (second: number) => timestamp(START + second * 1000);
const GRID = meterId('grid');
const perPhaseOf = ([L1, L2, L3]: readonly [number, number, number]): PerPhase<ReturnType<typeof ampere>> =>
  perPhase((phase) => ampere(phase === 'L1' ? L1 : phase === 'L2' ? L2 : L3));

/** @param told departures and energy are known */
export function ours(garage: Garage, strategy: BalancingPolicy['strategy'], told: boolean): Controller {
  const network = garage.network({ strategy, rotation: minutes(15) });
  let state = initialBalancing(network, at(0), new Map(network.outlets.map(({ evse }) => [evse.number, 0])));
  let last: Plan | undefined;
  const observe = ({ visit, served, connected, measured, measuredAt }: SeenEvse, outlet: number): EvseObservation => ({
    evse: evseNumber(outlet + 1),
    link: connected ? 'connected' : 'lost',
    wantsEnergy: visit !== undefined,
    transactionOpen: visit !== undefined,
    chargingState: visit === undefined ? 'Idle' : Math.max(...measured) > 0 ? 'Charging' : 'SuspendedEV',
    priority: 0,
    upperBound: network.outlets[outlet]?.evse.maxCurrent ?? ampere(0),
    ...(measuredAt > 0 && { measured: { current: perPhaseOf(measured), at: at(measuredAt) } }),
    ...(visit && { activeSince: at(visit.arrival) }),
    ...(visit &&
      told && { departure: at(visit.departure), energyNeeded: wattHour(Math.max(0, visit.energy - served)) }),
  });
  return {
    name: `Forecourt, ${strategy}${told ? ', departures known' : ''}`,
    control({ second, evses, meter, meterAt }) {
      const meters = new Map([[GRID, { meter: GRID, at: at(meterAt), current: perPhaseOf(meter) }]]);
      last = plan(network, state, { evses: evses.map(observe), meters }, at(second), undefined, last);
      state = last.state;
      const pauses = last.escalations
        .filter(({ type }) => type === 'stop' || type === 'inoperative')
        .map(({ evse }) => ({ outlet: evse - 1, current: 0 }));
      return [...last.commands.map(({ evse, current }) => ({ outlet: evse - 1, current: Number(current) })), ...pauses];
    },
    answered({ outlet, current }, outcome, second) {
      const evse = evseNumber(outlet + 1);
      state =
        outcome === 'Accepted'
          ? confirmed(network, state, evse, ampere(current), at(second))
          : failed(network, state, evse, ampere(current), outcome, at(second));
    },
  };
}
