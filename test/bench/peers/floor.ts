// Baseline `floor`: the least that the whole job can cost on ws. Many chargers on one upstream WebSocket, every message parsed,
// validated and synced to a file before it goes up; no site, no transactions, no second CSMS, no answer of its own.
// Arguments: the port of the CSMS, the folder of the journal.
import { closeSync, fdatasync, openSync, writev } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { validity } from './validators.js';

interface Question {
  readonly charger: WebSocket;
  readonly id: string;
  readonly action: string;
}

const [, , upstream, folder = '.'] = process.argv;
const valid = await validity();
const options = { perMessageDeflate: false };
const journal = openSync(join(folder, 'floor.log'), 'a');
const csms = new WebSocket(`ws://127.0.0.1:${upstream}/SITE`, ['ocpp1.6'], options);
await new Promise((resolve) => csms.once('open', resolve));
const stream = (csms as unknown as { readonly _socket: Socket })._socket;

const questions = new Map<string, Question>();
let asked = 0;
let waiting: { readonly bytes: Buffer; readonly text: string }[] = [];
let writing = false;

/** One write and one sync for all that came while the one before was under way. */
function flush(): void {
  if (writing || waiting.length === 0) return;
  writing = true;
  const batch = waiting;
  waiting = [];
  writev(
    journal,
    batch.map(({ bytes }) => bytes),
    (failed) => {
      if (failed) throw failed;
      fdatasync(journal, (refused) => {
        if (refused) throw refused;
        writing = false;
        stream.cork();
        for (const { text } of batch) csms.send(text);
        stream.uncork();
        flush();
      });
    },
  );
}

/** The text with another message id. */
function renamed(text: string, id: string): string {
  const start = text.indexOf('"') + 1;
  return text.slice(0, start) + id + text.slice(text.indexOf('"', start));
}

function fromCharger(charger: WebSocket, data: Buffer): void {
  const text = data.toString();
  const [type, id, action, payload] = JSON.parse(text) as [number, string, string, unknown];
  if (type !== 2 || !valid(action, 'request', payload)) return;
  const name = (++asked).toString(36);
  questions.set(name, { charger, id, action });
  waiting.push({ bytes: data, text: renamed(text, name) });
  if (waiting.length === 1) setImmediate(flush);
}

csms.on('message', (data: Buffer) => {
  const text = data.toString();
  const [type, name, payload] = JSON.parse(text) as [number, string, unknown];
  const question = questions.get(name);
  questions.delete(name);
  if (question === undefined || (type === 3 && !valid(question.action, 'response', payload))) return;
  question.charger.send(renamed(text, question.id));
});

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096, ...options });
server.on('connection', (charger) => {
  charger.on('message', (data: Buffer) => fromCharger(charger, data));
  charger.on('error', () => charger.terminate());
});
server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => {
  closeSync(journal);
  process.exit(0);
});
