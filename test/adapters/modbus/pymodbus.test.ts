// The link and a meter profile against pymodbus, a slave that nobody here wrote. Skipped where it is not installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t from 'tap';
import { ModbusDevice } from '../../../adapters/modbus/device.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { janitzaUmg604 } from '../../../site-config/devices/janitza-umg604.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';

const SLAVE = `
import asyncio, struct
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusTcpServer
cells = {address: 0 for address in range(0, 100)}
for address, value in ((1325, 10.5), (1327, -3.25), (1329, 0.0), (9851, 123456.0)):
    cells[address], cells[address + 1] = struct.unpack('>HH', struct.pack('>f', value))
slave = ModbusSlaveContext(hr=ModbusSparseDataBlock(cells), ir=ModbusSparseDataBlock({0: 77}), zero_mode=True)
async def main():
    server = ModbusTcpServer(ModbusServerContext(slaves={1: slave}, single=False), address=('127.0.0.1', 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await task
asyncio.run(main())
`;

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import pymodbus.server.async_io']).status === 0,
);
const skip = python === undefined ? 'pymodbus is missing: apt-get install python3-pymodbus' : false;

t.test('reads, writes and exceptions as pymodbus has them', { skip }, async (test) => {
  const slave = spawn(python ?? '', ['-c', SLAVE], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(slave, 'exit');
  const [line] = (await once(createInterface(slave.stdout), 'line')) as [string];
  const link = openModbusLink({ kind: 'tcp', host: '127.0.0.1', port: Number(line) }, { clock: new FakeClock(), log: recordingLog() });
  test.teardown(async () => {
    await link.stop();
    slave.kill();
    await exited;
  });

  const device = new ModbusDevice(link, janitzaUmg604, { instance: 1 });
  const currents = ['Current.Import.L1', 'Current.Import.L2', 'Current.Import.L3', 'Energy.Active.Import.Register'];
  const values = await device.read(currents);
  test.same(values.ok ? [...values.value.values()] : values.error, [10.5, -3.25, 0, 123_456]);

  test.ok((await link.write(1, 6, 5, Buffer.from([0x12, 0x34]), {})).ok);
  test.ok((await link.write(1, 16, 6, Buffer.from([0, 1, 0, 2]), {})).ok);
  const back = await link.read(1, 3, 5, 3, {});
  test.equal(back.ok ? back.value.toString('hex') : back.error.kind, '123400010002');
  const input = await link.read(1, 4, 0, 1, {});
  test.equal(input.ok ? input.value.readUInt16BE(0) : input.error.kind, 77);
  test.match(await link.read(1, 3, 5000, 1, {}), { ok: false, error: { kind: 'exception', code: 2 } });
});
