// What a site may say already though nothing acts on it yet.
import { warningAtKey, type Fault } from './fault.js';
import { inWords, type Path } from './place.js';
import { isSection, type Section } from './written.js';

/** Accepted so that a site can be written once and completely; whoever relies on it must know. */
export function notBuilt(site: Section): readonly Fault[] {
  const switches: readonly Path[] = [['telemetry', 'broker', 'sparkplug'], ['telemetry', 'local-broker', 'home-assistant']]; // prettier-ignore
  const sections: readonly Path[] = [['uplink'], ['console'], ['balancing', 'grid-operator-limit']];
  const at = (path: Path): unknown =>
    path.reduce<unknown>((value, key) => (isSection(value) ? value[String(key)] : undefined), site);
  const say = (path: Path): string => `${inWords(path, site)} is accepted, not acted on yet`;
  return [
    ...sections
      .filter((path) => at(path) !== undefined)
      .map((path) => warningAtKey('not-built', path, say(path), 'it may stay; do not rely on it')),
    ...switches
      .filter((path) => at(path) === 'true')
      .map((path) => warningAtKey('not-built', path, say(path), 'it may stay; do not rely on it')),
  ];
}
