// Whatever bytes a device sends, reading them ends in a value or a fault, never in an exception of ours.
import t from 'tap';
import fc from 'fast-check';
import type { ModbusRequest } from '../../../adapters/modbus/pdu.js';
import { decodeFrame, encodeFrame, frameLength } from '../../../adapters/modbus/mbap-frame.js';

const read = (count: number, code: 3 | 4): ModbusRequest => ({ kind: 'read', unit: 1, fc: code, address: 10, count });
const write = (code: 6 | 16): ModbusRequest => ({
  kind: 'write',
  unit: 1,
  fc: code,
  address: 10,
  words: Buffer.from([0, 1]),
});
const requests = fc.constantFrom(read(1, 3), read(2, 4), read(125, 3), write(6), write(16));

t.test('any bytes', (test) => {
  fc.assert(
    fc.property(requests, fc.uint8Array({ maxLength: 300 }), (request, bytes) => {
      const received = Buffer.from(bytes);
      const length = frameLength(received);
      if (length.ok && length.value !== undefined && length.value <= received.length) {
        decodeFrame(received.subarray(0, length.value), 1, request);
      }
    }),
    { numRuns: 500 },
  );
  test.end();
});

t.test('any answer behind a proper header, of which only the fitting ones are values', (test) => {
  fc.assert(
    fc.property(requests, fc.uint8Array({ minLength: 2, maxLength: 253 }), fc.boolean(), (request, bytes, own) => {
      const pdu = Buffer.from(bytes);
      if (own) pdu.writeUInt8(request.fc, 0);
      const frame = Buffer.concat([Buffer.from([0, 1, 0, 0, 0, pdu.length + 1, 1]), pdu]);
      const outcome = decodeFrame(frame, 1, request);
      if (!outcome.ok) return true;
      return request.kind === 'read' ? outcome.value.length === request.count * 2 : outcome.value.length === 0;
    }),
    { numRuns: 500 },
  );
  test.end();
});

t.test('a request is the bytes of the specification', (test) => {
  test.equal(encodeFrame(0x1234, read(2, 3)).toString('hex'), '12340000000601' + '03000a0002');
  test.equal(encodeFrame(1, read(1, 4)).toString('hex'), '00010000000601' + '04000a0001');
  test.equal(encodeFrame(1, write(6)).toString('hex'), '00010000000601' + '06000a0001');
  test.equal(encodeFrame(1, write(16)).toString('hex'), '00010000000901' + '10000a0001020001');
  test.end();
});
