// One request and the check that an answer belongs to it, on any transport. The jsmodbus codec sees only answers of the right function and length.
import { requests, responses } from 'jsmodbus';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { BitFunction, ReadFunction, WriteFunction } from './device-profile.js';
import { printable, type DeviceIdentification, type ModbusFault } from './link.js';

/** Read Device Identification: function 43 with MEI type 14. */
export const IDENTIFICATION = 43;
export const IDENTIFICATION_MEI = 14;
/** Read code of the basic stream, and its first object. */
const BASIC = [1, 0] as const;
/** Function, MEI type, read code, conformity, more follows, next object, number of objects. */
const IDENTIFICATION_HEADER = 7;

export type ModbusRequest =
  | {
      readonly kind: 'read';
      readonly unit: number;
      readonly fc: ReadFunction;
      readonly address: number;
      readonly count: number;
    }
  | { readonly kind: 'bit'; readonly unit: number; readonly fc: BitFunction; readonly address: number }
  | { readonly kind: 'identification'; readonly unit: number; readonly fc: typeof IDENTIFICATION }
  | {
      readonly kind: 'write';
      readonly unit: number;
      readonly fc: WriteFunction;
      readonly address: number;
      readonly words: Buffer;
    };

/** The function code and data of a request, without address, header or checksum. */
export function encodePdu(request: ModbusRequest): Buffer {
  if (request.kind === 'identification') return Buffer.from([IDENTIFICATION, IDENTIFICATION_MEI, ...BASIC]);
  if (request.kind === 'bit') {
    return request.fc === 1
      ? new requests.ReadCoilsRequestBody(request.address, 1).createPayload()
      : new requests.ReadDiscreteInputsRequestBody(request.address, 1).createPayload();
  }
  if (request.kind === 'read') {
    return request.fc === 3
      ? new requests.ReadHoldingRegistersRequestBody(request.address, request.count).createPayload()
      : new requests.ReadInputRegistersRequestBody(request.address, request.count).createPayload();
  }
  if (request.fc === 5)
    return new requests.WriteSingleCoilRequestBody(
      request.address,
      request.words.readUInt16BE(0) !== 0,
    ).createPayload();
  return request.fc === 6
    ? new requests.WriteSingleRegisterRequestBody(request.address, request.words.readUInt16BE(0)).createPayload()
    : new requests.WriteMultipleRegistersRequestBody(request.address, request.words).createPayload();
}

/** The words that `pdu` answers to `request`, or the byte that holds a bit, or the objects of an identification; none for a write. */
export function decodePdu(pdu: Buffer, request: ModbusRequest): Result<Buffer, ModbusFault> {
  const fc = pdu[0];
  if (fc === request.fc + 0x80) {
    const code = pdu[1];
    return code !== undefined && pdu.length === 2
      ? failed({ kind: 'exception', code })
      : protocolFault('exception of the wrong length');
  }
  if (fc !== request.fc) return protocolFault(`answer with function ${fc}, not ${request.fc}`);
  if (request.kind === 'bit') return decodeBit(pdu);
  if (request.kind === 'identification') return decodeIdentification(pdu);
  return request.kind === 'read' ? decodeRead(pdu, request.count) : decodeWrite(pdu, request);
}

function decodeRead(pdu: Buffer, count: number): Result<Buffer, ModbusFault> {
  if (pdu.length !== 2 + count * 2 || pdu[1] !== count * 2) return protocolFault(`answer is not ${count} registers`);
  const body = responses.ResponseFactory.fromBuffer(pdu);
  const isRead =
    body instanceof responses.ReadHoldingRegistersResponseBody ||
    body instanceof responses.ReadInputRegistersResponseBody;
  return isRead ? ok(body.valuesAsBuffer) : protocolFault('answer that cannot be decoded');
}

/** One bit comes as the lowest of a byte; what fills the byte up means nothing (Modbus specification section 6.1). */
function decodeBit(pdu: Buffer): Result<Buffer, ModbusFault> {
  return pdu.length === 3 && pdu[1] === 1 ? ok(pdu.subarray(2)) : protocolFault('answer is not one bit');
}

/** The length of an answer to function 43/14 by the objects that it lists; undefined while that cannot be told. */
export function identificationLength(pdu: Buffer): number | undefined {
  const objects = pdu[IDENTIFICATION_HEADER - 1];
  if (objects === undefined) return undefined;
  let length = IDENTIFICATION_HEADER;
  for (let i = 0; i < objects; i++) {
    const text = pdu[length + 1];
    if (text === undefined) return undefined;
    length += 2 + text;
  }
  return length;
}

function decodeIdentification(pdu: Buffer): Result<Buffer, ModbusFault> {
  return pdu[1] === IDENTIFICATION_MEI && identificationLength(pdu) === pdu.length
    ? ok(pdu.subarray(IDENTIFICATION_HEADER))
    : protocolFault('answer is not an identification');
}

/** The texts of the basic objects 0, 1 and 2. @param objects as `decodePdu` has found them good */
export function identificationOf(objects: Buffer): DeviceIdentification {
  const texts = new Map<number, string>();
  for (let at = 0; at + 1 < objects.length; at += 2 + (objects[at + 1] ?? 0)) {
    const text = objects.toString('latin1', at + 2, at + 2 + (objects[at + 1] ?? 0));
    texts.set(objects[at] ?? 0, printable(text));
  }
  const [vendor, product, revision] = [0, 1, 2].map((id) => texts.get(id) ?? '');
  return {
    ...(vendor && { vendor }),
    ...(product && { product }),
    ...(revision && { revision }),
  };
}

function decodeWrite(pdu: Buffer, request: ModbusRequest & { kind: 'write' }): Result<Buffer, ModbusFault> {
  if (pdu.length !== 5) return protocolFault('answer to a write of the wrong length');
  const body = responses.ResponseFactory.fromBuffer(pdu);
  const taken =
    body instanceof responses.WriteSingleCoilResponseBody
      ? body.address === request.address && body.value === (request.words.readUInt16BE(0) !== 0)
      : body instanceof responses.WriteSingleRegisterResponseBody
        ? body.address === request.address && body.value === request.words.readUInt16BE(0)
        : body instanceof responses.WriteMultipleRegistersResponseBody
          ? body.start === request.address && body.quantity === request.words.length / 2
          : false;
  return taken ? ok(Buffer.alloc(0)) : protocolFault('write echoed with another address or value');
}

export const protocolFault = (detail: string): Result<never, ModbusFault> => failed({ kind: 'protocol', detail });
