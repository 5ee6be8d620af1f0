// Any meter that speaks SunSpec models 201 to 204 (integers with scale factors). Addresses are offsets in the model block, its id at 0.
import type { MeterProfile, Register } from '../../adapters/modbus/device-profile.js';

const NOT_IMPLEMENTED = -0x8000;
const point = (address: number, factor: string): Register => ({
  address,
  type: 'int16',
  read: 3,
  factor,
  sentinels: [NOT_IMPLEMENTED],
});
const accumulator = (address: number): Register => ({
  address,
  type: 'uint32',
  read: 3,
  factor: 'SunSpec.TotWh_SF',
  sentinels: [0],
});
const power10 = (address: number): Register => ({ address, type: 'int16', read: 3, sentinels: [NOT_IMPLEMENTED] });

export const sunspecMeter = {
  kind: 'meter',
  id: 'sunspec-meter-201-204',
  vendor: 'SunSpec',
  model: 'Meter models 201 (one phase), 202 (split phase), 203 (wye), 204 (delta)',
  transports: ['tcp', 'rtu'],
  port: 502,
  unit: { kind: 'fixed', unit: 1 },
  byteOrder: 'big',
  wordOrder: 'big',
  addressing: {
    kind: 'sunspec',
    bases: [40_000, 0, 50_000],
    models: [
      { id: 201, phases: 1 },
      { id: 202, phases: 2 },
      { id: 203, phases: 3 },
      { id: 204, phases: 3 },
    ],
  },
  io: {},
  detection: { register: 'SunSpec.Model', expect: [201, 202, 203, 204], basis: 'source' },
  registers: {
    'SunSpec.Model': { address: 0, type: 'uint16', read: 3 },
    'Current.Import.L1': point(3, 'SunSpec.A_SF'),
    'Current.Import.L2': point(4, 'SunSpec.A_SF'),
    'Current.Import.L3': point(5, 'SunSpec.A_SF'),
    'SunSpec.A_SF': power10(6),
    'Voltage.L1': point(8, 'SunSpec.V_SF'),
    'Voltage.L2': point(9, 'SunSpec.V_SF'),
    'Voltage.L3': point(10, 'SunSpec.V_SF'),
    'SunSpec.V_SF': power10(15),
    'Power.Active.Import': point(18, 'SunSpec.W_SF'),
    'Power.Active.Import.L1': point(19, 'SunSpec.W_SF'),
    'Power.Active.Import.L2': point(20, 'SunSpec.W_SF'),
    'Power.Active.Import.L3': point(21, 'SunSpec.W_SF'),
    'SunSpec.W_SF': power10(22),
    'Energy.Active.Export.Register': accumulator(38),
    'Energy.Active.Import.Register': accumulator(46),
    'SunSpec.TotWh_SF': power10(54),
  },
  currentSign: 'by-power',
  setup: [],
  quirks: [
    'The unit differs by make: 200 and up on Fronius meters, 71 on KSEM. Set it in the site file.',
    'The sign of the power differs by make: SolarEdge counts export as positive and must not be used with this profile.',
  ],
  sources: ['SunSpec Alliance, models 201 to 204', 'evcc templates/definition/meter'],
} as const satisfies MeterProfile;
