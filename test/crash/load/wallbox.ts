// A Modbus charger under load: it remembers nothing, so a car stays until both clouds know what has to be known of it.
import { setTimeout as pause } from 'node:timers/promises';
import type { SimulatedCharger } from '../../adapters/station-modbus/charger-bench.js';
import type { Changes } from '../../peers/changes.js';
import { ALFEN_REGISTER, startAlfen } from '../alfen.js';
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
    const { registers, slave } = await startAlfen();
    return new Wallbox(evse, slave.port, registers, () => slave.stop());
  }

  async run(visits: Visit[], clouds: readonly Cloud[], changes: Changes): Promise<void> {
    let register: number = ALFEN_REGISTER;
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
