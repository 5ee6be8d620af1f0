// A site as the electrician finds it wired: Modbus chargers of several makes and meters on loopback addresses, with true phases that nobody has written down.
import { CAR_MODELS, Car } from '../../simulation/car.js';
import { startSlaves, type Slaves } from '../../simulation/slaves.js';
import { World } from '../../simulation/world.js';
import { loadSite } from '../../site-config/loader.js';
import { openShelf } from '../../site-config/devices/shelf.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import { circuitId, evseNumber } from '../../gateway/kernel/ids.js';
import { ampere } from '../../gateway/kernel/units.js';
import { perPhase, type Phase } from '../../gateway/site/topology.js';

const CHARGERS = [
  'amperfied-connect',
  'alfen-eve-ng9xx',
  'phoenix-charx-sec',
  'innogy-ebox',
  'kathrein-kwb',
  'vestel-evc04',
  'keba-p30',
] as const;
const METERS = ['carlo-gavazzi-em24-ethernet', 'abb-b23-b24', 'carlo-gavazzi-em24-ethernet'] as const;
const ROTATIONS = ['L1 L2 L3', 'L2 L3 L1', 'L3 L1 L2'] as const;

export interface ElectricianSite {
  /** The network that its devices are in. */
  readonly network: string;
  readonly world: World;
  readonly slaves: Slaves;
  /** The grid phase on each conductor of the EVSE, as it is wired. */
  phasesOf(evse: number): readonly Phase[];
  /** A one-phase car comes to the EVSE. */
  plug(evse: number): Car;
  stop(): Promise<void>;
}

/** @param port the same at each address, and free */
export async function startElectricianSite(
  { chargers, meters, port }: { readonly chargers: number; readonly meters: 1 | 2 | 3; readonly port: number },
  clock: Clock,
): Promise<ElectricianSite> {
  const at = (host: number): string => `tcp://127.0.0.${host}:${port}`;
  const stations = Array.from({ length: chargers }, (_, i) => {
    const device = CHARGERS[i % CHARGERS.length] ?? '';
    const evse = `{ number: ${i + 1}, max-current: 16 A, phases: ${ROTATIONS[i % 3]} }`;
    return `  WB${i + 1}: { device: ${device}, connection: '${at(i + 2)}', circuit: chargers, start: { free: STAFF }, evses: [${evse}] }`;
  });
  const text = `
site: { id: AS-WIRED }
circuits:
  main: { breaker: 400 A, meter: meter-01 }
  chargers: { fed-by: main, breaker: 400 A${meters > 1 ? ', meter: meter-02' : ''} }
  ${meters > 2 ? 'circuit-3: { fed-by: main, breaker: 400 A, meter: meter-03 }' : ''}
meters:
${METERS.slice(0, meters)
  .map((device, i) => `  meter-0${i + 1}: { device: ${device}, connection: '${at(100 + i)}' }`)
  .join('\n')}
stations:
${stations.join('\n')}
`;
  const loaded = loadSite('as-wired.yaml', { devices: openShelf(), env: {}, readFile: () => text });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  const { site } = loaded.value;
  // Light and lifts of the building, different on each phase.
  const loads = new Map([[circuitId('main'), () => perPhase((phase) => ampere(phase === 'L1' ? 12 : 7))]]);
  const world = new World(site, clock, loads, () => 1000);
  const slaves = await startSlaves(world, clock, true);
  world.start();
  const city = CAR_MODELS.find(({ phases }) => phases === 1);
  if (city === undefined) throw new Error('there are one-phase cars');
  return {
    network: '127.0.0.0/25',
    world,
    slaves,
    phasesOf: (evse) => world.evse(evseNumber(evse)).evse.phases,
    plug(evse) {
      const car = new Car(city, 0.2);
      world.evse(evseNumber(evse)).hardware.plug(car);
      return car;
    },
    async stop() {
      world.stop();
      await slaves.stop();
    },
  };
}
