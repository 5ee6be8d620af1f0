// A device profile in, as written in YAML, the description that the drivers read out, or every fault with its place.
import type { Condition, Confirmation, Match, Watchdog } from '../../adapters/modbus/charger-behaviour.js';
import type {
  Addressing,
  ChargerProfile,
  DeviceProfile,
  Expectation,
  Identification,
  IoPolicy,
  Register,
  UnitRule,
} from '../../adapters/modbus/device-profile.js';
import type { SerialLine } from '../../gateway/site/topology.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { deviceFaults } from './faults.js';
import { deviceForm } from '../device-form.js';
import { readDocument } from '../document.js';
import { placed, textFindings } from '../document-findings.js';
import { inFileOrder, type Finding } from '../finding.js';
import { parseQuantity, type Dimension } from '../quantity.js';
import { schemaFaults } from '../schema-faults.js';
import type {
  WrittenCondition,
  WrittenConfirmation,
  WrittenExpectation,
  WrittenMatch,
  WrittenProfile,
  WrittenRegister,
} from './written-profile.js';

/**
 * @param id the name that site.yaml calls it by
 * @param path names the file in findings
 */
export function readProfile(id: string, text: string, path: string): Result<DeviceProfile, readonly Finding[]> {
  const document = readDocument(text);
  const inText = textFindings(path, document);
  if (inText.length > 0) return failed(inFileOrder(inText));
  const inForm = schemaFaults(deviceForm, document.typed);
  const written = document.typed as WrittenProfile;
  const faults = inForm.length > 0 ? inForm : deviceFaults(written);
  if (faults.length === 0) return ok(toProfile(id, written));
  return failed(inFileOrder(placed(path, document, faults)));
}

function toProfile(id: string, written: WrittenProfile): DeviceProfile {
  const basics = {
    id,
    vendor: written.vendor,
    model: written.model,
    transports: written.transports,
    ...(written.port !== undefined && { port: written.port }),
    ...(written.serial !== undefined && { serial: serialLine(written.serial) }),
    unit: unitRule(written.unit),
    byteOrder: written['byte-order'] ?? 'big',
    wordOrder: written['word-order'] ?? 'big',
    addressing: addressing(written.addressing),
    io: ioPolicy(written.bus ?? {}),
    detection: { ...expectation(written.detect), basis: written.detect.basis },
    identification: identification(written.identify ?? {}),
    registers: Object.fromEntries(
      Object.entries(written.registers).map(([name, register]) => [name, toRegister(register)]),
    ),
    variants: (written.variants ?? []).map((variant) => ({ ...variant, when: condition(variant.when) })),
    unverified: written.unverified ?? [],
    setup: written.setup ?? [],
    quirks: written.notes ?? [],
    sources: written.sources,
  } as const;
  if (written.kind === 'meter')
    return {
      ...basics,
      kind: 'meter',
      currentSign: written['current-sign'] ?? 'by-power',
      phases: written.phases ?? 3,
    };
  const { states = [], control, watchdog, 'phase-switching': phases, reader, recovery = [] } = written;
  // Asked for by deviceFaults.
  if (control === undefined || watchdog === undefined) throw new Error(`${id} has no control or no watchdog`);
  return {
    ...basics,
    kind: 'charger',
    states: states.map(({ when, is }) => ({ when: condition(when), is })),
    control: toControl(control),
    watchdog: toWatchdog(watchdog),
    ...(phases !== undefined && { phases }),
    ...(reader !== undefined && { reader }),
    recovery: recovery.map(({ when, write }) => ({ when: condition(when), write })),
  };
}

const condition = (written: WrittenCondition): Condition =>
  Object.fromEntries(Object.entries(written).map(([name, match]) => [name, toMatch(match)]));

function unitRule({ number, only, 'per-evse': perEvse, station }: WrittenProfile['unit']): UnitRule {
  return perEvse === true
    ? { kind: 'per-evse', unit: number, station: station ?? number }
    : { kind: 'fixed', unit: number, ...(only === true && { only }) };
}

function addressing({ first = 0, stride, sunspec }: NonNullable<WrittenProfile['addressing']> = {}): Addressing {
  if (stride !== undefined) return { kind: 'stride', first, stride };
  return sunspec === undefined ? { kind: 'absolute' } : { kind: 'sunspec', ...sunspec };
}

function ioPolicy(bus: NonNullable<WrittenProfile['bus']>): IoPolicy {
  const whole = (key: string): number | undefined => (typeof bus[key] === 'number' ? bus[key] : undefined);
  const ms = (key: string): number | undefined => {
    const value = bus[key];
    return typeof value === 'string' ? base(value, 'time') : undefined;
  };
  const idle = ms('idle-close');
  return defined({
    timeoutMs: ms('timeout'),
    maxRegistersPerRead: whole('max-registers'),
    exactReads: bus['exact-reads'] === true ? true : undefined,
    requestDelayMs: ms('request-delay'),
    minReadIntervalMs: ms('read-interval'),
    minWriteIntervalMs: ms('write-interval'),
    settleAfterWriteMs: ms('settle-after-write'),
    attempts: whole('attempts'),
    idleCloseSeconds: idle === undefined ? undefined : idle / 1000,
    maxConnections: whole('max-connections'),
  });
}

const serialLine = (line: NonNullable<WrittenProfile['serial']>): SerialLine => ({
  baudRate: line['baud-rate'],
  parity: line.parity ?? 'none',
  stopBits: line['stop-bits'] ?? 1,
});

function expectation({ register, matches, values, from, to }: WrittenExpectation): Expectation {
  return { register, expect: matches ?? values ?? { from: from ?? -Infinity, to: to ?? Infinity } };
}

function identification(written: NonNullable<WrittenProfile['identify']>): Identification {
  const { vendor, product, also = [], 'never-read': neverRead = [], 'never-probe': neverProbe } = written;
  return { ...defined({ vendor, product, neverProbe }), also: also.map(expectation), neverRead };
}

function toRegister(written: WrittenRegister): Register {
  const { at, 'word-order': wordOrder, 'byte-order': byteOrder, wears, optional, ...rest } = written;
  return {
    ...rest,
    address: at,
    ...(wordOrder !== undefined && { wordOrder }),
    ...(byteOrder !== undefined && { byteOrder }),
    ...(wears === true && { wears }),
    ...(optional === true && { optional }),
  };
}

function toMatch(written: WrittenMatch): Match {
  if (typeof written !== 'object') return written;
  const { 'bits-set': bitsSet, 'bits-clear': bitsClear, 'one-of': oneOf, from = -Infinity, to = Infinity } = written;
  if (bitsSet !== undefined) return { bitsSet };
  if (bitsClear !== undefined) return { bitsClear };
  return oneOf === undefined ? { from, to } : { oneOf };
}

function toControl(written: NonNullable<WrittenProfile['control']>): ChargerProfile['control'] {
  const { setpoint, step, min, max, pause, interval, 'device-max': deviceMax, before = [], resume = [] } = written;
  const [first = '', ...others] = typeof setpoint === 'string' ? [setpoint] : setpoint;
  const confirmation = ({ register, rule, value, slack }: WrittenConfirmation): Confirmation => ({
    register,
    rule,
    ...(value !== undefined && { value }),
    ...(slack !== undefined && { slack: base(slack, 'current') }),
  });
  return {
    setpoint: first,
    alsoSet: others,
    before,
    step: base(step, 'current'),
    min: base(min, 'current'),
    max: base(max, 'current'),
    ...(deviceMax !== undefined && { deviceMax }),
    ...(interval !== undefined && { intervalMs: base(interval, 'time') }),
    pause,
    resume,
    confirmLimit: written['confirm-limit'].map(confirmation),
    confirmPause: written['confirm-pause'].map(confirmation),
  };
}

function toWatchdog(written: NonNullable<WrittenProfile['watchdog']>): Watchdog {
  const { kind, note = '', refresh = '0 s', valid, remaining, timeout, register = '', token = 0 } = written;
  if (kind === 'none') return { kind, note };
  const falling = {
    refreshSeconds: base(refresh, 'time') / 1000,
    seconds: valid === undefined ? Infinity : base(valid, 'time') / 1000,
    enable: written.enable ?? [],
    fallsTo: written['falls-to'] ?? 'fallback-current',
    ...defined({
      timeout,
      timeoutReadBack: written['timeout-read'],
      fallbackCurrent: written['fallback-current'],
      fallbackCurrentReadBack: written['fallback-current-read'],
    }),
  };
  switch (kind) {
    case 'any-traffic':
      return { ...falling, kind };
    case 'rewrite-setpoint':
      return { ...falling, kind, ...(remaining !== undefined && { remaining }) };
    case 'rewrite-timeout':
      return { ...falling, kind, timeout: timeout ?? '' };
    case 'write-token':
      return { ...falling, kind, register, token };
  }
}

/** In the base unit; the schema has seen that it is one. */
function base(text: string, dimension: Dimension): number {
  const quantity = parseQuantity(text, dimension);
  if (!quantity.ok) throw new Error(`${text} is not a ${dimension}`);
  return quantity.value;
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
