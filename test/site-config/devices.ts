// A few device names, so that tests of site.yaml do not change with the list of device profiles.
import type { DeviceNames } from '../../site-config/loader.js';

export const devices: DeviceNames = {
  chargers: ['abb-terra-ac', 'go-e-charger', 'heidelberg-energy-control', 'keba-p30'],
  meters: ['abb-b23-b24', 'eastron-sdm630', 'janitza-umg604', 'siemens-pac2200-pac3200'],
  chargersWithoutWatchdog: ['go-e-charger'],
};
