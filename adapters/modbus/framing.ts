// Between the bytes of a channel and the answer to one request: what is sent, and what of the received can be believed.
import type { Result } from '../../gateway/kernel/result.js';
import type { ModbusFault } from './link.js';
import type { ModbusRequest } from './pdu.js';

export interface Verdict {
  readonly outcome: Result<Buffer, ModbusFault>;
  /** False: what comes next on this connection cannot be told from answers, so it has to be renewed. */
  readonly inStep: boolean;
}

/** Why no answer was found in time. */
export interface Missed {
  /**
   * `silence`: not a byte. `garbled`: bytes that are no frame. `misfit`: a valid frame that does not answer the request.
   */
  readonly cause: 'silence' | 'garbled' | 'misfit';
  readonly detail: string;
}

/** Handles one request at a time; keeps what it has learned of the wire. */
export interface Framing {
  /**
   * Answers carry the number of their request and a late one is told by it. Otherwise a late answer looks like that to the
   * next request of the same unit and length.
   */
  readonly numbered: boolean;
  /** Several devices hear every frame: unit 0 is all of them, and nobody answers (Modbus over Serial Line 1.02 section 2.1). */
  readonly shared: boolean;
  /** The adapter sends back what is sent, as RS-485 adapters do that listen while they talk; dropped here. */
  readonly echoing: boolean;
  /** The bytes to send. What was received before is forgotten. */
  begin(request: ModbusRequest): Buffer;
  /** Takes further bytes; undefined until they make an answer. */
  take(bytes: Buffer): Verdict | undefined;
  missed(): Missed;
}
