// A whole Modbus charger of any profile in memory: hardware, slave, link and the driver that talks to it, second by second.
import type { Test } from 'tap';
import type { ChargerProfile } from '../../adapters/modbus/device-profile.js';
import { openModbusStation } from '../../adapters/station-modbus/driver.js';
import { circuitId, evseNumber, stationId } from '../../gateway/kernel/ids.js';
import { ampere, milliseconds, volt, wattHour } from '../../gateway/kernel/units.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type { Evse, Station } from '../../gateway/site/topology.js';
import { CAR_MODELS, Car } from '../../simulation/car.js';
import { EvseHardware } from '../../simulation/evse.js';
import { ModbusCharger } from '../../simulation/modbus-charger.js';
import type { Units } from '../../simulation/register-map.js';
import { RecordingGateway } from '../adapters/station-modbus/charger-bench.js';
import { FakeClock } from './fake-clock.js';
import { MemoryLink } from './memory-link.js';
import { recordingLog } from './recording-log.js';

const ID = stationId('WB01');
export const EVSE = evseNumber(11);
/** A, of what the gateway is told that the charger falls back to. */
export const FALLBACK = 6;

export function simulatedStation(test: Test, profile: ChargerProfile) {
  const clock = new FakeClock();
  const log = recordingLog();
  const units: Units = new Map();
  const evse: Evse = {
    number: EVSE,
    station: ID,
    stationEvse: 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: circuitId('main'),
    maxCurrent: ampere(Math.min(32, profile.control.max)),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(FALLBACK),
    phases: ['L1', 'L2', 'L3'],
    rotationKnown: true,
  };
  const connection = { kind: 'tcp', host: '127.0.0.1', port: 502 } as const;
  const station: Station = {
    id: ID,
    link: { kind: 'modbus', device: profile.id, connection },
    start: { kind: 'authorized' },
    evses: [evse],
  };
  const hardware = new EvseHardware(EVSE, evse.maxCurrent, 3, volt(230), wattHour(123_456));
  const charger = new ModbusCharger(profile, evse, hardware, units, undefined, clock);
  hardware.onChange(() => charger.show());
  const link = new MemoryLink(units);
  const gateway = new RecordingGateway();
  const driver = openModbusStation(station, profile, link, gateway, { clock, log });
  test.teardown(() => driver.stop());

  const run = async (time: number): Promise<void> => {
    for (let i = 0; i < time; i++) {
      await clock.advance(1000);
      hardware.step(milliseconds(1000));
      charger.show();
    }
  };
  return {
    profile,
    evse,
    units,
    log,
    hardware,
    charger,
    link,
    gateway,
    /** Lets seconds pass. */
    run,
    plug(): void {
      const model = CAR_MODELS.find(({ phases, maxCurrent }) => phases === 3 && maxCurrent === 32);
      if (model === undefined) throw new Error('there is a car of three phases');
      hardware.plug(new Car(model, 0.2));
    },
    async execute(command: StationCommand): Promise<CommandOutcome> {
      let outcome: CommandOutcome | undefined;
      const done = driver.execute(command).then((result) => (outcome = result));
      for (let waited = 0; outcome === undefined && waited < 60; waited++) await run(1);
      return done;
    },
  };
}
