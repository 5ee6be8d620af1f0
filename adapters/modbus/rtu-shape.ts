// RTU frames: unit, PDU, CRC with its low byte first (Modbus over Serial Line 1.02 section 2.5.1).
import { crc16 } from './crc16.js';
import { IDENTIFICATION, IDENTIFICATION_MEI, identificationLength } from './pdu.js';
import type { FrameShape, WireFrame } from './wire-framing.js';

const SHORTEST = 5;
const LONGEST = 260;

/** Another master's request to read, and every request and answer that has a length of its own. */
const FIXED = 8;

/** Exceptions to functions up to 16; what is above is noise here, and half of all noise would have to be checked. */
const LAST_EXCEPTION = 0x90;

/** The length that an answer with these first bytes has, with its CRC; undefined for functions that nobody here asks for. */
function answerLength(fc: number, third: number): number | undefined {
  if (fc > 0x80) return fc <= LAST_EXCEPTION || fc === IDENTIFICATION + 0x80 ? SHORTEST : undefined;
  if (fc >= 1 && fc <= 4) return SHORTEST + third;
  return fc === 5 || fc === 6 || fc === 15 || fc === 16 ? FIXED : undefined;
}

/** An identification says its length only with its last object. */
function identificationEnd(bytes: Buffer, at: number): number | 'incomplete' | undefined {
  const pdu = bytes.subarray(at + 1);
  if (pdu[1] !== IDENTIFICATION_MEI) return undefined;
  const length = identificationLength(pdu);
  if (length !== undefined) return length + 3;
  return pdu.length < LONGEST ? 'incomplete' : undefined;
}

const isFrame = (bytes: Buffer, at: number, end: number): boolean =>
  end <= bytes.length && crc16(bytes, at, end - 2) === ((bytes[end - 2] ?? 0) | ((bytes[end - 1] ?? 0) << 8));

const whole = (bytes: Buffer, at: number, end: number): WireFrame => ({
  end,
  unit: bytes[at] ?? 0,
  pdu: bytes.subarray(at + 1, end - 2),
});

export const rtuShape: FrameShape = {
  longest: LONGEST,

  encode(unit, pdu) {
    const frame = Buffer.alloc(pdu.length + 3);
    frame.writeUInt8(unit, 0);
    pdu.copy(frame, 1);
    frame.writeUInt16LE(crc16(frame, 0, frame.length - 2), frame.length - 2);
    return frame;
  },

  frameAt(bytes, at): WireFrame | 'incomplete' | undefined {
    const unit = bytes[at];
    const fc = bytes[at + 1];
    const third = bytes[at + 2];
    if (unit === undefined || fc === undefined || third === undefined) return 'incomplete';
    const length = fc === IDENTIFICATION ? identificationEnd(bytes, at) : answerLength(fc, third);
    if (length === 'incomplete' || length === undefined) return length;
    if (isFrame(bytes, at, at + length)) return whole(bytes, at, at + length);
    if (fc <= 4 && isFrame(bytes, at, at + FIXED)) return whole(bytes, at, at + FIXED);
    return at + length > bytes.length || (fc <= 4 && at + FIXED > bytes.length) ? 'incomplete' : undefined;
  },
};
