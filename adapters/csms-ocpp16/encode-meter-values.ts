// Canonical meter values -> OCPP 1.6: text values, the closed list of units, signed data as its own sample.
import type { OCPP16 } from 'typed-ocpp';
import type { Slot } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { Measurand, MeterValue, SampledValue } from '../../gateway/site/metering.js';

type MeterValue16 = OCPP16.MeterValuesRequest['meterValue'][number];
type SampledValue16 = MeterValue16['sampledValue'][number];
type Measurand16 = NonNullable<SampledValue16['measurand']>;
type Unit = NonNullable<SampledValue16['unit']>;

/** Measurands that 1.6 has, each with its unit; frequency is in hertz, which its list of units lacks (errata 3.84). */
const UNITS: Readonly<Record<Measurand16, Unit | undefined>> = {
  'Current.Export': 'A',
  'Current.Import': 'A',
  'Current.Offered': 'A',
  'Energy.Active.Export.Register': 'Wh',
  'Energy.Active.Import.Register': 'Wh',
  'Energy.Reactive.Export.Register': 'varh',
  'Energy.Reactive.Import.Register': 'varh',
  'Energy.Active.Export.Interval': 'Wh',
  'Energy.Active.Import.Interval': 'Wh',
  'Energy.Reactive.Export.Interval': 'varh',
  'Energy.Reactive.Import.Interval': 'varh',
  Frequency: undefined,
  'Power.Active.Export': 'W',
  'Power.Active.Import': 'W',
  'Power.Factor': undefined,
  'Power.Offered': 'W',
  'Power.Reactive.Export': 'var',
  'Power.Reactive.Import': 'var',
  RPM: undefined,
  SoC: 'Percent',
  Temperature: 'Celsius',
  Voltage: 'V',
};

const known = (measurand: Measurand): measurand is Measurand16 => Object.hasOwn(UNITS, measurand);

/** Decimal notation with at most six places; JavaScript's own turns small numbers into 1e-7. */
const decimal = (value: number): string => {
  const fixed = value.toFixed(6);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
};

/** The blob as the charger made it: OCMF that a 2.0.1 charger has wrapped in base64 is unwrapped. */
function signedText(data: string): string {
  const text = Buffer.from(data, 'base64').toString('utf8');
  return text.startsWith('OCMF|') ? text : data;
}

function encodeSample(sample: SampledValue): SampledValue16[] {
  const measurand = sample.measurand ?? 'Energy.Active.Import.Register';
  if (!known(measurand)) return [];
  const unit = UNITS[measurand];
  const common = {
    context: sample.context ?? 'Sample.Periodic',
    measurand,
    ...(sample.phase !== undefined && { phase: sample.phase }),
    ...(sample.location !== undefined && { location: sample.location }),
    ...(unit !== undefined && { unit }),
  } as const;
  const raw: SampledValue16[] = Number.isFinite(sample.value) ? [{ value: decimal(sample.value), ...common }] : [];
  return sample.signed ? [...raw, { value: signedText(sample.signed.data), format: 'SignedData', ...common }] : raw;
}

/** Values that 1.6 cannot say are left out, and moments of which nothing remains. */
export const encodeMeterValue = (values: readonly MeterValue[]): MeterValue16[] =>
  values
    .map(({ at, sampled }) => ({ timestamp: toRfc3339(at), sampledValue: sampled.flatMap(encodeSample) }))
    .filter(({ sampledValue }) => sampledValue.length > 0);

/** Undefined: nothing to say. Without a slot: the site's meter, connector 0. */
export function encodeMeterValues(
  slot: Slot | undefined,
  values: readonly MeterValue[],
  transactionId?: number,
): OCPP16.MeterValuesRequest | undefined {
  const meterValue = encodeMeterValue(values);
  if (meterValue.length === 0) return undefined;
  return { connectorId: slot?.flat ?? 0, ...(transactionId !== undefined && { transactionId }), meterValue };
}
