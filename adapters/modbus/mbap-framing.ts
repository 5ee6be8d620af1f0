// Modbus TCP frames, on a stream or one to a datagram. Their transaction numbers keep answers apart; anything odd ends the connection.
import { failed } from '../../gateway/kernel/result.js';
import type { Framing, Missed, Verdict } from './framing.js';
import type { ModbusFault } from './link.js';
import { decodeFrame, encodeFrame, frameLength } from './mbap-frame.js';
import type { ModbusRequest } from './pdu.js';

const NOTHING: Buffer = Buffer.alloc(0);
const outOfStep = (fault: ModbusFault): Verdict => ({ outcome: failed(fault), inStep: false });

export class MbapFraming implements Framing {
  readonly numbered = true;
  readonly shared = false;
  readonly echoing = false;
  private request: ModbusRequest | undefined;
  private transaction = 0;
  private received = NOTHING;

  begin(request: ModbusRequest): Buffer {
    this.request = request;
    this.received = NOTHING;
    this.transaction = (this.transaction + 1) & 0xffff;
    return encodeFrame(this.transaction, request);
  }

  take(bytes: Buffer): Verdict | undefined {
    if (this.request === undefined) return undefined;
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    const length = frameLength(this.received);
    if (!length.ok) return outOfStep(length.error);
    if (length.value === undefined || this.received.length < length.value) return undefined;
    const outcome = decodeFrame(this.received.subarray(0, length.value), this.transaction, this.request);
    if (!outcome.ok && outcome.error.kind !== 'exception') return outOfStep(outcome.error);
    // More than one answer to one request: the first counts, the connection does not.
    return { outcome, inStep: this.received.length === length.value };
  }

  missed(): Missed {
    return this.received.length === 0
      ? { cause: 'silence', detail: 'no answer in time' }
      : { cause: 'garbled', detail: `${this.received.length} bytes of an unfinished answer` };
  }
}
