// A few device names, so that tests of site.yaml do not change with the list of device profiles.
import { ok } from '../../gateway/kernel/result.js';
import { chargerProfile, openShelf, type DeviceShelf } from '../../site-config/devices/shelf.js';

const ours = openShelf();
const { registers, ...charx } = chargerProfile(ours, 'phoenix-charx-sec');

export const devices: DeviceShelf = {
  chargers: ['alfen-eve-ng9xx', 'go-e-charger', 'heidelberg-energy-control', 'keba-p30'],
  meters: ['carlo-gavazzi-em24-ethernet', 'eastron-sdm630', 'janitza-umg604', 'sunspec-meter-201-204'],
  findings: [],
  find(name) {
    // Like the controller of another make, it has no watchdog; everything about it is sure.
    const sure = Object.entries(registers).map(([each, register]) => [each, { ...register, unverified: [] }] as const);
    return name === 'go-e-charger' ? ok({ ...charx, id: name, registers: Object.fromEntries(sure) }) : ours.find(name);
  },
};
