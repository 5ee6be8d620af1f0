// A few device names, so that tests of site.yaml do not change with the list of device profiles.
import type { DeviceNames } from '../../site-config/loader.js';

export const devices: DeviceNames = {
  chargers: ['abl-emh1', 'alfen-eve-ng9xx', 'go-e-charger', 'heidelberg-energy-control', 'keba-p30'],
  meters: ['carlo-gavazzi-em24-ethernet', 'eastron-sdm630', 'janitza-umg604', 'sunspec-meter-201-204'],
  wiring: new Map([
    ['abl-emh1', { transports: ['ascii'], unit: 1, serial: { baudRate: 38_400, parity: 'even', stopBits: 1 } }],
    [
      'heidelberg-energy-control',
      { transports: ['rtu'], unit: 1, serial: { baudRate: 19_200, parity: 'even', stopBits: 1 } },
    ],
    ['eastron-sdm630', { transports: ['rtu'], unit: 1, serial: { baudRate: 9600, parity: 'none', stopBits: 1 } }],
    ['keba-p30', { transports: ['tcp'], unit: 255 }],
    ['sunspec-meter-201-204', { transports: ['tcp', 'rtu'], unit: 1 }],
  ]),
  chargersWithoutWatchdog: ['go-e-charger'],
};
