// MeterValueType lists of OCPP 2.0.1 in canonical form.
import type { Payload } from '../ocpp-j/contract.js';
import { momentOf, recordsOf } from '../ocpp-j/fields.js';
import { sampledValue201 } from '../ocpp-j/sampled-value.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { MeterValue } from '../../gateway/site/metering.js';

/** @param now stands in for a timestamp that cannot be read; entries without a usable value are left out */
export const meterValuesOf = (payload: Payload, now: Timestamp): readonly MeterValue[] =>
  recordsOf(payload, 'meterValue').flatMap((entry) => {
    const sampled = recordsOf(entry, 'sampledValue').flatMap((sample) => sampledValue201(sample) ?? []);
    return sampled.length > 0 ? [{ at: momentOf(entry, 'timestamp') ?? now, sampled }] : [];
  });
