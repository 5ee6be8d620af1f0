// A bare WebSocket codec for the measuring side, so that chargers and CSMS cost little next to what is measured.
import { createHash } from 'node:crypto';

/** A fixed mask is still a mask: the receiving side does all the work that RFC 6455 section 5.3 asks of it. */
const MASK = [0x5a, 0xc3, 0x17, 0x88] as const;
const maskAt = (i: number): number => MASK[(i & 3) as 0 | 1 | 2 | 3];

export const Opcode = { Text: 1, Close: 8, Ping: 9, Pong: 10 } as const;

/** One whole frame around a payload. */
export function frameOf(payload: Buffer, masked: boolean, opcode: number = Opcode.Text): Buffer {
  const length = payload.length;
  const head = length < 126 ? 2 : 4;
  if (length > 0xffff) throw new RangeError('the bench sends no such long frame');
  const at = head + (masked ? 4 : 0);
  const frame = Buffer.allocUnsafe(at + length);
  frame[0] = 0x80 | opcode;
  if (head === 2) frame[1] = length;
  else {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  }
  if (!masked) {
    payload.copy(frame, at);
    return frame;
  }
  frame[1] = (frame[1] ?? 0) | 0x80;
  for (let i = 0; i < 4; i++) frame[head + i] = maskAt(i);
  for (let i = 0; i < length; i++) frame[at + i] = (payload[i] ?? 0) ^ maskAt(i);
  return frame;
}

/** A masked frame written once, of which only places of fixed width change from message to message. */
export class Stencil {
  readonly #frame: Buffer;
  readonly #start: number;
  readonly size: number;

  constructor(text: string) {
    const payload = Buffer.from(text, 'latin1');
    this.size = payload.length;
    this.#frame = frameOf(payload, true);
    this.#start = this.#frame.length - payload.length;
  }

  /** @param at offset in the text; `text` must be as long as what it replaces */
  put(at: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.#frame[this.#start + at + i] = text.charCodeAt(i) ^ maskAt(at + i);
  }

  print(): Buffer {
    return Buffer.from(this.#frame);
  }
}

/** Told of every frame; `payload` is unmasked. */
export type OnFrame = (opcode: number, payload: Buffer) => void;

/** Cuts a stream of bytes into frames. Fragments are not put together: neither side of the bench makes any. */
export class Cutter {
  #rest: Buffer | undefined;

  constructor(readonly onFrame: OnFrame) {}

  feed(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (data.length - at >= 2) {
      const second = data[at + 1] ?? 0;
      let length = second & 0x7f;
      let head = 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = data.readUInt32BE(at + 6);
        head = 10;
      }
      const masked = (second & 0x80) !== 0;
      const start = at + head + (masked ? 4 : 0);
      if (data.length < start + length) break;
      const payload = data.subarray(start, start + length);
      if (masked) unmask(payload, data.subarray(at + head, at + head + 4));
      this.onFrame((data[at] ?? 0) & 0x0f, payload);
      at = start + length;
    }
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }
}

function unmask(payload: Buffer, mask: Buffer): void {
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
}

/** The answer to Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
export const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
