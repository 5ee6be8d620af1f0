// What one poll of an EVSE says, and how it is told as meter values and as an OCPP status.
import type { ConnectorError, ConnectorStatus, ChargingState } from '../../gateway/site/station-event.js';
import type { MeterValue, ReadingContext, SampledValue } from '../../gateway/site/metering.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import { PHASES } from '../../gateway/site/topology.js';
import type { ChargerProfile, EvseState } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import { evseState, stateRegisters } from './evse-state.js';

export interface Snapshot {
  readonly at: Timestamp;
  readonly state: EvseState;
  readonly values: RegisterValues;
}

export const ENERGY = 'Energy.Active.Import.Register';

const MEASURED = [
  'Current.Import.L1',
  'Current.Import.L2',
  'Current.Import.L3',
  'Power.Active.Import',
  ENERGY,
  'Current.Offered',
];
const VOLTAGES = ['Voltage.L1', 'Voltage.L2', 'Voltage.L3'];

/** The registers of one poll. Voltages are left out where every read costs time: nothing is decided by them. */
export function polledRegisters(profile: ChargerProfile): readonly string[] {
  const measured = profile.io.minReadIntervalMs === undefined ? [...MEASURED, ...VOLTAGES] : MEASURED;
  const confirming = [...profile.control.confirmLimit, ...profile.control.confirmPause].map(({ register }) => register);
  const known = measured.filter((name) => profile.registers[name] !== undefined);
  return [...new Set([...stateRegisters(profile.states), ...known, ...confirming])];
}

/** Undefined where the device's state is none that its profile knows. */
export function takeSnapshot(profile: ChargerProfile, values: RegisterValues, at: Timestamp): Snapshot | undefined {
  const state = evseState(profile.states, values);
  return state === undefined ? undefined : { at, state, values };
}

export function connectorStatus(state: EvseState, operative: boolean): ConnectorStatus {
  if (state === 'E' || state === 'F') return 'Faulted';
  if (state === 'starting' || !operative) return 'Unavailable';
  return state === 'A' ? 'Available' : 'Occupied';
}

export function connectorError(state: EvseState, values: RegisterValues): ConnectorError {
  if (state !== 'E' && state !== 'F') return { code: 'NoError' };
  const vendorErrorCode = values.get('EVSE.Error');
  return {
    code: 'OtherError',
    info: `IEC 61851 state ${state}`,
    ...(vendorErrorCode === undefined ? {} : { vendorErrorCode: String(vendorErrorCode) }),
  };
}

/** @param offered what the EVSE was told to offer; a car that waits at 0 A is suspended by us, otherwise by itself */
export function chargingState(state: EvseState, open: boolean, offered: number | undefined): ChargingState {
  if (state === 'A' || state === 'starting') return 'Idle';
  if (!open) return 'EVConnected';
  if (state === 'C') return 'Charging';
  return state === 'B' && offered !== 0 ? 'SuspendedEV' : 'SuspendedEVSE';
}

/** @param energy the register as believed, in Wh */
export function meterValue(
  snapshot: Snapshot,
  energy: number | undefined,
  offered: number | undefined,
  context: ReadingContext,
): MeterValue {
  const sampled: SampledValue[] = [];
  const add = (value: number | string | undefined, rest: Omit<SampledValue, 'value' | 'context'>): void => {
    if (typeof value === 'number') sampled.push({ value, context, ...rest });
  };
  add(energy, { measurand: 'Energy.Active.Import.Register' });
  add(snapshot.values.get('Power.Active.Import'), { measurand: 'Power.Active.Import' });
  for (const phase of PHASES) {
    add(snapshot.values.get(`Current.Import.${phase}`), { measurand: 'Current.Import', phase });
  }
  for (const phase of PHASES) {
    add(snapshot.values.get(`Voltage.${phase}`), { measurand: 'Voltage', phase: `${phase}-N` });
  }
  add(offered ?? snapshot.values.get('Current.Offered'), { measurand: 'Current.Offered' });
  return { at: snapshot.at, sampled };
}
