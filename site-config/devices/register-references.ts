// Every place in a device profile where it names one of its registers.
import type { WrittenProfile } from './written-profile.js';
import type { Path } from '../place.js';

/** One for all phases, or one for each. */
const setpoints = (
  setpoint: string | readonly string[],
): readonly (readonly [path: Path, name: string, how: 'write'])[] =>
  typeof setpoint === 'string'
    ? [[['control', 'setpoint'], setpoint, 'write']]
    : setpoint.map((name, i) => [['control', 'setpoint', i], name, 'write'] as const);

/** What has to be possible with a register. */
export type Use = 'read' | 'write' | 'either';

/** Each register that is named, where, and what has to be possible with it. */
export function references(profile: WrittenProfile): readonly (readonly [path: Path, name: string, how: Use])[] {
  const {
    detect,
    registers,
    states = [],
    control,
    watchdog,
    setup = [],
    reader,
    recovery = [],
    variants = [],
  } = profile;
  const phases = profile['phase-switching'];
  const writes = (path: Path, list: readonly { readonly register: string }[]) =>
    list.map(({ register }, i) => [[...path, i, 'register'], register, 'write'] as const);
  const reads = (path: Path, list: readonly { readonly register: string }[]) =>
    list.map(({ register }, i) => [[...path, i, 'register'], register, 'read'] as const);
  const ofWatchdog = (['remaining', 'timeout-read', 'fallback-current-read'] as const).flatMap((key) => {
    const name = watchdog?.[key];
    return name === undefined ? [] : [[['watchdog', key], name, 'read'] as const];
  });
  return [
    [['detect', 'register'], detect.register, 'read'],
    ...reads(['identify', 'also'], profile.identify?.also ?? []),
    ...Object.entries(registers).flatMap(([name, { factor }]) =>
      factor === undefined ? [] : [[['registers', name, 'factor'], factor, 'read'] as const],
    ),
    ...conditions('states', states),
    ...conditions('recovery', recovery),
    ...recovery.flatMap(({ write }, i) => writes(['recovery', i, 'write'], write)),
    ...conditions('variants', variants),
    ...variants.flatMap(({ scales }, i) =>
      Object.keys(scales).map((name) => [['variants', i, 'scales', name], name, 'either'] as const),
    ),
    ...(['token', 'counter', 'length'] as const).flatMap((key) => {
      const name = reader?.[key];
      return name === undefined ? [] : [[['reader', key], name, 'read'] as const];
    }),
    ...(control?.['device-max'] === undefined
      ? []
      : [[['control', 'device-max'], control['device-max'], 'read'] as const]),
    ...(control === undefined
      ? []
      : [
          ...setpoints(control.setpoint),
          ...writes(['control', 'before'], control.before ?? []),
          ...writes(['control', 'pause'], control.pause),
          ...writes(['control', 'resume'], control.resume ?? []),
          ...reads(['control', 'confirm-limit'], control['confirm-limit']),
          ...reads(['control', 'confirm-pause'], control['confirm-pause']),
        ]),
    ...ofWatchdog,
    ...written(['watchdog'], watchdog),
    ...(phases === undefined ? [] : [[['phase-switching', 'register'], phases.register, 'write'] as const]),
    ...writes(['setup'], setup),
    ...reads(['setup'], setup),
  ];
}

const conditions = (
  key: string,
  list: readonly { readonly when: Readonly<Record<string, unknown>> }[],
): readonly (readonly [path: Path, name: string, how: Use])[] =>
  list.flatMap(({ when }, i) => Object.keys(when).map((name) => [[key, i, 'when', name], name, 'read'] as const));

/** Registers of a watchdog that have to be there; those that are programmed may be read-only, where they are set in the device. */
function written(
  path: Path,
  watchdog: WrittenProfile['watchdog'],
): readonly (readonly [path: Path, name: string, how: Use])[] {
  if (watchdog === undefined) return [];
  const { kind, register, timeout, 'fallback-current': current, enable = [] } = watchdog;
  return [
    ...enable.map(({ register: name }, i) => [[...path, 'enable', i, 'register'], name, 'write'] as const),
    ...(register === undefined ? [] : [[[...path, 'register'], register, 'write'] as const]),
    ...(timeout === undefined
      ? []
      : [[[...path, 'timeout'], timeout, kind === 'rewrite-timeout' ? 'write' : 'either'] as const]),
    ...(current === undefined ? [] : [[[...path, 'fallback-current'], current, 'either'] as const]),
  ];
}
