// What a Modbus charger tells of itself when it comes: who it is, and what it can do.
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { RegisterValues } from '../modbus/device.js';
import type { Fallback } from './watchdog.js';

export const INVENTORY: readonly string[] = ['Device.Vendor', 'Device.Model', 'Device.Serial', 'Device.Firmware'];

export function inventoryOf(profile: ChargerProfile, values: RegisterValues): Inventory {
  const text = (name: string): string | undefined => {
    const value = values.get(name);
    return value === undefined || value === '' ? undefined : String(value);
  };
  const serialNumber = text('Device.Serial');
  const firmwareVersion = text('Device.Firmware');
  return {
    vendor: text('Device.Vendor') ?? profile.vendor,
    model: text('Device.Model') ?? profile.model,
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(firmwareVersion === undefined ? {} : { firmwareVersion }),
  };
}

/** @param fallbacks of each EVSE, as far as it has been read back */
export function capabilitiesOf(
  { reader }: ChargerProfile,
  fallbacks: readonly (Fallback | undefined)[],
  switchesPhases: boolean,
): Capabilities {
  const fallback = fallbacks.every((one) => one?.proven === true);
  const after = Math.max(...fallbacks.map((one) => one?.after ?? 0));
  return {
    protocol: 'modbus',
    currentLimit: true,
    fallback,
    ...(fallback ? { fallbackAfter: after } : {}),
    reservation: false,
    remoteStart: true,
    unlock: false,
    localList: false,
    // What a person has to fit or set for it, site.yaml says is there: only such EVSEs are ever told to switch.
    phaseSwitching: switchesPhases,
    trigger: false,
    reader: reader !== undefined,
  };
}
