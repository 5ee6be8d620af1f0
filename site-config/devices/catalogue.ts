// Every Modbus device that Forecourt knows. To add one: write its profile next to this file and list it here.
import type { ChargerProfile, DeviceProfile, MeterProfile, Transport } from '../../adapters/modbus/device-profile.js';
import type { SerialLine } from '../../gateway/site/topology.js';
import { alfenEveNg9xx } from './alfen-eve-ng9xx.js';
import { carloGavazziEm24Ethernet } from './carlo-gavazzi-em24-ethernet.js';
import { eastronSdm630 } from './eastron-sdm630.js';
import { janitzaUmg604 } from './janitza-umg604.js';
import { kebaP30 } from './keba-p30.js';
import { phoenixCharxSec } from './phoenix-charx-sec.js';
import { sunspecMeter } from './sunspec-meter-201-204.js';

export const chargerProfiles: readonly ChargerProfile[] = [alfenEveNg9xx, kebaP30, phoenixCharxSec];
export const meterProfiles: readonly MeterProfile[] = [
  janitzaUmg604,
  carloGavazziEm24Ethernet,
  eastronSdm630,
  sunspecMeter,
];

const byId: ReadonlyMap<string, DeviceProfile> = new Map(
  [...chargerProfiles, ...meterProfiles].map((profile) => [profile.id, profile]),
);

/** The profile of a `device:` name in site.yaml; undefined where there is none. */
export const deviceProfile = (id: string): DeviceProfile | undefined => byId.get(id);

interface Wiring {
  readonly transports: readonly Transport[];
  /** The unit that it answers as unless site.yaml says another. */
  readonly unit: number;
  readonly serial?: SerialLine;
}

/** Every `device:` name, in alphabetical order. */
export const deviceIds = (): readonly string[] => [...byId.keys()].sort();

/** The names that `device:` may have, and which chargers keep their last limit for ever when nobody talks to them. */
export const deviceNames = (): {
  readonly chargers: readonly string[];
  readonly meters: readonly string[];
  readonly wiring: ReadonlyMap<string, Wiring>;
  readonly chargersWithoutWatchdog: readonly string[];
} => ({
  chargers: chargerProfiles.map(({ id }) => id),
  meters: meterProfiles.map(({ id }) => id),
  wiring: new Map(
    [...byId].map(([id, { transports, unit, serial }]) => [
      id,
      { transports, unit: unit.unit, ...(serial && { serial }) },
    ]),
  ),
  chargersWithoutWatchdog: chargerProfiles.filter(({ watchdog }) => watchdog.kind === 'none').map(({ id }) => id),
});
