// Phoenix Contact CHARX SEC-3xxx: one controller with up to 48 charging points, each at its own thousand.
import type { ChargerProfile, Register } from '../../adapters/modbus/device-profile.js';

const milli = (address: number): Register => ({ address, type: 'int32', read: 3, scale: 0.001 });

export const phoenixCharxSec = {
  kind: 'charger',
  id: 'phoenix-charx-sec',
  vendor: 'Phoenix Contact',
  model: 'CHARX SEC-3xxx / CHARX control modular',
  transports: ['tcp'],
  port: 502,
  unit: { kind: 'fixed', unit: 255 },
  byteOrder: 'big',
  wordOrder: 'big',
  addressing: { kind: 'stride', stride: 1000 },
  io: {},
  detection: { register: 'Device.Model', expect: '.', basis: 'inferred' },
  registers: {
    'Device.Model': { address: 100, type: 'string', words: 10, read: 3, of: 'station' },
    'Device.Firmware': { address: 110, type: 'string', words: 4, read: 3, of: 'station' },
    'Voltage.L1': milli(232),
    'Voltage.L2': milli(234),
    'Voltage.L3': milli(236),
    'Current.Import.L1': milli(238),
    'Current.Import.L2': milli(240),
    'Current.Import.L3': milli(242),
    'Power.Active.Import': milli(244),
    'Energy.Active.Import.Register': { address: 250, type: 'int64', read: 3 },
    'EVSE.State': {
      address: 299,
      type: 'string',
      words: 1,
      read: 3,
      values: ['A', 'A1', 'A2', 'B', 'B1', 'B2', 'C1', 'C2', 'D1', 'D2', 'E', 'F'],
    },
    Enable: { address: 300, type: 'uint16', read: 3, write: 16, unverified: ['write function'] },
    'Setpoint.Current': { address: 301, type: 'uint16', read: 3, write: 16, min: 6, max: 80 },
  },
  states: [
    { when: { 'EVSE.State': { oneOf: ['A', 'A1', 'A2'] } }, is: 'A' },
    // C1 and D1: the car is ready, the charger offers nothing.
    { when: { 'EVSE.State': { oneOf: ['B', 'B1', 'B2', 'C1', 'D1'] } }, is: 'B' },
    { when: { 'EVSE.State': { oneOf: ['C2', 'D2'] } }, is: 'C' },
    { when: { 'EVSE.State': 'E' }, is: 'E' },
    { when: { 'EVSE.State': 'F' }, is: 'F' },
  ],
  control: {
    setpoint: 'Setpoint.Current',
    step: 1,
    min: 6,
    max: 80,
    pause: [
      { register: 'Setpoint.Current', value: 0 },
      { register: 'Enable', value: 0 },
    ],
    // A setpoint outside 6 to 80 A withdraws the release, so it is given again after every pause.
    resume: [{ register: 'Enable', value: 1 }],
    confirmLimit: [{ register: 'Setpoint.Current', rule: 'equals' }],
    confirmPause: [{ register: 'Setpoint.Current', rule: 'equals' }],
  },
  watchdog: {
    kind: 'none',
    note: 'No register for it in any source: a limit stays as it was last written when the gateway is gone.',
  },
  quirks: [
    'Release by Modbus has to be chosen in the controller; in OCPP mode the release is read-only.',
    'The unit is 255 as delivered; 1 has been seen.',
  ],
  sources: ['evcc charger/phoenix-charx.go'],
} as const satisfies ChargerProfile;
