// The device profiles at hand: those that come with Forecourt, and those that a site brings along in `devices` next to site.yaml.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PhaseSwitch } from '../../adapters/modbus/charger-behaviour.js';
import {
  unverifiedFacts,
  type ChargerProfile,
  type DeviceProfile,
  type MeterProfile,
} from '../../adapters/modbus/device-profile.js';
import type { Result } from '../../gateway/kernel/result.js';
import { deviceFolder } from '../device-form.js';
import type { Wiring } from '../serial-bus.js';
import { readProfile } from './profile.js';
import type { Finding } from '../finding.js';

export interface DeviceShelf {
  /** Names of the chargers, in alphabetical order. */
  readonly chargers: readonly string[];
  /** Names of the meters, in alphabetical order. */
  readonly meters: readonly string[];
  /** What is wrong with profiles that the site brings along. */
  readonly findings: readonly Finding[];
  /** @returns undefined where there is none of this name, and what is wrong with it where it has faults */
  find(name: string): Result<DeviceProfile, readonly Finding[]> | undefined;
}

/** What a charger does when nobody talks to it any more. */
export type Silence = 'falls back' | 'keeps its last limit' | 'takes all it can get' | 'does what nobody knows';

/** @returns undefined where there is none of this name, or it has faults */
export function profileOf(shelf: DeviceShelf, name: string): DeviceProfile | undefined {
  const found = shelf.find(name);
  return found?.ok === true ? found.value : undefined;
}

/** @returns undefined for what is no charger, or not known */
export function whenSilent(shelf: DeviceShelf, name: string): Silence | undefined {
  const profile = profileOf(shelf, name);
  if (profile?.kind !== 'charger') return undefined;
  const { watchdog } = profile;
  if (watchdog.kind === 'none') return 'keeps its last limit';
  if (watchdog.fallsTo === 'unknown') return 'does what nobody knows';
  return watchdog.fallsTo === 'full-power' ? 'takes all it can get' : 'falls back';
}

/** How each device is reached, and what its serial line is set to as delivered. */
export const wiringOf =
  (shelf: DeviceShelf): Wiring =>
  (name) => {
    const profile = name === undefined ? undefined : profileOf(shelf, name);
    if (profile === undefined) return undefined;
    const { transports, unit, serial } = profile;
    const silence = whenSilent(shelf, name ?? '');
    const silentAtFullPower = silence === 'takes all it can get' || silence === 'does what nobody knows';
    return {
      transports,
      unit: unit.unit,
      ...(serial !== undefined && { serial }),
      ...(silentAtFullPower && { silentAtFullPower }),
    };
  };

/** How a charger switches phases; undefined where it cannot. */
export function phaseSwitch(shelf: DeviceShelf, name: string): PhaseSwitch | undefined {
  const profile = profileOf(shelf, name);
  return profile?.kind === 'charger' ? profile.phases : undefined;
}

/** How many phases a meter can measure; undefined for what is no meter, or not known. */
export function meterPhases(shelf: DeviceShelf, name: string): 1 | 2 | 3 | undefined {
  const profile = profileOf(shelf, name);
  return profile?.kind === 'meter' ? profile.phases : undefined;
}

/** What about the device has one source or none. */
export function unverified(shelf: DeviceShelf, name: string): readonly string[] {
  const profile = profileOf(shelf, name);
  return profile === undefined ? [] : unverifiedFacts(profile);
}

/** @throws Error when there is no such charger, or its profile has faults */
export function chargerProfile(shelf: DeviceShelf, name: string): ChargerProfile {
  const profile = profileOf(shelf, name);
  if (profile?.kind !== 'charger') throw new Error(`${name} is not a known charger`);
  return profile;
}

/** @throws Error when there is no such meter, or its profile has faults */
export function meterProfile(shelf: DeviceShelf, name: string): MeterProfile {
  const profile = profileOf(shelf, name);
  if (profile?.kind !== 'meter') throw new Error(`${name} is not a known meter`);
  return profile;
}

interface Place {
  readonly file: string;
  /** Of one with faults it is not known. */
  readonly kind: DeviceProfile['kind'] | 'unknown';
}

/**
 * @param siteFile the site.yaml; a profile in the folder `devices` beside it replaces ours of the same name
 * @throws Error when the profiles that come with Forecourt are not where they belong
 */
export function openShelf(siteFile?: string): DeviceShelf {
  const places = new Map<string, Place>();
  const findings: Finding[] = [];
  for (const kind of ['charger', 'meter'] as const) {
    const folder = join(deviceFolder, `${kind}s`);
    for (const name of profilesIn(folder)) places.set(name, { kind, file: join(folder, `${name}.yaml`) });
  }
  const read = new Map<string, Result<DeviceProfile, readonly Finding[]>>();
  const find = (name: string): Result<DeviceProfile, readonly Finding[]> | undefined => {
    const place = places.get(name);
    if (place === undefined) return undefined;
    const known = read.get(name) ?? readProfile(name, readFileSync(place.file, 'utf8'), place.file);
    read.set(name, known);
    return known;
  };
  if (siteFile !== undefined) {
    const folder = join(dirname(resolve(siteFile)), 'devices');
    for (const name of existsSync(folder) ? profilesIn(folder) : []) {
      const file = join(folder, `${name}.yaml`);
      const profile = readProfile(name, readFileSync(file, 'utf8'), file);
      read.set(name, profile);
      places.set(name, { file, kind: profile.ok ? profile.value.kind : 'unknown' });
      if (!profile.ok) findings.push(...profile.error);
    }
  }
  const names = (wanted: DeviceProfile['kind']): readonly string[] =>
    [...places].flatMap(([name, { kind }]) => (kind === wanted || kind === 'unknown' ? [name] : [])).sort();
  return { chargers: names('charger'), meters: names('meter'), findings, find };
}

function profilesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length));
}
