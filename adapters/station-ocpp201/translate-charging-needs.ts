// NotifyEVChargingNeeds of an OCPP 2.0.1 station: what of it says when the car leaves and how much it wants.
import { momentOf, recordOf } from '../ocpp-j/fields.js';
import type { Payload } from '../ocpp-j/contract.js';
import { ampere, wattHour } from '../../gateway/kernel/units.js';
import type { ChargingNeeds } from '../../gateway/site/charging-needs.js';

const numberOf = (payload: Payload, name: string): number | undefined => {
  const value = payload[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** Of direct current the energy may have to be reckoned: from the state of charge to full, or to 100 %. */
function energyOf(ac: Payload, dc: Payload): number | undefined {
  const told = numberOf(ac, 'energyAmount') ?? numberOf(dc, 'energyAmount');
  if (told !== undefined) return told;
  const [capacity, charged] = [numberOf(dc, 'evEnergyCapacity'), numberOf(dc, 'stateOfCharge')];
  if (capacity === undefined || charged === undefined) return undefined;
  return (capacity * Math.max(0, (numberOf(dc, 'fullSoC') ?? 100) - charged)) / 100;
}

/** Nothing of it is believed beyond its type: what can be meant the core decides. */
export function chargingNeedsOf(payload: Payload): ChargingNeeds {
  const needs = recordOf(payload, 'chargingNeeds') ?? {};
  const ac = recordOf(needs, 'acChargingParameters') ?? {};
  const dc = recordOf(needs, 'dcChargingParameters') ?? {};
  const departure = momentOf(needs, 'departureTime');
  const energy = energyOf(ac, dc);
  const maxCurrent = numberOf(ac, 'evMaxCurrent');
  return {
    ...(departure !== undefined && { departure }),
    ...(energy !== undefined && { energy: wattHour(energy) }),
    ...(maxCurrent !== undefined && { maxCurrent: ampere(maxCurrent) }),
  };
}
