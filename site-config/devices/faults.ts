// What a schema cannot see in a device profile: registers that must exist, and settings that must agree.
import { wordsOf } from '../../adapters/modbus/register-value.js';
import { references } from './register-references.js';
import type { WrittenExpectation, WrittenProfile } from './written-profile.js';
import { errorAtKey, errorAtValue, type Fault } from '../fault.js';
import type { Path } from '../place.js';
import { parseQuantity } from '../quantity.js';
import { didYouMean } from '../suggestion.js';

/** Every disagreement inside a profile that its schema has found good. */
export const deviceFaults = (profile: WrittenProfile): readonly Fault[] => [
  ...kindFaults(profile),
  ...measuringFaults(profile),
  ...detectionFaults(profile),
  ...registerFaults(profile),
  ...functionFaults(profile),
  ...referenceFaults(profile),
  ...rangeFaults(profile),
  ...forbiddenFaults(profile),
];

const OF_CHARGERS = ['states', 'control', 'watchdog'] as const;
const OF_CHARGERS_ONLY = [...OF_CHARGERS, 'phase-switching', 'reader', 'recovery'] as const;
const OF_METERS = ['current-sign', 'phases'] as const;

function kindFaults(profile: WrittenProfile): readonly Fault[] {
  const { kind } = profile;
  const missing = kind === 'charger' ? OF_CHARGERS.filter((key) => profile[key] === undefined) : [];
  const foreign = (kind === 'charger' ? OF_METERS : OF_CHARGERS_ONLY).filter((key) => profile[key] !== undefined);
  return [
    ...missing.map((key) => errorAtKey('missing-key', [], `the charger has no ${key}`, `write ${key}: and what it is`)),
    ...foreign.map((key) =>
      errorAtKey('unknown-key', [key], `${key} is not something that a ${kind} has`, 'leave it out'),
    ),
  ];
}

/** A meter that does not tell the current of a phase gives no reading at all. */
function measuringFaults({ kind, registers, phases, addressing }: WrittenProfile): readonly Fault[] {
  if (kind !== 'meter') return [];
  if (phases !== undefined && addressing?.sunspec !== undefined)
    return [
      errorAtKey('unknown-key', ['phases'], 'a SunSpec meter measures the phases of its model', 'leave phases out'),
    ];
  const most = Math.max(phases ?? 3, ...(addressing?.sunspec?.models ?? []).map((model) => model.phases));
  return ['Current.Import.L1', 'Current.Import.L2', 'Current.Import.L3']
    .slice(0, addressing?.sunspec === undefined ? (phases ?? 3) : most)
    .filter((name) => registers[name]?.read === undefined)
    .map((name) =>
      errorAtKey(
        'missing-key',
        ['registers'],
        `the meter does not tell ${name}`,
        phases === undefined ? 'add it, or write how many phases it measures, such as phases: 1' : 'add it',
      ),
    );
}

function detectionFaults({ detect, identify }: WrittenProfile): readonly Fault[] {
  return [
    ...expectationFaults(['detect'], detect),
    ...(identify?.also ?? []).flatMap((each, i) => expectationFaults(['identify', 'also', i], each)),
    ...(['vendor', 'product'] as const).flatMap((key) => expressionFaults(['identify', key], identify?.[key])),
  ];
}

function expectationFaults(path: Path, { matches, values, from, to }: WrittenExpectation): readonly Fault[] {
  const ways = [matches, values, from ?? to].filter((way) => way !== undefined);
  const message = `${path[0] ?? ''} has none or several of matches, values and from/to`;
  return [
    ...(ways.length === 1 ? [] : [errorAtKey('missing-key', path, message, 'write one of them')]),
    ...expressionFaults([...path, 'matches'], matches),
  ];
}

function expressionFaults(path: Path, expression: string | undefined): readonly Fault[] {
  try {
    if (expression !== undefined) new RegExp(expression);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [errorAtValue('bad-form', path, `${expression} is not a regular expression`, 'write for example ^Alfen')];
  }
}

function registerFaults({ registers, control }: WrittenProfile): readonly Fault[] {
  const taken = new Map<string, string>();
  return Object.entries(registers).flatMap(([name, register]) => {
    const path = ['registers', name];
    const faults: Fault[] = [];
    if (register.read === undefined && register.write === undefined)
      faults.push(
        errorAtKey(
          'missing-key',
          path,
          `${name} can be neither read nor written`,
          'write read: 3, read: 4 or write: 6',
        ),
      );
    if ((register.type === 'string') !== (register.words !== undefined))
      faults.push(
        errorAtKey(
          'missing-key',
          path,
          `words is for strings, and every string has it`,
          'write words: or leave it out',
        ),
      );
    if (register.type !== 'string' && register.write === 6 && wordsOf(register) > 1)
      faults.push(
        errorAtValue(
          'out-of-range',
          [...path, 'write'],
          `function 6 writes one register, and ${name} has more`,
          'write 16',
        ),
      );
    for (let i = 0; register.read !== undefined && i < wordsOf(register); i++) {
      const key = `${register.of ?? ''} ${register.read} ${register.at + i}`;
      const other = taken.get(key);
      // Fields of one register share it.
      if (other !== undefined && other !== name && register.mask === undefined)
        faults.push(
          errorAtValue(
            'duplicate-key',
            [...path, 'at'],
            `${name} stands on register ${register.at + i} of ${other}`,
            'look both addresses up in the manual',
          ),
        );
      taken.set(key, name);
    }
    if (
      register.wears === true &&
      [...(control?.pause ?? []), ...(control?.resume ?? [])].some((write) => write.register === name)
    )
      faults.push(
        errorAtKey('bad-form', [...path, 'wears'], `${name} wears the memory and is written with every pause`),
      );
    return faults;
  });
}

/** Coils have functions of their own, and a block has to hold what is read with it. */
function functionFaults({ registers }: WrittenProfile): readonly Fault[] {
  return Object.entries(registers).flatMap(([name, { at, type, read, write, block, ...register }]) => {
    const isBit = type === 'bit';
    const faults: Fault[] = [];
    if (read !== undefined && isBit !== read <= 2)
      faults.push(wrongFunction(name, 'read', isBit ? '1 (coil) or 2 (discrete input)' : '3 or 4'));
    if (write !== undefined && isBit !== (write === 5))
      faults.push(wrongFunction(name, 'write', isBit ? '5' : '6 or 16'));
    const end = at + wordsOf({ type, ...register });
    if (block !== undefined && (at < block.at || end > block.at + block.words))
      faults.push(
        errorAtKey(
          'out-of-range',
          ['registers', name, 'block'],
          `${name} is not in its block`,
          'write the block that it is read with',
        ),
      );
    return faults;
  });
}

const wrongFunction = (name: string, how: 'read' | 'write', instead: string): Fault =>
  errorAtValue(
    'out-of-range',
    ['registers', name, how],
    `${name} cannot be ${how === 'read' ? 'read' : 'written'} with this function`,
    `write ${instead}`,
  );

const referenceFaults = (profile: WrittenProfile): readonly Fault[] =>
  references(profile).flatMap(([path, name, how]) => {
    const register = Object.hasOwn(profile.registers, name) ? profile.registers[name] : undefined;
    const usable = how === 'either' ? register : register?.[how];
    if (usable !== undefined) return [];
    return [
      errorAtValue(
        'unknown-register',
        path,
        register === undefined
          ? `there is no register ${name}`
          : `${name} cannot be ${how === 'write' ? 'written' : 'read'}, and here it has to be`,
        register === undefined
          ? didYouMean(name, Object.keys(profile.registers), 'add it under registers')
          : `write ${how}: and the function code`,
      ),
    ];
  });

/** What each kind of watchdog needs besides `kind`. */
const NEEDED = {
  none: ['note'],
  'any-traffic': ['refresh', 'valid'],
  'rewrite-setpoint': ['refresh', 'valid'],
  'rewrite-timeout': ['refresh', 'valid', 'timeout'],
  'write-token': ['refresh', 'valid', 'register', 'token'],
} as const;

function rangeFaults({ control, watchdog }: WrittenProfile): readonly Fault[] {
  const faults: Fault[] = [];
  const number = (text: string, dimension: 'current' | 'time'): number => {
    const quantity = parseQuantity(text, dimension);
    return quantity.ok ? quantity.value : NaN;
  };
  if (control !== undefined && number(control.min, 'current') > number(control.max, 'current'))
    faults.push(errorAtValue('current-order', ['control', 'min'], `min is above max, ${control.max}`, 'write less'));
  if (watchdog === undefined) return faults;
  const mayLack = watchdog['falls-to'] === 'unknown' && watchdog.timeout === undefined;
  for (const key of NEEDED[watchdog.kind])
    if (watchdog[key] === undefined && !(key === 'valid' && mayLack))
      faults.push(
        errorAtKey('missing-key', ['watchdog'], `a watchdog of kind ${watchdog.kind} has ${key}`, `write ${key}:`),
      );
  const { refresh, valid } = watchdog;
  if (refresh !== undefined && valid !== undefined && number(refresh, 'time') * 2 > number(valid, 'time'))
    faults.push(
      errorAtValue(
        'out-of-range',
        ['watchdog', 'refresh'],
        'one lost write and the device falls back',
        `write at most half of ${valid}`,
      ),
    );
  return faults;
}

/** What a driver would write although the profile itself says that it must never be written. */
function forbiddenFaults({
  registers,
  control,
  setup = [],
  watchdog,
  recovery = [],
  'phase-switching': phases,
}: WrittenProfile): readonly Fault[] {
  const lists = [
    [['control', 'pause'], control?.pause ?? []],
    [['control', 'before'], control?.before ?? []],
    [['control', 'resume'], control?.resume ?? []],
    [['setup'], setup],
    [['watchdog', 'enable'], watchdog?.enable ?? []],
    ...recovery.map(({ write }, i) => [['recovery', i, 'write'], write] as const),
  ] as const;
  const written = lists.flatMap(([path, writes]) =>
    writes.map(({ register, value }, i) => ({ path: [...path, i, 'value'], register, value })),
  );
  const switched =
    phases === undefined
      ? []
      : (['one', 'three'] as const).map((key) => ({
          path: ['phase-switching', key],
          register: phases.register,
          value: phases[key],
        }));
  return [...written, ...switched].flatMap(({ path, register, value }) =>
    Object.hasOwn(registers, register) && registers[register]?.never?.includes(value) === true
      ? [
          errorAtValue(
            'out-of-range',
            path,
            `${register} must never be ${value}, says its register`,
            'write another value',
          ),
        ]
      : [],
  );
}
