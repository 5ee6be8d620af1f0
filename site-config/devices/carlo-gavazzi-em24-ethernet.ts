// Carlo Gavazzi EM24 with Ethernet (EM24DINAV E1). 32-bit values come with the low word first.
import type { MeterProfile, Register } from '../../adapters/modbus/device-profile.js';

const value = (address: number, scale: number): Register => ({ address, type: 'int32', read: 4, scale });

export const carloGavazziEm24Ethernet = {
  kind: 'meter',
  id: 'carlo-gavazzi-em24-ethernet',
  vendor: 'Carlo Gavazzi',
  model: 'EM24DINAV E1 (Ethernet)',
  transports: ['tcp'],
  port: 502,
  unit: { kind: 'fixed', unit: 1 },
  byteOrder: 'big',
  wordOrder: 'little',
  addressing: { kind: 'absolute' },
  io: {},
  detection: { register: 'Device.Model', expect: [1648, 1649, 1650, 1651, 1652, 1653], basis: 'source' },
  registers: {
    'Voltage.L1': value(0, 0.1),
    'Voltage.L2': value(2, 0.1),
    'Voltage.L3': value(4, 0.1),
    'Device.Model': { address: 11, type: 'uint16', read: 3 },
    'Current.Import.L1': value(12, 0.001),
    'Current.Import.L2': value(14, 0.001),
    'Current.Import.L3': value(16, 0.001),
    'Power.Active.Import.L1': value(18, 0.1),
    'Power.Active.Import.L2': value(20, 0.1),
    'Power.Active.Import.L3': value(22, 0.1),
    'Power.Active.Import': value(40, 0.1),
    Frequency: { address: 51, type: 'uint16', read: 4, scale: 0.1 },
    'Energy.Active.Import.Register': value(52, 100),
    'Energy.Active.Export.Register': value(78, 100),
    'Device.Serial': { address: 20_480, type: 'string', words: 7, read: 3 },
    'Config.Application': { address: 40_960, type: 'uint16', read: 3, write: 16 },
  },
  currentSign: 'by-power',
  setup: [{ register: 'Config.Application', value: 7 }],
  quirks: ['The map holds only in application 7 ("H"), which the gateway sets where it finds another.'],
  sources: ['Victron dbus-modbus-client carlo_gavazzi.py', 'mbmd meters/rs485/carlogavazzi-em24_e1.go'],
} as const satisfies MeterProfile;
