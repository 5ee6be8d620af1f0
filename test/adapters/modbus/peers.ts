// Programs that speak Modbus and that nobody here wrote, and the wires to them; each says what is missing where it cannot run.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

const runs = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).error === undefined;
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import pymodbus.server.async_io']).status === 0,
);
const loadsLibmodbus =
  spawnSync('/usr/bin/python3', ['-c', 'import ctypes; ctypes.CDLL("libmodbus.so.5")']).status === 0;

export const noSocat = runs('socat', '-V') ? false : 'socat is missing: apt-get install socat';
export const noPymodbus =
  python === undefined ? 'pymodbus is missing: apt-get install python3-pymodbus python3-serial-asyncio' : false;
export const noMbpoll = runs('mbpoll', '-V') ? false : 'mbpoll is missing: apt-get install mbpoll';
export const noLibmodbus = loadsLibmodbus ? false : 'libmodbus is missing: apt-get install python3 libmodbus5';

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Where serial ports of a test lie. */
export function folder(test: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'forecourt-serial-'));
  test.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A serial port at `path` whose other end is `far`: another port, or a TCP port. Resolves when both are there. */
export async function plug(test: Test, path: string, far: { readonly port: number } | { readonly path: string }) {
  const other = 'port' in far ? `tcp:127.0.0.1:${far.port},nodelay` : `pty,raw,echo=0,link=${far.path}`;
  const socat = spawn('socat', ['-d', '-d', `pty,raw,echo=0,link=${path}`, other], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const unplug = (): Promise<void> => ended(socat).then(() => rmSync(path, { force: true }));
  test.teardown(unplug);
  for await (const line of createInterface(socat.stderr)) if (line.includes('starting data transfer loop')) break;
  socat.stderr.resume();
  return { unplug };
}

/** @returns the first line that it writes */
async function started(test: Test, command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  test.teardown(() => ended(child));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
}

const PYMODBUS = `
import asyncio, struct, sys
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusTcpServer, ModbusUdpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusAsciiFramer, ModbusSocketFramer
cells = {address: 0 for address in range(0, 100)}
for address, value in ((1325, 10.5), (1327, -3.25), (1329, 0.0), (9851, 123456.0)):
    cells[address], cells[address + 1] = struct.unpack('>HH', struct.pack('>f', value))
def slave():
    return ModbusSlaveContext(hr=ModbusSparseDataBlock(dict(cells)), ir=ModbusSparseDataBlock({0: 77}),
                              co=ModbusSparseDataBlock({3: True, 4: False}), zero_mode=True)
framer = {'tcp': ModbusSocketFramer, 'rtu': ModbusRtuFramer, 'ascii': ModbusAsciiFramer}[sys.argv[1]]
async def main():
    context = ModbusServerContext(slaves={1: slave(), 2: slave()}, single=False)
    server = ModbusTcpServer(context, framer=framer, address=('127.0.0.1', 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await task
asyncio.run(main())
`;

/** Units 1 and 2: floats at 1325, 1327 and 1329, 123456 at 9851, 77 in input register 0, coil 3 set. @returns its TCP port */
export const pymodbus = async (test: Test, framing: 'tcp' | 'rtu' | 'ascii'): Promise<number> =>
  Number(await started(test, python ?? 'python3', ['-c', PYMODBUS, framing]));

const LIBMODBUS = `
import ctypes, sys
lib = ctypes.CDLL('libmodbus.so.5')
lib.modbus_new_rtu.restype = ctypes.c_void_p
lib.modbus_mapping_new.restype = ctypes.c_void_p
context = ctypes.c_void_p(lib.modbus_new_rtu(sys.argv[1].encode(), int(sys.argv[2]), ctypes.c_char(sys.argv[3].encode()), 8, int(sys.argv[4])))
lib.modbus_set_slave(context, 7)
mapping = ctypes.c_void_p(lib.modbus_mapping_new(8, 8, 200, 200))
if lib.modbus_connect(context) != 0: sys.exit(1)
print('ready', flush=True)
query = ctypes.create_string_buffer(260)
while True:
    length = lib.modbus_receive(context, query)
    if length > 0: lib.modbus_reply(context, query, length, mapping)
`;

/** libmodbus as unit 7 on a serial port, with 200 registers of 0. */
export const libmodbus = async (test: Test, path: string, baudRate: number, parity: 'N' | 'E', stopBits: 1 | 2) =>
  started(test, '/usr/bin/python3', ['-c', LIBMODBUS, path, `${baudRate}`, parity, `${stopBits}`]);

/** One round of mbpoll. @returns what it wrote */
export const mbpoll = async (...args: readonly string[]): Promise<string> => {
  const child = spawn('mbpoll', ['-1', '-0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (written += bytes.toString()));
  await once(child, 'close');
  return written;
};
