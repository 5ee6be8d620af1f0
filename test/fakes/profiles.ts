// The device profiles that come with Forecourt, for tests that want one by name, or all of them.
import type { ChargerProfile, DeviceProfile, MeterProfile } from '../../adapters/modbus/device-profile.js';
import { chargerProfile, meterProfile, openShelf } from '../../site-config/devices/shelf.js';

const shelf = openShelf();

export const charger = (name: string): ChargerProfile => chargerProfile(shelf, name);
export const meter = (name: string): MeterProfile => meterProfile(shelf, name);
export const chargerProfiles: readonly ChargerProfile[] = shelf.chargers.map(charger);
export const meterProfiles: readonly MeterProfile[] = shelf.meters.map(meter);
export const profiles: readonly DeviceProfile[] = [...chargerProfiles, ...meterProfiles];
