// The CSMS of the bench, a process of its own: says yes to every CALL of OCPP 1.6 and 2.0.1 and counts them.
// Arguments: [--interval SECONDS], which it sets as the sampling interval of every 1.6 or 2.0.1 station that has booted.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { acceptOf, Cutter, frameOf, Opcode } from './wire.js';

const place = process.argv.indexOf('--interval');
const interval = place === -1 ? undefined : process.argv[place + 1];
const counted = { calls: 0, values: 0, unreadable: 0 };
let transactions = 1000;

const now = (): string => new Date().toISOString();

function answerTo(action: string, version: string): object {
  const accepted = { status: 'Accepted' };
  const token = version === 'ocpp1.6' ? { idTagInfo: accepted } : { idTokenInfo: accepted };
  switch (action) {
    case 'BootNotification':
      return { currentTime: now(), interval: 300, ...accepted };
    case 'Heartbeat':
      return { currentTime: now() };
    case 'StartTransaction':
      return { ...token, transactionId: ++transactions };
    case 'Authorize':
    case 'StopTransaction':
      return token;
    case 'DataTransfer':
      return accepted;
    default:
      return {};
  }
}

/** Asks for every sample, the way an operator's system does after a boot. */
function samplingRequest(version: string, seconds: string): string {
  return version === 'ocpp1.6'
    ? JSON.stringify([2, 'sampling', 'ChangeConfiguration', { key: 'MeterValueSampleInterval', value: seconds }])
    : JSON.stringify([
        2,
        'sampling',
        'SetVariables',
        {
          setVariableData: [
            {
              component: { name: 'SampledDataCtrlr' },
              variable: { name: 'TxUpdatedInterval' },
              attributeValue: seconds,
            },
          ],
        },
      ]);
}

function serve(socket: Duplex, version: string): void {
  // Everything that one chunk of the stream has asked leaves in one write.
  let out: Buffer[] = [];
  const cutter = new Cutter((opcode, payload) => {
    if (opcode === Opcode.Ping) out.push(frameOf(payload, false, Opcode.Pong));
    if (opcode === Opcode.Close) socket.end(frameOf(payload.subarray(0, 2), false, Opcode.Close));
    if (opcode !== Opcode.Text || payload[1] !== 0x32) return;
    const [, id, action] = /^\[2,"([^"]*)","([^"]*)"/.exec(payload.toString('latin1', 0, 120)) ?? [];
    if (id === undefined || action === undefined) {
      counted.unreadable++;
      return;
    }
    counted.calls++;
    if (action === 'MeterValues' || action === 'TransactionEvent') counted.values++;
    out.push(frameOf(Buffer.from(`[3,"${id}",${JSON.stringify(answerTo(action, version))}]`), false));
    if (action === 'BootNotification' && interval !== undefined)
      out.push(frameOf(Buffer.from(samplingRequest(version, interval)), false));
  });
  socket.on('data', (chunk: Buffer) => {
    cutter.feed(chunk);
    if (out.length > 0 && socket.writable) socket.write(out.length === 1 ? (out[0] ?? '') : Buffer.concat(out));
    out = [];
  });
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
}

const server = createServer();
server.on('upgrade', (request, socket) => {
  const version = (request.headers['sec-websocket-protocol'] ?? '').split(',')[0]?.trim() ?? '';
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${acceptOf(request.headers['sec-websocket-key'] ?? '')}\r\nSec-WebSocket-Protocol: ${version}\r\n\r\n`,
  );
  serve(socket, version);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => process.send?.({ ...counted }));
process.on('disconnect', () => process.exit(0));
