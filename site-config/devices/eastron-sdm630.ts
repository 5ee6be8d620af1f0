// Eastron SDM630 and SDM630 MCT, on RS-485.
import type { MeterProfile, Register } from '../../adapters/modbus/device-profile.js';

const float = (address: number, scale = 1): Register => ({ address, type: 'float32', read: 4, scale });

export const eastronSdm630 = {
  kind: 'meter',
  id: 'eastron-sdm630',
  vendor: 'Eastron',
  model: 'SDM630 / SDM630 MCT',
  transports: ['rtu'],
  serial: { baudRate: 9600, parity: 'none', stopBits: 1 },
  unit: { kind: 'fixed', unit: 1 },
  byteOrder: 'big',
  wordOrder: 'big',
  addressing: { kind: 'absolute' },
  io: { maxRegistersPerRead: 80, requestDelayMs: 100 },
  detection: { register: 'Voltage.L1', expect: { from: 180, to: 270 }, basis: 'inferred' },
  registers: {
    'Voltage.L1': float(0),
    'Voltage.L2': float(2),
    'Voltage.L3': float(4),
    'Current.Import.L1': float(6),
    'Current.Import.L2': float(8),
    'Current.Import.L3': float(10),
    'Power.Active.Import.L1': float(12),
    'Power.Active.Import.L2': float(14),
    'Power.Active.Import.L3': float(16),
    'Power.Active.Import': float(52),
    Frequency: float(70),
    'Energy.Active.Import.Register': float(72, 1000),
    'Energy.Active.Export.Register': float(74, 1000),
  },
  currentSign: 'by-power',
  setup: [],
  quirks: [
    'Speed, parity and stop bits as delivered have no source: compare with what the display of the meter shows.',
    'The meter wants 100 ms of silence between two requests, so that ten reads a second is the most of a bus it is on.',
    'Energy is a 32-bit float: above 16 GWh it no longer counts single kilowatt hours.',
  ],
  sources: [
    'volkszaehler/mbmd meters/rs485/sdm.go',
    'openWB modules/common/sdm.py',
    'nymea bgetech sdm630-registers.json',
  ],
} as const satisfies MeterProfile;
