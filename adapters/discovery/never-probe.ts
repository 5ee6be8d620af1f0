// What must never be read by somebody who does not know yet what he is talking to: reading it locks, hangs or changes a device.
import type { DeviceProfile, RegisterRange } from '../modbus/device-profile.js';

/**
 * Devices that have no profile. MENNEKES 4You and 4Business (Bender CC612) end the connection, or answer with an
 * exception, when 730 or 740 is read (evcc issues 31794 and 32107).
 */
const OF_OTHERS: readonly RegisterRange[] = [
  { read: 3, from: 730, to: 730 },
  { read: 3, from: 740, to: 746 },
];

export type MayRead = (read: 3 | 4, address: number, count: number) => boolean;

/** Whether no known device suffers from a read, whichever of them is asked. */
export function mayRead(profiles: readonly DeviceProfile[]): MayRead {
  const ranges = [...OF_OTHERS, ...profiles.flatMap(({ identification }) => identification.neverRead)];
  return (read, address, count) =>
    !ranges.some(({ read: fc, from, to }) => fc === read && address <= to && from < address + count);
}
