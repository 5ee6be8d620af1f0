// From what chargers report to amperes on grid phases: rotation, one phase, power only, DC, and values that say nothing.
import t from 'tap';
import { circuitId, evseNumber, stationId } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp, volt } from '../../../gateway/kernel/units.js';
import { energyRegister, measuredCurrent } from '../../../gateway/site/measured-current.js';
import type { Measurand, ReadingLocation, ReadingPhase, SampledValue } from '../../../gateway/site/metering.js';
import type { ConnectorType, Evse, Phase } from '../../../gateway/site/topology.js';

const evse = (phases: readonly Phase[], types: readonly ConnectorType[] = ['Type2']): Evse => ({
  number: evseNumber(1),
  station: stationId('CP1'),
  stationEvse: 1,
  connectors: types.map((type, i) => ({ number: i + 1, type })),
  circuit: circuitId('main'),
  maxCurrent: ampere(32),
  minCurrent: ampere(6),
  fallbackCurrent: ampere(6),
  phases,
  rotationKnown: true,
});

const sample = (
  measurand: Measurand,
  value: number,
  phase?: ReadingPhase,
  location?: ReadingLocation,
): SampledValue => ({ measurand, value, ...(phase && { phase }), ...(location && { location }) });
const current = (value: number, phase?: ReadingPhase, location?: ReadingLocation): SampledValue =>
  sample('Current.Import', value, phase, location);
const power = (value: number, phase?: ReadingPhase): SampledValue => sample('Power.Active.Import', value, phase);

const STRAIGHT: readonly Phase[] = ['L1', 'L2', 'L3'];
const ROTATED: readonly Phase[] = ['L2', 'L3', 'L1'];

interface Row {
  readonly says: string;
  readonly evse: Evse;
  readonly sampled: readonly SampledValue[];
  readonly grid: readonly [number, number, number] | undefined;
}

/** Between L2 and L3. */
const between: Evse = { ...evse(['L2', 'L3']), lineToLine: true };

const rows: readonly Row[] = [
  {
    says: 'between two phases: the same current on both, however it is called',
    evse: between,
    sampled: [current(24, 'L1-L2')],
    grid: [0, 24, 24],
  },
  {
    says: 'between two phases, told by conductor',
    evse: between,
    sampled: [current(23.9, 'L1'), current(24, 'L2')],
    grid: [0, 24, 24],
  },
  {
    says: 'between two phases, from the power: at the voltage between them',
    evse: between,
    sampled: [power(10 * 230 * Math.sqrt(3))],
    grid: [0, 10, 10],
  },
  {
    says: 'three phases as wired',
    evse: evse(STRAIGHT),
    sampled: [current(10, 'L1'), current(11, 'L2'), current(12, 'L3')],
    grid: [10, 11, 12],
  },
  {
    says: 'three phases rotated: its L1 is on the grid as L2',
    evse: evse(ROTATED),
    sampled: [current(10, 'L1'), current(11, 'L2'), current(12, 'L3')],
    grid: [12, 10, 11],
  },
  {
    says: 'phases against the neutral are the same conductors',
    evse: evse(ROTATED),
    sampled: [current(10, 'L1-N'), current(0, 'L2-N'), current(0, 'L3-N')],
    grid: [0, 10, 0],
  },
  { says: 'a one-phase car on three phases', evse: evse(ROTATED), sampled: [current(30, 'L1')], grid: [0, 30, 0] },
  { says: 'one phase, wired to L3', evse: evse(['L3']), sampled: [current(16, 'L1')], grid: [0, 0, 16] },
  { says: 'one phase, no phase said', evse: evse(['L3']), sampled: [current(16)], grid: [0, 0, 16] },
  {
    says: 'one phase, wired to L3, and the charger says L3: the current is not lost',
    evse: evse(['L3']),
    sampled: [current(16, 'L3')],
    grid: [0, 0, 16],
  },
  { says: 'two phases', evse: evse(['L2', 'L1']), sampled: [current(8, 'L1'), current(9, 'L2')], grid: [9, 8, 0] },
  { says: 'one value for all three phases', evse: evse(STRAIGHT), sampled: [current(14)], grid: [14, 14, 14] },
  {
    says: 'values per phase count, not the sum next to them',
    evse: evse(STRAIGHT),
    sampled: [current(30), current(10, 'L1'), current(10, 'L2'), current(10, 'L3')],
    grid: [10, 10, 10],
  },
  {
    says: 'the neutral and line voltages are no phase currents',
    evse: evse(STRAIGHT),
    sampled: [current(9, 'N'), current(9, 'L1-L2')],
    grid: undefined,
  },
  {
    says: 'current to the grid is no load',
    evse: evse(STRAIGHT),
    sampled: [current(-5, 'L1'), current(3, 'L2')],
    grid: [0, 3, 0],
  },
  { says: 'power only, three phases', evse: evse(ROTATED), sampled: [power(6900)], grid: [10, 10, 10] },
  { says: 'power only, one phase', evse: evse(['L2']), sampled: [power(2300)], grid: [0, 10, 0] },
  {
    says: 'power only, per phase',
    evse: evse(ROTATED),
    sampled: [power(2300, 'L1'), power(0, 'L2'), power(0, 'L3'), power(2300)],
    grid: [0, 10, 0],
  },
  { says: 'current rather than power', evse: evse(STRAIGHT), sampled: [power(6900), current(11)], grid: [11, 11, 11] },
  {
    says: 'a DC outlet: amperes into the car are not the grid, its power with losses is',
    evse: evse(STRAIGHT, ['CCS2', 'CHAdeMO']),
    sampled: [current(125), power(69_000)],
    grid: [108, 108, 108],
  },
  {
    says: 'a DC outlet that tells no power says nothing',
    evse: evse(STRAIGHT, ['CCS2']),
    sampled: [current(125)],
    grid: undefined,
  },
  {
    says: 'a charger with both outlets on one EVSE is taken by its current',
    evse: evse(STRAIGHT, ['CCS2', 'Type2']),
    sampled: [current(20)],
    grid: [20, 20, 20],
  },
  { says: 'the cable is the outlet', evse: evse(['L1']), sampled: [current(7, 'L1', 'Cable')], grid: [7, 0, 0] },
  {
    says: 'what the whole charger takes is not what this EVSE gives',
    evse: evse(STRAIGHT),
    sampled: [current(40, 'L1', 'Inlet'), current(41, 'L1', 'Body')],
    grid: undefined,
  },
  {
    says: 'what it offers is not what flows',
    evse: evse(STRAIGHT),
    sampled: [sample('Current.Offered', 16), sample('SoC', 80), { value: 1000 }],
    grid: undefined,
  },
  { says: 'not a number', evse: evse(STRAIGHT), sampled: [current(NaN, 'L1'), power(Infinity)], grid: undefined },
  { says: 'nothing', evse: evse(STRAIGHT), sampled: [], grid: undefined },
  { says: 'zero is a value', evse: evse(STRAIGHT), sampled: [current(0)], grid: [0, 0, 0] },
];

void t.test('grid currents', (t) => {
  for (const { says, evse, sampled, grid } of rows) {
    const measured = measuredCurrent(evse, { at: timestamp(0), sampled }, volt(230));
    const rounded = measured && [measured.L1, measured.L2, measured.L3].map((value) => Math.round(value * 1000) / 1000);
    t.same(rounded, grid, says);
  }
  t.end();
});

void t.test('the energy register', (t) => {
  const register = (...sampled: SampledValue[]): number | undefined =>
    energyRegister({ at: timestamp(0), sampled })?.value;
  t.equal(register({ value: 5 }), 5, 'what a value without a name is');
  t.equal(register(power(1), sample('Energy.Active.Import.Register', 7)), 7);
  t.equal(register(sample('Energy.Active.Import.Register', 7, 'L1')), undefined, 'one phase is not the total');
  t.equal(register(sample('Energy.Active.Import.Register', 7, undefined, 'Inlet')), undefined, 'nor the whole charger');
  t.equal(register(sample('Energy.Active.Export.Register', 7)), undefined);
  t.end();
});
