// Modbus in datagrams: Modbus TCP frames and RTU frames, lost, doubled, late and cut ones.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { modbusFrame } from '../../../simulation/modbus-slave.js';
import { rtuFrame } from '../../../simulation/rtu-slave.js';
import { recordingLog } from '../../fakes/recording-log.js';

type Answer = (request: Buffer) => readonly Buffer[];

async function bench(test: Test, kind: 'udp' | 'rtu-over-udp', answer: Answer) {
  const server = createSocket('udp4');
  server.on('message', (request, { port, address }) => {
    for (const datagram of answer(request)) server.send(datagram, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = { kind, host: '127.0.0.1', port: server.address().port } as const;
  const link = openModbusLink(connection, { clock: systemClock, log: recordingLog() });
  test.teardown(async () => {
    await link.stop();
    server.close();
  });
  return async (address: number): Promise<string> => {
    const outcome = await link.read(1, 3, address, 1, { timeoutMs: 200 });
    return outcome.ok ? outcome.value.toString('hex') : outcome.error.kind;
  };
}

const pdu = (address: number): Buffer => Buffer.from([3, 2, 0, address]);
const plain = (request: Buffer): Buffer => modbusFrame(request.readUInt16BE(0), 1, pdu(request.readUInt8(9)));

t.test('Modbus TCP frames', async (test) => {
  const read = await bench(test, 'udp', (request) => [plain(request)]);
  test.equal(await read(5), '0005');
  test.equal(await read(6), '0006');
});

t.test('Modbus TCP frames: lost, then doubled, then of another transaction', async (test) => {
  let turn = 0;
  const read = await bench(test, 'udp', (request) => {
    turn += 1;
    if (turn === 1) return [];
    if (turn === 2) return [plain(request), plain(request)];
    if (turn === 3) return [modbusFrame(request.readUInt16BE(0) - 1, 1, pdu(99))];
    return [plain(request)];
  });
  test.equal(await read(1), 'timeout');
  test.equal(await read(2), '0002');
  test.equal(await read(3), 'protocol');
  test.equal(await read(4), '0004');
});

t.test('RTU frames, whole and in two datagrams', async (test) => {
  const read = await bench(test, 'rtu-over-udp', (request) => {
    const frame = rtuFrame(1, pdu(request.readUInt8(3)));
    return request.readUInt8(3) < 8 ? [frame] : [frame.subarray(0, 4), frame.subarray(4)];
  });
  test.equal(await read(5), '0005');
  test.equal(await read(9), '0009');
});
