// One simulated OCPP 1.6 charger of the load: cheap framing, one question at a time, says yes to whatever it is asked.
import { connect, type Socket } from 'node:net';
import { Cutter, frameOf, Opcode, Stencil } from './wire.js';

const ID_PREFIX = '7f0c9b12-4e1d-4a7b-9c55-';
const ID_DIGITS = 12;
const MOMENT = '2026-01-01T00:00:00.000Z';
const REGISTER = '1000000.0';

/** Called for each answer, with the milliseconds of performance.now() at which its message was due. */
export type OnAnswer = (charger: Charger, due: number, failed: boolean) => void;

interface Waiting {
  readonly due: number;
  readonly done: ((payload: unknown, failed: boolean) => void) | undefined;
}

export class Charger {
  readonly identity: string;
  onAnswer: OnAnswer = () => undefined;
  onLost: () => void = () => undefined;
  /** Answers that fit no question: a gateway that mixes ids up is not fast but broken. */
  stray = 0;
  /** Questions that the other side has asked. */
  asked = 0;
  #socket: Socket | undefined;
  #sent = 0;
  #waiting = new Map<string, Waiting>();
  #values: Stencil | undefined;
  #places = { id: 0, moment: 0, register: 0 };

  constructor(readonly index: number) {
    this.identity = identityOf(index);
  }

  /** Resolves when the WebSocket is open; rejects when it is refused. */
  connect(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      this.#socket = socket;
      this.#waiting = new Map();
      const cutter = new Cutter((opcode, payload) => this.#frame(opcode, payload));
      let head = '';
      let open = false;
      socket.on('connect', () =>
        socket.write(
          `GET /ocpp/${this.identity} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
            'Sec-WebSocket-Key: Zm9yZWNvdXJ0LWJlbmNoLQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n',
        ),
      );
      socket.on('data', (chunk: Buffer) => {
        if (open) return cutter.feed(chunk);
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        if (!head.startsWith('HTTP/1.1 101')) {
          socket.destroy();
          return reject(new Error(`refused: ${head.slice(0, 30)}`));
        }
        open = true;
        resolve();
        if (head.length > end + 4) cutter.feed(Buffer.from(head.slice(end + 4), 'latin1'));
        head = '';
      });
      socket.on('error', reject);
      socket.on('close', () => {
        reject(new Error('closed'));
        if (this.#socket === socket) this.onLost();
      });
    });
  }

  /** Cuts the line as a power failure does: no closing handshake. */
  drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  ask(action: string, payload: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const done = (answer: unknown, failed: boolean): void =>
        failed ? reject(new Error(`${action}: ${JSON.stringify(answer)}`)) : resolve(answer);
      this.#waiting.set(id, { due: performance.now(), done });
      this.#write(JSON.stringify([2, id, action, payload]));
    });
  }

  boot(): Promise<unknown> {
    return this.ask('BootNotification', {
      chargePointVendor: 'Bench',
      chargePointModel: 'Wall 22',
      chargePointSerialNumber: this.identity,
      firmwareVersion: '3.1.4',
    });
  }

  status(status: 'Available' | 'Charging'): Promise<unknown> {
    const timestamp = new Date().toISOString();
    return this.ask('StatusNotification', { connectorId: 1, errorCode: 'NoError', status, timestamp });
  }

  /** @returns the transactionId that whoever is up there has given */
  async start(): Promise<number> {
    const answer = await this.ask('StartTransaction', {
      connectorId: 1,
      idTag: `TAG${String(this.index).padStart(6, '0')}`,
      meterStart: 1_000_000,
      timestamp: new Date().toISOString(),
    });
    return Number((answer as { transactionId?: unknown }).transactionId);
  }

  /** What `sendValues` sends from now on: six values of a three-phase car, as wall boxes send them. */
  prepareValues(transactionId: number): void {
    const common = { context: 'Sample.Periodic', format: 'Raw', location: 'Outlet' };
    const sampledValue = [
      { value: REGISTER, measurand: 'Energy.Active.Import.Register', unit: 'Wh', ...common },
      { value: '10980.4', measurand: 'Power.Active.Import', unit: 'W', ...common },
      { value: '15.91', measurand: 'Current.Import', phase: 'L1', unit: 'A', ...common },
      { value: '15.87', measurand: 'Current.Import', phase: 'L2', unit: 'A', ...common },
      { value: '15.94', measurand: 'Current.Import', phase: 'L3', unit: 'A', ...common },
      { value: '230.6', measurand: 'Voltage', phase: 'L1-N', unit: 'V', ...common },
    ];
    const payload = { connectorId: 1, transactionId, meterValue: [{ timestamp: MOMENT, sampledValue }] };
    const text = JSON.stringify([2, ID_PREFIX + '0'.repeat(ID_DIGITS), 'MeterValues', payload]);
    this.#values = new Stencil(text);
    this.#places = {
      id: text.indexOf(ID_PREFIX) + ID_PREFIX.length,
      moment: text.indexOf(MOMENT),
      register: text.indexOf(REGISTER),
    };
  }

  /** @param due when the message should have left: latency is counted from there */
  sendValues(moment: string, due: number): void {
    const stencil = this.#values;
    if (stencil === undefined) throw new Error('prepareValues comes first');
    const id = this.#nextId();
    stencil.put(this.#places.id, id.slice(ID_PREFIX.length));
    stencil.put(this.#places.moment, moment);
    stencil.put(this.#places.register, `${1_000_000 + this.#sent}.0`);
    this.#waiting.set(id, { due, done: undefined });
    this.#socket?.write(stencil.print());
  }

  /** Bytes of one MeterValues message, the frame's head not counted. */
  get messageSize(): number {
    return this.#values?.size ?? 0;
  }

  get unanswered(): number {
    return this.#waiting.size;
  }

  #nextId(): string {
    return ID_PREFIX + String(++this.#sent).padStart(ID_DIGITS, '0');
  }

  #write(text: string): void {
    this.#socket?.write(frameOf(Buffer.from(text), true));
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.Ping) this.#socket?.write(frameOf(payload, true, Opcode.Pong));
    if (opcode !== Opcode.Text) return;
    if (payload[1] === 0x32) return this.#answer(payload);
    const quote = payload.indexOf(0x22);
    const id = payload.toString('latin1', quote + 1, payload.indexOf(0x22, quote + 1));
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) {
      this.stray++;
      return;
    }
    this.#waiting.delete(id);
    const failed = payload[1] !== 0x33;
    if (waiting.done === undefined) return this.onAnswer(this, waiting.due, failed);
    const answer = JSON.parse(payload.toString()) as unknown[];
    waiting.done(failed ? answer : answer[2], failed);
  }

  #answer(payload: Buffer): void {
    this.asked++;
    const [, id, action] = JSON.parse(payload.toString()) as [number, string, string];
    this.#write(JSON.stringify([3, id, answerTo(action)]));
  }
}

function answerTo(action: string): object {
  if (action === 'GetConfiguration') return { configurationKey: [], unknownKey: [] };
  if (action === 'GetLocalListVersion') return { listVersion: 0 };
  return { status: 'Accepted' };
}

export const identityOf = (index: number): string => `CP${String(index).padStart(5, '0')}`;
