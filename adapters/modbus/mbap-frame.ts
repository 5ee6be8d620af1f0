// The header of Modbus TCP: transaction, length, unit (Modbus Messaging on TCP/IP Implementation Guide section 3.1).
import { ok, type Result } from '../../gateway/kernel/result.js';
import type { ModbusFault } from './link.js';
import { decodePdu, encodePdu, protocolFault, type ModbusRequest } from './pdu.js';

const HEADER = 7;
/** The largest frame there is: 7 bytes of header, 253 of request or answer. */
const LONGEST = 260;

export function encodeFrame(transaction: number, request: ModbusRequest): Buffer {
  const pdu = encodePdu(request);
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(request.unit, 6);
  return Buffer.concat([header, pdu]);
}

/** The length of the first frame in `received`; undefined while that cannot be told; a fault where no frame begins so. */
export function frameLength(received: Buffer): Result<number | undefined, ModbusFault> {
  if (received.length < 6) return ok(undefined);
  if (received.readUInt16BE(2) !== 0) return protocolFault('not a Modbus frame');
  const length = received.readUInt16BE(4) + 6;
  return length < HEADER + 2 || length > LONGEST ? protocolFault(`frame of ${length} bytes`) : ok(length);
}

/** The words that a complete frame answers to `request`; none for a write. */
export function decodeFrame(frame: Buffer, transaction: number, request: ModbusRequest): Result<Buffer, ModbusFault> {
  if (frame.readUInt16BE(0) !== transaction) return protocolFault('answer to another transaction');
  const unit = frame.readUInt8(6);
  if (unit !== request.unit) return protocolFault(`answer of unit ${unit}, not ${request.unit}`);
  return decodePdu(frame.subarray(HEADER), request);
}
