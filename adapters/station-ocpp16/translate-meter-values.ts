// MeterValues of OCPP 1.6 in canonical form: text becomes numbers, k-units become base units, signed blobs stay as they came.
import type { Payload } from '../ocpp-j/contract.js';
import { momentOf, recordsOf } from '../ocpp-j/fields.js';
import { isEnergyRegister, sampledValue16 } from '../ocpp-j/sampled-value.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { MeterValue, SampledValue } from '../../gateway/site/metering.js';

/** The latest register of all phases in `sampled`, in Wh. */
export function registerIn(sampled: readonly SampledValue[]): number | undefined {
  return sampled.findLast((sample) => sample.signed === undefined && isEnergyRegister(sample))?.value;
}

/**
 * The values of one message; entries without a single usable value are left out.
 * @param register last known register in Wh: a signed reading, which is a blob, gets it or the register beside it as its number
 * @param now stands in for a timestamp that cannot be read
 */
export function meterValuesOf(
  payload: Payload,
  field: 'meterValue' | 'transactionData',
  register: number | undefined,
  now: Timestamp,
): readonly MeterValue[] {
  let known = register;
  const values: MeterValue[] = [];
  for (const entry of recordsOf(payload, field)) {
    const samples = recordsOf(entry, 'sampledValue');
    let sampled = samples.flatMap((sample) => sampledValue16(sample, undefined) ?? []);
    known = registerIn(sampled) ?? known;
    // Signed readings are read last: their number is the register that stands beside them.
    if (sampled.length < samples.length) sampled = samples.flatMap((sample) => sampledValue16(sample, known) ?? []);
    if (sampled.length > 0) values.push({ at: momentOf(entry, 'timestamp') ?? now, sampled });
  }
  return values;
}

/** The register by which a transaction begins or ends, as meterStart and meterStop tell it. */
export const registerReading = (
  at: Timestamp,
  register: number,
  context: 'Transaction.Begin' | 'Transaction.End',
): MeterValue => ({ at, sampled: [{ value: register, measurand: 'Energy.Active.Import.Register', context }] });
