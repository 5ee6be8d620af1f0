// ASCII frames: colon, unit and PDU in hexadecimal, LRC, end of line (Modbus over Serial Line 1.02 section 2.5.2). For the ABL eMH1.
import type { FrameShape, WireFrame } from './wire-framing.js';

const COLON = 0x3a;
const RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** Colon, 255 bytes as two characters each, CR and LF. */
const LONGEST = 513;

const lrc = (body: Buffer): number => {
  let sum = 0;
  for (const byte of body) sum = (sum + byte) & 0xff;
  return -sum & 0xff;
};

export const asciiShape: FrameShape = {
  longest: LONGEST,

  encode(unit, pdu) {
    const body = Buffer.concat([Buffer.from([unit]), pdu]);
    return Buffer.from(
      `:${Buffer.concat([body, Buffer.from([lrc(body)])])
        .toString('hex')
        .toUpperCase()}\r\n`,
      'latin1',
    );
  },

  frameAt(bytes, at): WireFrame | 'incomplete' | undefined {
    if (bytes[at] !== COLON) return undefined;
    let end = at + 1;
    while (end < bytes.length && isHex(bytes[end] ?? 0)) end += 1;
    if (end - at > LONGEST) return undefined;
    if (end === bytes.length || (bytes[end] === RETURN && end + 1 === bytes.length)) return 'incomplete';
    const length = end - at - 1;
    if (bytes[end] !== RETURN || bytes[end + 1] !== LINE_FEED || length < 6 || length % 2 === 1) return undefined;
    const whole = Buffer.from(bytes.toString('latin1', at + 1, end), 'hex');
    const body = whole.subarray(0, -1);
    const unit = body[0];
    if (unit === undefined || lrc(body) !== whole.at(-1)) return undefined;
    return { end: end + 2, unit, pdu: body.subarray(1) };
  },
};

const isHex = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
