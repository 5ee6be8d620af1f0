// A few device names, so that tests of site.yaml do not change with the list of device profiles.
import type { ChargerProfile } from '../../adapters/modbus/device-profile.js';
import { ok } from '../../gateway/kernel/result.js';
import { chargerProfile, openShelf, type DeviceShelf } from '../../site-config/devices/shelf.js';

const ours = openShelf();
const { registers, ...charx } = chargerProfile(ours, 'phoenix-charx-sec');
const ALFEN = chargerProfile(ours, 'alfen-eve-ng9xx');
/** Chargers on a serial line. */
const LINES: Readonly<Record<string, Pick<ChargerProfile, 'transports' | 'serial' | 'unit'>>> = {
  'abl-emh1': {
    transports: ['ascii'],
    unit: { kind: 'fixed', unit: 1 },
    serial: { baudRate: 38_400, parity: 'even', stopBits: 1 },
  },
  'heidelberg-energy-control': {
    transports: ['rtu'],
    unit: { kind: 'fixed', unit: 1 },
    serial: { baudRate: 19_200, parity: 'even', stopBits: 1 },
  },
};

export const devices: DeviceShelf = {
  chargers: ['abl-emh1', 'alfen-eve-ng9xx', 'full-power', 'go-e-charger', 'heidelberg-energy-control', 'keba-p30'],
  meters: ['carlo-gavazzi-em24-ethernet', 'eastron-sdm630', 'janitza-umg604', 'sunspec-meter-201-204'],
  findings: [],
  find(name) {
    // Like the controller of another make, it has no watchdog; everything about it is sure.
    const sure = Object.fromEntries(
      Object.entries(registers).map(([each, register]) => [each, { ...register, unverified: [] }] as const),
    );
    const line = LINES[name];
    if (line !== undefined) return ok({ ...charx, id: name, registers: sure, watchdog: ALFEN.watchdog, ...line });
    if (name === 'full-power')
      return ok({
        ...charx,
        id: name,
        registers: sure,
        watchdog: { ...ALFEN.watchdog, fallsTo: 'full-power' as const },
      });
    return name === 'go-e-charger' ? ok({ ...charx, id: name, registers: sure }) : ours.find(name);
  },
};
