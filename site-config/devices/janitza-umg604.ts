// Janitza UMG 604 and UMG 511, the map at 1317.
import type { MeterProfile, Register } from '../../adapters/modbus/device-profile.js';

const float = (address: number): Register => ({ address, type: 'float32', read: 3 });

export const janitzaUmg604 = {
  kind: 'meter',
  id: 'janitza-umg604',
  vendor: 'Janitza',
  model: 'UMG 604 / UMG 511 (1317 map)',
  transports: ['tcp', 'rtu'],
  port: 502,
  unit: { kind: 'fixed', unit: 1 },
  byteOrder: 'big',
  wordOrder: 'big',
  addressing: { kind: 'absolute' },
  io: {},
  detection: { register: 'Voltage.L1', expect: { from: 180, to: 270 }, basis: 'inferred' },
  registers: {
    'Voltage.L1': float(1317),
    'Voltage.L2': float(1319),
    'Voltage.L3': float(1321),
    'Current.Import.L1': float(1325),
    'Current.Import.L2': float(1327),
    'Current.Import.L3': float(1329),
    'Power.Active.Import.L1': float(1333),
    'Power.Active.Import.L2': float(1335),
    'Power.Active.Import.L3': float(1337),
    'Power.Active.Import': float(1369),
    Frequency: float(1439),
    'Energy.Active.Import.Register': float(9851),
    'Energy.Active.Export.Register': float(9863),
  },
  currentSign: 'by-power',
  setup: [],
  quirks: ['Energy is a 32-bit float: above 16 GWh it no longer counts single kilowatt hours.'],
  sources: ['OpenEMS io.openems.edge.meter.janitza'],
} as const satisfies MeterProfile;
