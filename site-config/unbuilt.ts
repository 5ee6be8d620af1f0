// What a site may say already though nothing acts on it yet.
import { warningAtKey, warningAtValue, type Fault } from './fault.js';
import { inWords, type Path } from './place.js';
import { isSection, type Section } from './written.js';

interface Unbuilt {
  /** `*` stands for every name. */
  readonly path: readonly string[];
  readonly when: (written: unknown) => boolean;
  readonly at: 'key' | 'value';
}

const written = (value: unknown): boolean => value !== undefined;
const is =
  (word: string) =>
  (value: unknown): boolean =>
    value === word;

const UNBUILT: readonly Unbuilt[] = [
  { path: ['uplink'], when: written, at: 'key' },
  { path: ['telemetry', 'broker', 'sparkplug'], when: is('true'), at: 'key' },
  { path: ['telemetry', 'local-broker', 'home-assistant'], when: is('true'), at: 'key' },
  { path: ['csms', '*', 'present'], when: is('stations'), at: 'value' },
];

/** Accepted so that a site can be written once and completely; whoever relies on it must know. */
export function notBuilt(site: Section): readonly Fault[] {
  return UNBUILT.flatMap(({ path, when, at }) =>
    matches(site, path)
      .filter(({ value }) => when(value))
      .map(({ path: found, value }) => {
        const what = `${inWords(found, site)}${at === 'value' ? `: ${String(value)}` : ''}`;
        const message = `${what} is accepted, not acted on yet`;
        return (at === 'key' ? warningAtKey : warningAtValue)(
          'not-built',
          found,
          message,
          'it may stay; do not rely on it',
        );
      }),
  );
}

function matches(
  site: Section,
  pattern: readonly string[],
): readonly { readonly path: Path; readonly value: unknown }[] {
  return pattern.reduce<readonly { readonly path: Path; readonly value: unknown }[]>(
    (found, part) =>
      found.flatMap(({ path, value }) => {
        if (!isSection(value)) return [];
        const names = part === '*' ? Object.keys(value) : [part];
        return names
          .filter((name) => Object.hasOwn(value, name))
          .map((name) => ({ path: [...path, name], value: value[name] }));
      }),
    [{ path: [], value: site }],
  );
}
