// A whole gateway on a serial bus: site.yaml names the port, two meters and a contact share it, one more of each is behind a serial server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { composeGateway } from '../../../gateway/compose.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { systemMachine } from '../../../gateway/system-machine.js';
import { openShelf } from '../../../site-config/devices/shelf.js';
import { loadSiteText } from '../../../site-config/loader.js';
import type { SlaveUnit } from '../../../simulation/modbus-slave.js';
import { startRtuSlave } from '../../../simulation/rtu-slave.js';
import { until } from '../../../simulation/wait.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { folder, noSocat, plug } from './peers.js';

/** An SDM630 that shows this current on every phase, written here by hand from its map: floats, high word first. */
function sdm630(ampere: number): SlaveUnit {
  const input = new Map<number, number>();
  for (let address = 0; address < 80; address++) input.set(address, 0);
  const float = Buffer.alloc(4);
  float.writeFloatBE(ampere);
  for (const address of [6, 8, 10]) {
    input.set(address, float.readUInt16BE(0));
    input.set(address + 1, float.readUInt16BE(2));
  }
  return { holding: new Map(), input };
}

/** An I/O module with its first two inputs. */
const ioModule = (bits: [number, number]): SlaveUnit => ({ holding: new Map(), bits: new Map(bits.entries()) });

t.test('two meters and a module on one port, one of each behind a serial server', { skip: noSocat }, async (test) => {
  const near = ioModule([1, 0]);
  const bus = await startRtuSlave({
    units: new Map([
      [1, sdm630(11)],
      [2, sdm630(22)],
      [9, near],
    ]),
  });
  test.teardown(() => bus.stop());
  const away = ioModule([0, 0]);
  const far = await startRtuSlave({
    units: new Map([
      [1, sdm630(33)],
      [9, away],
    ]),
  });
  test.teardown(() => far.stop());
  const path = join(folder(test), 'bus');
  await plug(test, path, { port: bus.port });
  const loaded = loadSiteText(
    `site: { id: S1 }
circuits:
  house: { breaker: 100 A, meter: house, when-meter-lost: 12 A }
  garage: { fed-by: house, breaker: 63 A, meter: garage, when-meter-lost: 12 A }
  back: { fed-by: garage, breaker: 32 A, meter: back, when-meter-lost: 6 A }
meters:
  house: { device: eastron-sdm630, connection: serial:${path}, unit: 1, baud-rate: 19200 }
  garage: { device: eastron-sdm630, connection: serial:${path}, unit: 2 }
  back: { device: eastron-sdm630, connection: rtu-over-tcp://127.0.0.1:${far.port} }
stations:
  CP01: { circuit: back, password: 0123456789012345, evses: [{ number: 1, max-current: 16 A, phases: L1 }] }
balancing:
  grid-operator-limit:
    failsafe: 6 A
    contacts:
      - { connection: serial:${path}, unit: 9, input: discrete-input 0, limit: 40 A }
      - { connection: serial:${path}, unit: 9, input: discrete-input 1, limit: 20 A, circuit: garage }
      - { connection: rtu-over-tcp://127.0.0.1:${far.port}, unit: 9, input: coil 1, limit: 12 A, circuit: back }
`,
    'site.yaml',
    { devices: openShelf(), env: {} },
  );
  if (!loaded.ok) return test.fail(loaded.error.map(({ message }) => message).join('; '));
  const dataDirectory = mkdtempSync(join(tmpdir(), 'forecourt-bus-'));
  // On free ports.
  const site = { ...loaded.value.site, dataDirectory, listen: { ocpp: { host: '127.0.0.1', port: 0 } } };
  const console = site.console && { console: { ...site.console, port: 0 } };
  const running = await composeGateway(
    { ...site, ...console },
    openShelf(),
    systemClock,
    systemMachine(),
    recordingLog(),
    '0.0.0',
  );
  test.teardown(async () => {
    await running.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  const { gateway } = running;
  const read = (): boolean => gateway.readings.size === 3;
  test.ok(await until(systemClock, 60, read));
  const currents = Object.fromEntries([...gateway.readings].map(([meter, { current }]) => [meter, current.L2]));
  test.same(currents, { house: 11, garage: 22, back: 33 });
  const limits = (): object => Object.fromEntries(gateway.gridOperator?.limits ?? []);
  const heard = (): boolean => gateway.gridOperator?.failsafe === false;
  test.ok(await until(systemClock, 60, heard), 'every contact is read');
  test.same(limits(), { house: 40 });
  near.bits?.set(1, 1);
  away.bits?.set(1, 1);
  const lowered = (): boolean => gateway.gridOperator?.limits.size === 3;
  test.ok(await until(systemClock, 60, lowered), 'two more close');
  test.same(limits(), { house: 40, garage: 20, back: 12 });
  test.equal(bus.connections, 1, 'the port is opened once');
  test.equal(far.connections, 1, 'so is the serial server');
  return undefined;
});
