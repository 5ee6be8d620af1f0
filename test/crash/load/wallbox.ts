// A Modbus charger under load: it remembers nothing, so a car stays until both clouds know what has to be known of it.
import { setTimeout as pause } from 'node:timers/promises';
import { startModbusSlave } from '../../../simulation/modbus-slave.js';
import { alfenEveNg9xx } from '../../../site-config/devices/alfen-eve-ng9xx.js';
import { SimulatedCharger } from '../../adapters/station-modbus/charger-bench.js';
import type { Changes } from '../../peers/changes.js';
import { NOBODYS } from './cloud-ledger.js';
import type { Cloud } from './cloud.js';
import { Visit } from './visit.js';

/** Milliseconds for a start or an end to reach a cloud while the gateway never lives for more than a second or two. */
const PATIENCE = 600_000;

export class Wallbox {
  #leaving = false;

  private constructor(
    readonly evse: number,
    readonly port: number,
    readonly registers: SimulatedCharger,
    readonly close: () => Promise<void>,
  ) {}

  /** @param evse its number on the site */
  static async open(evse: number): Promise<Wallbox> {
    const registers = new SimulatedCharger(alfenEveNg9xx, 1, (charger, instance, register, value) => {
      if (register !== 'Setpoint.Current') return;
      charger.set('Current.Offered', Math.min(value, 32), instance);
      charger.set('Setpoint.RemainingValid', 60, instance);
    });
    registers.set('Device.Vendor', 'Alfen NV');
    registers.set('Device.Serial', 'ACE0001');
    registers.set('EVSE.State', 'A');
    registers.set('Failsafe.Current', 6);
    registers.set('Energy.Active.Import.Register', 50_000);
    const slave = await startModbusSlave({ units: registers.units });
    return new Wallbox(evse, slave.port, registers, () => slave.stop());
  }

  async run(visits: Visit[], clouds: readonly Cloud[], changes: Changes): Promise<void> {
    let register = 50_000;
    for (let count = 1; !this.#leaving; count++) {
      const visit = new Visit(`${NOBODYS}#${count}`, 'WB1', this.evse, register, false);
      visits.push(visit);
      const known = (what: string, of: (cloud: Cloud) => boolean): Promise<boolean> =>
        changes.until(`${what} of ${visit.token}`, () => clouds.every(of), PATIENCE);
      visit.tell('plugged in');
      this.registers.set('EVSE.State', 'B2');
      await known('the start', ({ ledger }) => ledger.of(visit.token).length > 0);
      visit.tell('charges');
      this.registers.set('EVSE.State', 'C2');
      for (let step = 0; step < 3; step++) {
        this.registers.set('Energy.Active.Import.Register', (register += 300));
        await pause(400);
      }
      visit.meterStop = register;
      visit.tell('unplugged');
      this.registers.set('EVSE.State', 'A');
      await known('the end', ({ ledger }) => ledger.ended(visit.token));
    }
  }

  /** The car that is there is the last one. */
  leave(): void {
    this.#leaving = true;
  }
}
