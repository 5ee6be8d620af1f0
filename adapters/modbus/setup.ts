// Brings a device into the mode that its profile describes.
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { RegisterWrite } from './charger-behaviour.js';
import type { ModbusDevice } from './device.js';
import { describeFault } from './link.js';

/**
 * Writes each setting that the device does not hold, and reads it back: what holds already wears no memory.
 * @param changing told of each setting before it is written
 * @returns what the device did not take, in words
 */
export async function setUp(
  device: ModbusDevice,
  changing: (setting: RegisterWrite) => void,
): Promise<Result<void, string>> {
  for (const setting of device.profile.setup) {
    const { register, value } = setting;
    const trouble = (why: string): Result<never, string> => failed(`${register}: ${why}`);
    const before = await device.read([register]);
    if (!before.ok) return trouble(describeFault(before.error));
    if (before.value.get(register) === value) continue;
    changing(setting);
    const written = await device.write(register, value);
    if (!written.ok) return trouble(describeFault(written.error));
    const after = await device.read([register]);
    if (!after.ok) return trouble(describeFault(after.error));
    if (after.value.get(register) !== value) return trouble('setting not taken');
  }
  return ok(undefined);
}
