// An OCPP 1.6 charger that dials until it is let in, and says yes to everything. Usage: node charger.mjs <url>
import { WebSocket } from 'ws';

const [url] = process.argv.slice(2);

function dial() {
  const socket = new WebSocket(url, 'ocpp1.6');
  socket.on('open', () => {
    const boot = { chargePointVendor: 'Forecourt', chargePointModel: 'Proof' };
    socket.send(JSON.stringify([2, 'boot', 'BootNotification', boot]));
    const free = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
    socket.send(JSON.stringify([2, 'status', 'StatusNotification', free]));
  });
  socket.on('message', (data) => {
    const [type, id, action] = JSON.parse(data.toString());
    if (type !== 2) return;
    const answer = action === 'GetConfiguration' ? { configurationKey: [] } : { status: 'Accepted' };
    socket.send(JSON.stringify([3, id, answer]));
  });
  // A close follows.
  socket.on('error', (err) => process.stderr.write(`${err.message}\n`));
  socket.on('close', () => setTimeout(dial, 500));
}

dial();
