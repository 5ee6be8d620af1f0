// Finds a SunSpec model: the marker "SunS" at one of a few bases, behind it a list of blocks (SunSpec Information Model Specification section 6).
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { Addressing, IoPolicy, SunSpecModel } from './device-profile.js';
import type { ModbusFault, ModbusLink } from './link.js';

const MARKER = 0x53756e53;
const LAST_MODEL = 0xffff;
/** The common model: who made the device. It comes first. */
export const IDENTITY_MODEL = 1;
/** No known device lists more; a list that never ends is a broken device. */
const MOST_MODELS = 64;

export interface FoundModel {
  /** Address of the block's id register, which offsets count from. */
  readonly base: number;
  readonly model: SunSpecModel;
}

/** The first listed model that the device has; undefined where it has none or is no SunSpec device. */
export async function findSunSpecModel(
  link: ModbusLink,
  unit: number,
  addressing: Addressing & { kind: 'sunspec' },
  io: IoPolicy,
): Promise<Result<FoundModel | undefined, ModbusFault>> {
  const first = await findMarker(link, unit, addressing.bases, io);
  if (!first.ok || first.value === undefined) return first.ok ? ok(undefined) : first;
  return walk(link, unit, first.value, addressing.models, io);
}

/** Where the first model begins, behind the marker; undefined where there is no marker. */
export async function findMarker(
  link: ModbusLink,
  unit: number,
  bases: readonly number[],
  io: IoPolicy,
): Promise<Result<number | undefined, ModbusFault>> {
  for (const base of bases) {
    const marker = await link.read(unit, 3, base, 2, io);
    if (marker.ok && marker.value.readUInt32BE(0) === MARKER) return ok(base + 2);
    // An exception only says that nothing is at this base.
    if (!marker.ok && marker.error.kind !== 'exception') return failed(marker.error);
  }
  return ok(undefined);
}

async function walk(
  link: ModbusLink,
  unit: number,
  first: number,
  models: readonly SunSpecModel[],
  io: IoPolicy,
): Promise<Result<FoundModel | undefined, ModbusFault>> {
  let base = first;
  for (let seen = 0; seen < MOST_MODELS; seen++) {
    const header = await link.read(unit, 3, base, 2, io);
    if (!header.ok) return failed(header.error);
    const id = header.value.readUInt16BE(0);
    const model = models.find((candidate) => candidate.id === id);
    if (model !== undefined) return ok({ base, model });
    base += 2 + header.value.readUInt16BE(2);
    if (id === LAST_MODEL || base > 0xfffd) break;
  }
  return ok(undefined);
}
