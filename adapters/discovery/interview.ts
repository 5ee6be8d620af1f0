// Asks one unit what it is: first what every device may be asked, then what those profiles ask for that it can still be.
import type { Result } from '../../gateway/kernel/result.js';
import { ModbusDevice } from '../modbus/device.js';
import type { DeviceProfile } from '../modbus/device-profile.js';
import { printable, type DeviceIdentification, type ModbusFault } from '../modbus/link.js';
import { findSunSpecModel } from '../modbus/sunspec.js';
import type { CarefulLink } from './careful-link.js';
import { byName, fingerprint, fits, isPlausible, STRENGTHS, strengthOf, type Strength } from './evidence.js';
import type { Candidate } from './found.js';
import { sunSpecIdentity } from './sunspec-identity.js';

export interface Interview {
  readonly says: DeviceIdentification;
  readonly candidates: readonly Candidate[];
}

/** `absent`: nobody answers as this unit. `unreachable`: the line or address itself cannot be opened. */
export type Outcome = Interview | 'absent' | 'unreachable';

/** Where the marker of SunSpec may stand; reading it harms nobody. */
const SUNSPEC_BASES = [40_000, 0, 50_000] as const;
/** EVSEs of a controller with many, and of a charger with a unit for each. */
const MOST_EVSES = { stride: 12, units: 2 } as const;
/** A gateway says by these that nobody is behind it as this unit. */
const NOBODY_THERE: readonly number[] = [10, 11];

/** @param profiles those that a device at this place and unit can be */
export async function interview(link: CarefulLink, unit: number, profiles: readonly DeviceProfile[]): Promise<Outcome> {
  const named = await link.identification(unit);
  const presence = answered(named) ? 'present' : await presenceOf(link, unit, named);
  if (presence !== 'present') return presence;
  const sunSpec = await sunSpecIdentity(link, unit, SUNSPEC_BASES);
  const says: DeviceIdentification = { ...sunSpec, ...(named.ok && named.value) };
  const ranked = profiles
    .filter(({ identification }) => identification.neverProbe === undefined)
    .filter(({ addressing }) => (addressing.kind === 'sunspec') === (sunSpec !== undefined))
    .flatMap((profile) => {
      const known = byName(profile, says);
      if (known === undefined) return [];
      return [{ profile, strength: known ? ('named' as const) : strengthOf(profile) }];
    })
    .sort((a, b) => STRENGTHS.indexOf(b.strength) - STRENGTHS.indexOf(a.strength));
  const found: Candidate[] = [];
  let best: Strength | undefined;
  for (const { profile, strength } of ranked) {
    // What is proven needs no guesses beside it.
    if (best !== undefined && strength !== best) break;
    const device = await recognised(link, unit, profile);
    if (device === undefined) continue;
    best = strength;
    found.push(await candidate(link, unit, profile, device, strength));
  }
  return { says, candidates: found };
}

const answered = (outcome: Result<unknown, ModbusFault>): boolean =>
  outcome.ok || (outcome.error.kind === 'exception' && !NOBODY_THERE.includes(outcome.error.code));

/** Some devices do not answer to functions that they do not know. */
async function presenceOf(
  link: CarefulLink,
  unit: number,
  named: Result<unknown, ModbusFault>,
): Promise<'present' | 'absent' | 'unreachable'> {
  if (!named.ok && named.error.kind === 'unreachable') return 'unreachable';
  const marker = await link.read(unit, 3, SUNSPEC_BASES[0], 2, {});
  return answered(marker) ? 'present' : 'absent';
}

/** The device as one of this profile; undefined where it is none. */
async function recognised(link: CarefulLink, unit: number, profile: DeviceProfile): Promise<ModbusDevice | undefined> {
  const { addressing, detection } = profile;
  const model = addressing.kind === 'sunspec' ? await findSunSpecModel(link, unit, addressing, profile.io) : undefined;
  if (addressing.kind === 'sunspec' && (model?.ok !== true || model.value === undefined)) return undefined;
  const base = model?.ok === true && model.value !== undefined ? { base: model.value.base } : {};
  const device = new ModbusDevice(link, profile, { instance: 1, unit, ...base });
  // The model that a SunSpec device lists is what it is detected by.
  if (addressing.kind !== 'sunspec') {
    const seen = await device.read([detection.register]);
    if (!seen.ok || !fits(detection, seen.value)) return undefined;
  }
  const values = await device.read(fingerprint(profile));
  return values.ok && isPlausible(profile, values.value) ? device : undefined;
}

async function candidate(
  link: CarefulLink,
  unit: number,
  profile: DeviceProfile,
  device: ModbusDevice,
  strength: Strength,
): Promise<Candidate> {
  const text = async (name: string): Promise<string | undefined> => {
    const value = device.has(name) ? await device.read([name]) : undefined;
    const told = value?.ok === true ? value.value.get(name) : undefined;
    return told === undefined ? undefined : printable(String(told));
  };
  const vendor = await text('Device.Vendor');
  const model = await text('Device.Model');
  const serialNumber = await text('Device.Serial');
  const firmwareVersion = await text('Device.Firmware');
  const maxCurrent = await largestCurrent(device);
  return {
    profile: profile.id,
    kind: profile.kind,
    proven: strength === 'proven' || strength === 'named',
    evses: profile.kind === 'charger' ? await evses(link, unit, profile) : 0,
    ...(vendor && { vendor }),
    ...(model && { model }),
    ...(serialNumber && { serialNumber }),
    ...(firmwareVersion && { firmwareVersion }),
    ...(maxCurrent !== undefined && { maxCurrent }),
  };
}

async function largestCurrent(device: ModbusDevice): Promise<number | undefined> {
  for (const name of ['Limit.Current.Hardware', 'Limit.Current.Max']) {
    const read = device.has(name) ? await device.read([name]) : undefined;
    const value = read?.ok === true ? read.value.get(name) : undefined;
    if (typeof value === 'number' && value >= 6 && value <= 1000) return value;
  }
  return undefined;
}

/** How many of its EVSEs answer with a state. */
async function evses(link: CarefulLink, unit: number, profile: DeviceProfile): Promise<number> {
  const most =
    profile.addressing.kind === 'stride' ? MOST_EVSES.stride : profile.unit.kind === 'per-evse' ? MOST_EVSES.units : 1;
  for (let instance = 2; instance <= most; instance++) {
    const values = await new ModbusDevice(link, profile, { instance, unit }).read(fingerprint(profile));
    if (!values.ok || !isPlausible(profile, values.value)) return instance - 1;
  }
  return most;
}
