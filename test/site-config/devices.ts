// A few device names, so that tests of site.yaml do not change with the list of device profiles.
import type { DeviceNames } from '../../site-config/loader.js';

export const devices: DeviceNames = {
  chargers: ['alfen-eve-ng9xx', 'go-e-charger', 'heidelberg-energy-control', 'keba-p30'],
  meters: ['carlo-gavazzi-em24-ethernet', 'eastron-sdm630', 'janitza-umg604', 'sunspec-meter-201-204'],
  chargersWithoutWatchdog: ['go-e-charger'],
  phaseSwitches: new Map([
    ['go-e-charger', {}],
    ['keba-p30', { requires: 'the KeContact S10 phase switch' }],
  ]),
};
