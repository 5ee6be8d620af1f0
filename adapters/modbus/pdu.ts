// One request and the check that an answer belongs to it, on any transport. The jsmodbus codec sees only answers of the right function and length.
import { requests, responses } from 'jsmodbus';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { BitFunction, ReadFunction, WriteFunction } from './device-profile.js';
import type { ModbusFault } from './link.js';

export type ModbusRequest =
  | {
      readonly kind: 'read';
      readonly unit: number;
      readonly fc: ReadFunction;
      readonly address: number;
      readonly count: number;
    }
  | { readonly kind: 'bit'; readonly unit: number; readonly fc: BitFunction; readonly address: number }
  | {
      readonly kind: 'write';
      readonly unit: number;
      readonly fc: WriteFunction;
      readonly address: number;
      readonly words: Buffer;
    };

/** The function code and data of a request, without address, header or checksum. */
export function encodePdu(request: ModbusRequest): Buffer {
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

/** The words that `pdu` answers to `request`, or the byte that holds a bit; none for a write. */
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
