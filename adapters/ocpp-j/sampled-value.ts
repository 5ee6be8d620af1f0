// Measured values as chargers of either version write them, brought to canonical names, base units and numbers.
import type {
  Measurand,
  ReadingContext,
  ReadingLocation,
  ReadingPhase,
  SampledValue,
} from '../../gateway/site/metering.js';
import type { Payload } from './contract.js';
import { memberOf, recordOf, textOf } from './fields.js';

const MEASURANDS: readonly Measurand[] = [
  'Current.Export',
  'Current.Import',
  'Current.Offered',
  'Energy.Active.Export.Register',
  'Energy.Active.Import.Register',
  'Energy.Reactive.Export.Register',
  'Energy.Reactive.Import.Register',
  'Energy.Active.Export.Interval',
  'Energy.Active.Import.Interval',
  'Energy.Active.Net',
  'Energy.Reactive.Export.Interval',
  'Energy.Reactive.Import.Interval',
  'Energy.Reactive.Net',
  'Energy.Apparent.Net',
  'Energy.Apparent.Import',
  'Energy.Apparent.Export',
  'Frequency',
  'Power.Active.Export',
  'Power.Active.Import',
  'Power.Factor',
  'Power.Offered',
  'Power.Reactive.Export',
  'Power.Reactive.Import',
  'SoC',
  'Voltage',
  'Temperature',
  'RPM',
];
const PHASES: readonly ReadingPhase[] = ['L1', 'L2', 'L3', 'N', 'L1-N', 'L2-N', 'L3-N', 'L1-L2', 'L2-L3', 'L3-L1'];
const LOCATIONS: readonly ReadingLocation[] = ['Body', 'Cable', 'EV', 'Inlet', 'Outlet'];
const CONTEXTS: readonly ReadingContext[] = [
  'Interruption.Begin',
  'Interruption.End',
  'Other',
  'Sample.Clock',
  'Sample.Periodic',
  'Transaction.Begin',
  'Transaction.End',
  'Trigger',
];

/** What nearly every value looks like. */
const PLAIN = /^-?\d{1,12}(\.\d{1,12})?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A measured number; a comma counts as the decimal point. Undefined for anything that is not a finite number. */
export const numberFrom = (value: unknown): number | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  if (PLAIN.test(value)) return Number(value);
  const written = value.trim().replace(/^([+-]?\d+),(\d+)$/, '$1.$2');
  if (!NUMBER.test(written)) return undefined;
  const number = Number(written);
  return Number.isFinite(number) ? number : undefined;
};

type Scale = readonly [base: string, factor: number, offset?: number];

/** Spellings met in the field, in lower case, with the base unit they stand for. */
const UNITS: Readonly<Record<string, Scale>> = {
  wh: ['Wh', 1],
  kwh: ['Wh', 1000],
  varh: ['varh', 1],
  kvarh: ['varh', 1000],
  vah: ['VAh', 1],
  kvah: ['VAh', 1000],
  w: ['W', 1],
  kw: ['W', 1000],
  va: ['VA', 1],
  kva: ['VA', 1000],
  var: ['var', 1],
  kvar: ['var', 1000],
  a: ['A', 1],
  v: ['V', 1],
  hz: ['Hz', 1],
  hertz: ['Hz', 1],
  percent: ['Percent', 1],
  '%': ['Percent', 1],
  celsius: ['Celsius', 1],
  celcius: ['Celsius', 1],
  k: ['Celsius', 1, -273.15],
  fahrenheit: ['Celsius', 5 / 9, -160 / 9],
};

const usualUnit = (measurand: Measurand): string | undefined => {
  if (measurand.startsWith('Energy.Active')) return 'Wh';
  if (measurand.startsWith('Power.Active') || measurand === 'Power.Offered') return 'W';
  if (measurand.startsWith('Current')) return 'A';
  if (measurand === 'Voltage') return 'V';
  if (measurand === 'Frequency') return 'Hz';
  return measurand === 'SoC' ? 'Percent' : undefined;
};

/** Cuts the dust that scaling leaves behind (11.04 kW is 11040 W, not 11039.999999999998). */
const scaledBy = (value: number, factor: number, offset: number): number =>
  factor === 1 && offset === 0 ? value : Number((value * factor + offset).toPrecision(15));

/**
 * A value in its base unit; the unit is left out where it is the measurand's usual one.
 * @param multiplier power of ten that 2.0.1 puts beside the unit
 */
const inBaseUnit = (
  value: number,
  measurand: Measurand,
  unit: string | undefined,
  multiplier = 0,
): { readonly value: number; readonly unit?: string } => {
  const scaled = scaledBy(value, 10 ** multiplier, 0);
  const written = unit?.trim();
  if (written === undefined || written === '') return { value: scaled };
  const [base, factor, offset = 0] = UNITS[written.toLowerCase()] ?? [written, 1];
  const inBase = scaledBy(scaled, factor, offset);
  return base === usualUnit(measurand) ? { value: inBase } : { value: inBase, unit: base };
};

interface Labels {
  readonly measurand?: Measurand;
  readonly phase?: ReadingPhase;
  readonly location?: ReadingLocation;
  readonly context?: ReadingContext;
}

/** Undefined where the measurand is none of OCPP's: such a value would pass for the energy register. */
const labelsOf = (sample: Payload): Labels | undefined => {
  const measurand = memberOf(sample['measurand'], MEASURANDS);
  if (measurand === undefined && sample['measurand'] !== undefined) return undefined;
  const phase = memberOf(sample['phase'], PHASES);
  const location = memberOf(sample['location'], LOCATIONS);
  const context = memberOf(sample['context'], CONTEXTS);
  const labels: { -readonly [Name in keyof Labels]: Labels[Name] } = {};
  if (measurand) labels.measurand = measurand;
  if (phase) labels.phase = phase;
  if (location) labels.location = location;
  if (context) labels.context = context;
  return labels;
};

const DEFAULT_MEASURAND: Measurand = 'Energy.Active.Import.Register';

/** Whether the value is the register by which a transaction is billed, of all phases together. */
export const isEnergyRegister = (sample: SampledValue): boolean =>
  (sample.measurand ?? DEFAULT_MEASURAND) === DEFAULT_MEASURAND &&
  sample.phase === undefined &&
  (sample.location ?? 'Outlet') === 'Outlet' &&
  sample.unit === undefined;

/** The 1.6 form: `value` is a string, and with format SignedData it is a blob. Undefined: not a value. */
export function sampledValue16(sample: Payload, registerBeside: number | undefined): SampledValue | undefined {
  const labels = labelsOf(sample);
  if (!labels) return undefined;
  const raw = sample['value'];
  if (sample['format'] === 'SignedData') {
    if (typeof raw !== 'string' || registerBeside === undefined) return undefined;
    const encodingMethod = raw.startsWith('OCMF|') ? 'OCMF' : '';
    return {
      ...labels,
      value: registerBeside,
      signed: { data: raw, signingMethod: '', encodingMethod, publicKey: '' },
    };
  }
  const number = numberFrom(raw);
  if (number === undefined) return undefined;
  return Object.assign(labels, inBaseUnit(number, labels.measurand ?? DEFAULT_MEASURAND, textOf(sample, 'unit')));
}

/** The 2.0.1 form: a number with unit and multiplier, and the signed value beside it. Undefined: not a value. */
export function sampledValue201(sample: Payload): SampledValue | undefined {
  const labels = labelsOf(sample);
  const number = numberFrom(sample['value']);
  if (!labels || number === undefined) return undefined;
  const unit = recordOf(sample, 'unitOfMeasure');
  const multiplier = numberFrom(unit?.['multiplier']) ?? 0;
  if (!Number.isInteger(multiplier) || Math.abs(multiplier) > 12) return undefined;
  const measured = inBaseUnit(number, labels.measurand ?? DEFAULT_MEASURAND, unit && textOf(unit, 'unit'), multiplier);
  const signed = recordOf(sample, 'signedMeterValue');
  const data = signed && textOf(signed, 'signedMeterData');
  if (!signed || data === undefined) return Object.assign(labels, measured);
  return Object.assign(labels, measured, {
    signed: {
      data,
      signingMethod: textOf(signed, 'signingMethod') ?? '',
      encodingMethod: textOf(signed, 'encodingMethod') ?? '',
      publicKey: textOf(signed, 'publicKey') ?? '',
    },
  });
}
