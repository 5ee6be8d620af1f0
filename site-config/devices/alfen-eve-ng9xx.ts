// Alfen Eve Single and Double Pro-line, NG9xx platform.
import type { ChargerProfile, Register } from '../../adapters/modbus/device-profile.js';

const float = (address: number): Register => ({ address, type: 'float32', read: 3 });
const double = (address: number): Register => ({ address, type: 'float64', read: 3 });
const stationText = (address: number, words: number): Register => ({
  address,
  type: 'string',
  words,
  read: 3,
  of: 'station',
});

export const alfenEveNg9xx = {
  kind: 'charger',
  id: 'alfen-eve-ng9xx',
  vendor: 'Alfen',
  model: 'Eve Single/Double Pro-line NG9xx (ICU/ACE)',
  transports: ['tcp'],
  port: 502,
  unit: { kind: 'per-evse', unit: 1, station: 200 },
  byteOrder: 'big',
  wordOrder: 'big',
  addressing: { kind: 'absolute' },
  io: { maxConnections: 2, idleCloseSeconds: 60 },
  detection: { register: 'Device.Vendor', expect: '^Alfen', basis: 'inferred' },
  registers: {
    'Device.Model': stationText(100, 17),
    'Device.Vendor': stationText(117, 5),
    'Device.Firmware': stationText(123, 17),
    'Device.Serial': stationText(157, 11),
    'Voltage.L1': float(306),
    'Voltage.L2': float(308),
    'Voltage.L3': float(310),
    'Current.Import.L1': float(320),
    'Current.Import.L2': float(322),
    'Current.Import.L3': float(324),
    'Power.Active.Import': float(344),
    'Energy.Active.Import.Register': double(374),
    'EVSE.State': {
      address: 1201,
      type: 'string',
      words: 5,
      read: 3,
      values: ['A', 'B1', 'B2', 'C1', 'C2', 'D1', 'D2', 'E', 'F'],
    },
    'Current.Offered': float(1206),
    'Setpoint.RemainingValid': { address: 1208, type: 'uint32', read: 3 },
    'Setpoint.Current': { address: 1210, type: 'float32', read: 3, write: 16, max: 80 },
    'Failsafe.Current': float(1212),
    'Phases.Set': { address: 1215, type: 'uint16', read: 3, write: 6 },
  },
  states: [
    { when: { 'EVSE.State': { oneOf: ['A', 'E'] } }, is: 'A' },
    // C1 and D1: the car is ready, the charger offers nothing.
    { when: { 'EVSE.State': { oneOf: ['B1', 'B2', 'C1', 'D1'] } }, is: 'B' },
    { when: { 'EVSE.State': { oneOf: ['C2', 'D2'] } }, is: 'C' },
    { when: { 'EVSE.State': 'F' }, is: 'F' },
  ],
  control: {
    setpoint: 'Setpoint.Current',
    step: 0.1,
    min: 6,
    max: 80,
    pause: [{ register: 'Setpoint.Current', value: 0 }],
    resume: [],
    // What it applies is the least of the station's maximum, the charging network's and ours: above ours, ours is not used.
    confirmLimit: [
      { register: 'Setpoint.Current', rule: 'equals' },
      { register: 'Current.Offered', rule: 'at-most' },
    ],
    confirmPause: [
      { register: 'Setpoint.Current', rule: 'equals' },
      { register: 'Current.Offered', rule: 'at-most', slack: 5.9 },
    ],
  },
  watchdog: {
    kind: 'rewrite-setpoint',
    refreshSeconds: 25,
    defaultSeconds: 60,
    remaining: 'Setpoint.RemainingValid',
    fallbackCurrent: 'Failsafe.Current',
  },
  phases: { register: 'Phases.Set', one: 1, three: 3, requires: 'the local setting "Allow 1- and 3-phased charging"' },
  quirks: [
    'Needs the licence "Active load balancing" with the energy management system as data source.',
    '"Allow reading" and "Allow writing maximum currents" are off as delivered.',
    'The safe current has to be set in the charger before it takes a maximum current; set it to the fallback current.',
    'Firmware 4.2 or later, 6.4 or later recommended.',
    'The order of the phases follows the phase rotation set in the charger.',
    'A setpoint is lost when the charger restarts: it then offers its safe current until the next one.',
  ],
  sources: ['Alfen, Modbus Slave TCP/IP implementation v2.3', 'evcc charger/alfen.go'],
} as const satisfies ChargerProfile;
