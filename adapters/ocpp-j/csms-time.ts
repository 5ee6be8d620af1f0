// Reads the times that a CSMS sends.
import { type Timestamp, timestamp } from '../../gateway/kernel/units.js';

const WITHOUT_ZONE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

/** An RFC 3339 time; one without a zone, as some CSMSs send it, is taken as UTC. Undefined: not a time. */
export function parseTime(text: unknown): Timestamp | undefined {
  if (typeof text !== 'string') return undefined;
  const at = Date.parse(WITHOUT_ZONE.test(text) ? `${text}Z` : text);
  return Number.isNaN(at) ? undefined : timestamp(at);
}
