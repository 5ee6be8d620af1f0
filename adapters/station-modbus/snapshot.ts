// What one poll of an EVSE says, and how it is told as meter values and as an OCPP status.
import type { ConnectorError, ConnectorStatus, ChargingState } from '../../gateway/site/station-event.js';
import type { MeterValue, ReadingContext, SampledValue } from '../../gateway/site/metering.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import { PHASES } from '../../gateway/site/topology.js';
import type { EvseState } from '../modbus/charger-behaviour.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import { energyRegisters } from './energy-register.js';
import { evseState, stateRegisters } from '../modbus/evse-state.js';

export interface Snapshot {
  readonly at: Timestamp;
  readonly state: EvseState;
  readonly values: RegisterValues;
}

const MEASURED = ['Current.Import', 'Current.Import.L1', 'Current.Import.L2', 'Current.Import.L3', 'Current.Offered'];
const POWER = 'Power.Active.Import';
const POWERS = ['Power.Active.Import.L1', 'Power.Active.Import.L2', 'Power.Active.Import.L3'];
const VOLTAGES = ['Voltage.L1', 'Voltage.L2', 'Voltage.L3'];

/** The registers of one poll. What nothing is decided by is left out where every read costs time. */
export function polledRegisters(profile: ChargerProfile): readonly string[] {
  const { control, states, reader, recovery, registers, io } = profile;
  const has = (name: string): boolean => registers[name] !== undefined;
  const power = has(POWER) ? [POWER] : POWERS;
  const unhurried = io.minReadIntervalMs === undefined ? [...VOLTAGES, 'EVSE.Error'] : [];
  const confirming = [...control.confirmLimit, ...control.confirmPause].map(({ register }) => register);
  const deviceMax = control.deviceMax === undefined ? [] : [control.deviceMax];
  const cards = [reader?.token, reader?.counter, reader?.length].filter((name) => name !== undefined);
  const helping = recovery.flatMap(({ when }) => Object.keys(when));
  const measured = [...MEASURED, ...power, ...energyRegisters(profile), ...unhurried].filter(has);
  return [
    ...new Set([...stateRegisters(states), ...measured, ...confirming, ...deviceMax, ...cards, ...helping]),
  ].filter((name) => registers[name]?.read !== undefined);
}

/** Undefined where the device's state is none that its profile knows. */
export function takeSnapshot(profile: ChargerProfile, values: RegisterValues, at: Timestamp): Snapshot | undefined {
  const state = evseState(profile.states, values);
  return state === undefined ? undefined : { at, state, values };
}

/** In W: as told, as the sum of its phases, or as what current and voltage of each phase make. */
export function totalPower(values: RegisterValues): number | undefined {
  const told = values.get(POWER);
  if (typeof told === 'number') return told;
  const phases = PHASES.map((phase) => {
    const power = values.get(`${POWER}.${phase}`);
    if (typeof power === 'number') return power;
    const [current, voltage] = [values.get(`Current.Import.${phase}`), values.get(`Voltage.${phase}`)];
    return typeof current === 'number' && typeof voltage === 'number' ? current * voltage : undefined;
  });
  const known = phases.filter((power) => power !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, power) => total + power, 0);
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
  add(totalPower(snapshot.values), { measurand: 'Power.Active.Import' });
  add(snapshot.values.get('Current.Import'), { measurand: 'Current.Import' });
  for (const phase of PHASES) {
    add(snapshot.values.get(`Current.Import.${phase}`), { measurand: 'Current.Import', phase });
  }
  for (const phase of PHASES) {
    add(snapshot.values.get(`Voltage.${phase}`), { measurand: 'Voltage', phase: `${phase}-N` });
  }
  add(offered ?? snapshot.values.get('Current.Offered'), { measurand: 'Current.Offered' });
  return { at: snapshot.at, sampled };
}
