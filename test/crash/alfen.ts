// The Modbus charger of the crash tests: an Alfen that obeys, on a slave of its own.
import { startModbusSlave, type ModbusSlave } from '../../simulation/modbus-slave.js';
import { SimulatedCharger } from '../adapters/station-modbus/charger-bench.js';
import { charger } from '../fakes/profiles.js';

const alfenEveNg9xx = charger('alfen-eve-ng9xx');

/** Its register when no car has come yet, in Wh. */
export const ALFEN_REGISTER = 50_000;

export async function startAlfen(): Promise<{ readonly registers: SimulatedCharger; readonly slave: ModbusSlave }> {
  const registers = new SimulatedCharger(alfenEveNg9xx, 1, (charger, instance, register, value) => {
    if (register !== 'Setpoint.Current') return;
    charger.set('Current.Offered', Math.min(value, 32), instance);
    charger.set('Setpoint.RemainingValid', 60, instance);
  });
  registers.set('Device.Vendor', 'Alfen NV');
  registers.set('Device.Serial', 'ACE0001');
  registers.set('EVSE.State', 'A');
  registers.set('Failsafe.Current', 6);
  registers.set('Energy.Active.Import.Register', ALFEN_REGISTER);
  return { registers, slave: await startModbusSlave({ units: registers.units }) };
}
