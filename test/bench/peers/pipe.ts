// Baseline `pipe`: one upstream WebSocket a charger; every message is parsed, validated and passed on as it was.
// Arguments: the port of the CSMS.
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { validity } from './validators.js';

const upstream = Number(process.argv[2]);
const valid = await validity();
const options = { perMessageDeflate: false };

/** Passes on what one side says; `own` are its open questions, `others` those of the other side. */
function passOn(
  data: unknown,
  own: Map<string, string>,
  others: Map<string, string>,
  to: (text: string) => void,
): void {
  const text = String(data);
  const [type, id, what, payload] = JSON.parse(text) as [number, string, string, unknown];
  if (type === 2) {
    if (!valid(what, 'request', payload)) return;
    own.set(id, what);
  } else {
    const action = others.get(id);
    others.delete(id);
    if (action === undefined || (type === 3 && !valid(action, 'response', what))) return;
  }
  to(text);
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096, ...options });
server.on('connection', (charger, request) => {
  const csms = new WebSocket(`ws://127.0.0.1:${upstream}${request.url ?? '/'}`, ['ocpp1.6'], options);
  const ofCharger = new Map<string, string>();
  const ofCsms = new Map<string, string>();
  let early: string[] | undefined = [];
  const up = (text: string): void => {
    if (early === undefined) csms.send(text);
    else early.push(text);
  };
  charger.on('message', (data) => passOn(data, ofCharger, ofCsms, up));
  csms.on('message', (data) => passOn(data, ofCsms, ofCharger, (text) => charger.send(text)));
  csms.on('open', () => {
    for (const text of early ?? []) csms.send(text);
    early = undefined;
  });
  const end = (): void => {
    charger.terminate();
    csms.terminate();
  };
  for (const socket of [charger, csms]) socket.on('close', end).on('error', end);
});
server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
