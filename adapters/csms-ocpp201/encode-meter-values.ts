// Canonical meter values -> OCPP 2.0.1: numbers with their unit, signed data in base64.
import type { OCPP20 } from 'typed-ocpp';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { Measurand, MeterValue, SampledValue, SignedValue } from '../../gateway/site/metering.js';

export type MeterValue201 = OCPP20.MeterValuesRequest['meterValue'][number];
type SampledValue201 = MeterValue201['sampledValue'][number];
type SignedMeterValue = NonNullable<SampledValue201['signedMeterValue']>;

/** Two measurands of 1.6 were dropped in 2.0.1. */
const known = (measurand: Measurand): measurand is Exclude<Measurand, 'Temperature' | 'RPM'> =>
  measurand !== 'Temperature' && measurand !== 'RPM';

/** The usual unit of a measurand; Wh is what an absent unit means. */
function unitOf(measurand: Measurand): string | undefined {
  if (measurand.startsWith('Energy.Reactive')) return 'varh';
  if (measurand.startsWith('Energy.Apparent')) return 'VAh';
  if (measurand.startsWith('Energy')) return undefined;
  if (measurand.startsWith('Power.Reactive')) return 'var';
  if (measurand.startsWith('Power.Active') || measurand === 'Power.Offered') return 'W';
  if (measurand.startsWith('Current')) return 'A';
  if (measurand === 'Voltage') return 'V';
  if (measurand === 'Frequency') return 'Hz';
  return measurand === 'SoC' ? 'Percent' : undefined;
}

const HEX = /^[0-9A-Fa-f]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The blob in base64. A charger of 2.0.1 names its signing method and has wrapped the blob already; one of 1.6 gives OCMF
 * text, hex or base64, and hex, which would pass for base64, is text.
 */
export function signedData(signed: SignedValue): string {
  const { data } = signed;
  const wrapped = BASE64.test(data) && (signed.signingMethod !== '' || !HEX.test(data));
  return wrapped ? data : Buffer.from(data, 'utf8').toString('base64');
}

/** Undefined where the blob is longer than 2.0.1 can carry: cut short it would prove nothing. */
function signedMeterValue(signed: SignedValue): SignedMeterValue | undefined {
  const signedMeterData = signedData(signed);
  if (signedMeterData.length > 2500 || signed.publicKey.length > 2500) return undefined;
  if (signed.signingMethod.length > 50 || signed.encodingMethod.length > 50) return undefined;
  return {
    signedMeterData,
    signingMethod: signed.signingMethod,
    encodingMethod: signed.encodingMethod,
    publicKey: signed.publicKey,
  };
}

function encodeSample(sample: SampledValue): SampledValue201[] {
  const measurand = sample.measurand ?? 'Energy.Active.Import.Register';
  if (!known(measurand) || !Number.isFinite(sample.value)) return [];
  const unit = sample.unit ?? unitOf(measurand);
  const signed = sample.signed && signedMeterValue(sample.signed);
  return [
    {
      value: sample.value,
      measurand,
      ...(sample.context !== undefined && { context: sample.context }),
      ...(sample.phase !== undefined && { phase: sample.phase }),
      ...(sample.location !== undefined && { location: sample.location }),
      ...(unit !== undefined && unit !== 'Wh' && { unitOfMeasure: { unit: unit.slice(0, 20) } }),
      ...(signed && { signedMeterValue: signed }),
    },
  ];
}

/** Values that 2.0.1 cannot say are left out, and moments of which nothing remains. */
export const encodeMeterValue = (values: readonly MeterValue[]): MeterValue201[] =>
  values
    .map(({ at, sampled }) => ({ timestamp: toRfc3339(at), sampledValue: sampled.flatMap(encodeSample) }))
    .filter(({ sampledValue }) => sampledValue.length > 0);

/** Undefined: nothing to say. EVSE 0 is the site's meter. */
export function encodeMeterValues(
  evseId: number,
  values: readonly MeterValue[],
): OCPP20.MeterValuesRequest | undefined {
  const meterValue = encodeMeterValue(values);
  return meterValue.length > 0 ? { evseId, meterValue } : undefined;
}
