// The table of repairs: what real chargers send against the schema, and what they mean by it.
import { mendTime } from './date-time.js';
import { decimal } from './decimal.js';
import type { Violation } from './validation.js';

type Members = Record<string, unknown>;

/** The offending value and its surroundings. */
export interface Defect {
  readonly violation: Violation;
  readonly root: unknown;
  /** Keys from the payload to the value. */
  readonly path: readonly string[];
  readonly key: string;
  readonly value: unknown;
  /** Puts something else in the value's place. */
  readonly replace: (value: unknown) => void;
  /** Takes the value out of its object or array. */
  readonly remove: () => void;
}

export interface Repair {
  readonly name: string;
  readonly keyword: string;
  /** @returns whether something was changed */
  readonly apply: (defect: Defect) => boolean;
}

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Texts for people, where a cut does no harm. Identities, tokens and signed data are never cut. */
const descriptive = new Set(
  (
    'chargePointVendor chargePointModel chargePointSerialNumber chargeBoxSerialNumber firmwareVersion iccid imsi meterType ' +
    'meterSerialNumber info vendorErrorCode vendorName model serialNumber techInfo additionalInfo reasonCode unit techCode'
  ).split(' '),
);

/** Spellings of units, in lower case without blanks, and the name that the schema of 1.6 knows. */
const units: Readonly<Record<string, string>> = {
  '%': 'Percent',
  percentage: 'Percent',
  c: 'Celsius',
  '°c': 'Celsius',
  degc: 'Celsius',
  amp: 'A',
  amps: 'A',
  ampere: 'A',
  volt: 'V',
  volts: 'V',
  watt: 'W',
  watts: 'W',
};

const removing = (defect: Defect): true => {
  defect.remove();
  return true;
};

const replacing = (defect: Defect, value: unknown): true => {
  defect.replace(value);
  return true;
};

/** A time that no charger can mean: whoever takes the message in puts the moment of its arrival in its place. */
const UNKNOWN_TIME = '1970-01-01T00:00:00.000Z';

/** A register that no meter shows: whoever takes the message in takes it for not told. */
const UNKNOWN_REGISTER = -1;

/** What stands for a required member that a charger leaves out and that can be known without it. */
const understood: Readonly<Record<string, unknown>> = {
  timestamp: UNKNOWN_TIME,
  errorCode: 'NoError',
  meterStart: UNKNOWN_REGISTER,
  meterStop: UNKNOWN_REGISTER,
  chargePointVendor: 'unknown',
  chargePointModel: 'unknown',
};

/** Removes the sampled value around the defect: with another unit, phase or measurand it would mean something else. */
function dropSample({ root, path }: Defect): boolean {
  const at = path.lastIndexOf('sampledValue');
  const list = at === -1 ? undefined : valueAt(root, path.slice(0, at + 1));
  const index = Number(path[at + 1]);
  if (!Array.isArray(list) || !Number.isInteger(index)) return false;
  list.splice(index, 1);
  return true;
}

const sampleAround = ({ root, path }: Defect): unknown => valueAt(root, path.slice(0, -1));

const wholeEnough = new Set(['meterStart', 'meterStop']);

/** Order matters: the first rule that changes something wins, then the payload is validated again. */
export const repairs: readonly Repair[] = [
  {
    name: 'null member',
    keyword: 'type',
    apply: (defect) => defect.value === null && defect.path.length > 0 && removing(defect),
  },
  { name: 'null member', keyword: 'enum', apply: (defect) => defect.value === null && removing(defect) },
  {
    name: 'object instead of array',
    keyword: 'type',
    apply: (defect) =>
      defect.violation.params['type'] === 'array' && isMembers(defect.value) && replacing(defect, [defect.value]),
  },
  {
    name: 'number as text',
    keyword: 'type',
    apply: (defect) => {
      const { type } = defect.violation.params;
      if ((type !== 'number' && type !== 'integer') || typeof defect.value !== 'string') return false;
      const value = decimal(defect.value);
      return value !== undefined && replacing(defect, value);
    },
  },
  {
    name: 'fraction of a watt hour',
    keyword: 'type',
    apply: (defect) =>
      wholeEnough.has(defect.key) && typeof defect.value === 'number' && replacing(defect, Math.round(defect.value)),
  },
  {
    name: 'text as number',
    keyword: 'type',
    apply: (defect) =>
      defect.violation.params['type'] === 'string' &&
      (typeof defect.value === 'number' || typeof defect.value === 'boolean') &&
      replacing(defect, String(defect.value)),
  },
  {
    name: 'boolean as text',
    keyword: 'type',
    apply: (defect) =>
      defect.violation.params['type'] === 'boolean' &&
      typeof defect.value === 'string' &&
      /^(true|false)$/i.test(defect.value) &&
      replacing(defect, defect.value.toLowerCase() === 'true'),
  },
  {
    name: 'letter case of a constant',
    keyword: 'enum',
    apply: (defect) => {
      const { value } = defect;
      const allowed = defect.violation.params['allowedValues'];
      if (typeof value !== 'string' || !Array.isArray(allowed)) return false;
      const wanted = value.trim().toLowerCase();
      const match: unknown = allowed.find((item) => typeof item === 'string' && item.toLowerCase() === wanted);
      return match !== undefined && replacing(defect, match);
    },
  },
  {
    name: 'unknown error code',
    keyword: 'enum',
    apply: (defect) => {
      if (defect.key !== 'errorCode' || typeof defect.value !== 'string') return false;
      if (isMembers(defect.root)) defect.root['vendorErrorCode'] ??= defect.value.slice(0, 50);
      return replacing(defect, 'OtherError');
    },
  },
  {
    name: 'unknown stop reason',
    keyword: 'enum',
    apply: (defect) => (defect.key === 'reason' || defect.key === 'stoppedReason') && replacing(defect, 'Other'),
  },
  {
    // Neutral to every CSMS: the event itself says what has changed.
    name: 'unknown trigger of an event',
    keyword: 'enum',
    apply: (defect) => defect.key === 'triggerReason' && replacing(defect, 'ChargingStateChanged'),
  },
  {
    name: 'unknown charging state',
    keyword: 'enum',
    apply: (defect) => defect.key === 'chargingState' && removing(defect),
  },
  {
    name: 'unknown context of a value',
    keyword: 'enum',
    apply: (defect) => defect.key === 'context' && replacing(defect, 'Other'),
  },
  {
    name: 'unit of frequency',
    keyword: 'enum',
    apply: (defect) => {
      const sample = sampleAround(defect);
      const ofFrequency = isMembers(sample) && sample['measurand'] === 'Frequency';
      return defect.key === 'unit' && ofFrequency && removing(defect);
    },
  },
  {
    name: 'spelling of a unit',
    keyword: 'enum',
    apply: (defect) => {
      if (defect.key !== 'unit' || typeof defect.value !== 'string') return false;
      const unit = units[defect.value.replaceAll(' ', '').toLowerCase()];
      return unit !== undefined && replacing(defect, unit);
    },
  },
  {
    name: 'unknown unit, phase or measurand: value left out',
    keyword: 'enum',
    apply: (defect) => ['unit', 'phase', 'measurand'].includes(defect.key) && dropSample(defect),
  },
  {
    name: 'unknown location or format of a value',
    keyword: 'enum',
    apply: (defect) => defect.key === 'location' && removing(defect),
  },
  {
    name: 'form of a time',
    keyword: 'format',
    apply: (defect) => {
      const time = typeof defect.value === 'string' ? mendTime(defect.value) : undefined;
      if (time !== undefined) return replacing(defect, time);
      if (defect.key === 'timestamp') return replacing(defect, UNKNOWN_TIME);
      return defect.value === '' && removing(defect);
    },
  },
  {
    name: 'text too long',
    keyword: 'maxLength',
    apply: (defect) => {
      const { limit } = defect.violation.params;
      if (!descriptive.has(defect.key) || typeof defect.value !== 'string' || typeof limit !== 'number') return false;
      return replacing(defect, Array.from(defect.value).slice(0, limit).join(''));
    },
  },
  {
    name: 'member that the schema does not have',
    keyword: 'additionalProperties',
    apply: ({ value, violation }) => {
      const name = violation.params['additionalProperty'];
      return isMembers(value) && typeof name === 'string' && delete value[name];
    },
  },
  {
    name: 'member left out that is understood',
    keyword: 'required',
    apply: ({ value, violation }) => {
      const name = violation.params['missingProperty'];
      if (!isMembers(value) || typeof name !== 'string' || !Object.hasOwn(understood, name)) return false;
      value[name] = understood[name];
      return true;
    },
  },
  {
    name: 'empty list of values',
    keyword: 'minItems',
    apply: (defect) => {
      if (defect.key === 'meterValue') return defect.path.length > 0 && removing(defect);
      if (defect.key !== 'sampledValue') return false;
      const list = valueAt(defect.root, defect.path.slice(0, -2));
      if (!Array.isArray(list)) return false;
      list.splice(Number(defect.path.at(-2)), 1);
      return true;
    },
  },
];

/** What stands at a path below `root`, looking only at own members. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isMembers(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}
