// Who a SunSpec device says that it is: its common model (SunSpec Device Information Model Specification, model 1).
import { IDENTITY_MODEL, findMarker } from '../modbus/sunspec.js';
import type { DeviceIdentification, ModbusLink } from '../modbus/link.js';

/** Offsets from the model's id, and lengths, in registers. */
const MANUFACTURER = { at: 2, words: 16 } as const;
const MODEL = { at: 18, words: 16 } as const;
const VERSION = { at: 42, words: 8 } as const;

/** Undefined where it is no SunSpec device; empty where it does not say. */
export async function sunSpecIdentity(
  link: ModbusLink,
  unit: number,
  bases: readonly number[],
): Promise<DeviceIdentification | undefined> {
  const first = await findMarker(link, unit, bases, {});
  if (!first.ok || first.value === undefined) return undefined;
  const base = first.value;
  const id = await link.read(unit, 3, base, 2, {});
  if (!id.ok || id.value.readUInt16BE(0) !== IDENTITY_MODEL) return {};
  const text = async ({ at, words }: { readonly at: number; readonly words: number }): Promise<string> => {
    const read = await link.read(unit, 3, base + at, words, {});
    return read.ok ? (read.value.toString('latin1').split('\0')[0] ?? '').replace(/[^\x20-\x7e]/g, '').trim() : '';
  };
  const vendor = await text(MANUFACTURER);
  const product = await text(MODEL);
  const revision = await text(VERSION);
  return { ...(vendor && { vendor }), ...(product && { product }), ...(revision && { revision }) };
}
