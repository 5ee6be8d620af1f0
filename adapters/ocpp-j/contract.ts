// What the adapters above the wire see of an OCPP-J connection, in either role and version.
import type { Milliseconds } from '../../gateway/kernel/units.js';

export type OcppVersion = 'ocpp1.6' | 'ocpp2.0.1';

/** A JSON object whose shape the validators of this version have checked. */
export type Payload = Readonly<Record<string, unknown>>;

export interface IncomingCall {
  readonly action: string;
  readonly payload: Payload;
  /** The frame as it came, where a part of it has to travel on unchanged. */
  readonly text: string;
}

/** Canonical (correctly spelt) error codes; each version's own literal goes on the wire. */
export type RpcErrorCode =
  | 'FormatViolation'
  | 'GenericError'
  | 'InternalError'
  | 'MessageTypeNotSupported'
  | 'NotImplemented'
  | 'NotSupported'
  | 'OccurrenceConstraintViolation'
  | 'PropertyConstraintViolation'
  | 'ProtocolError'
  | 'RpcFrameworkError'
  | 'SecurityError'
  | 'TypeConstraintViolation';

export type CallAnswer =
  | {
      readonly kind: 'result';
      readonly payload: Payload;
      /** Runs after the answer has left. */ readonly afterwards?: () => void;
    }
  | { readonly kind: 'error'; readonly code: RpcErrorCode; readonly description: string };

/** Answers one CALL of the other side; a rejected promise is answered InternalError and logged. */
export type CallHandler = (call: IncomingCall) => Promise<CallAnswer>;

/** How a CALL of ours ended. */
export type CallOutcome =
  | { readonly kind: 'result'; readonly payload: Payload }
  | { readonly kind: 'error'; readonly code: RpcErrorCode; readonly description: string }
  /** The answer broke the schema beyond repair. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** `late`, where it was asked for: the answer, valid, if it comes on this connection after all. Never rejects. */
  | { readonly kind: 'timeout'; readonly late?: Promise<Payload> }
  /** `sent` tells whether the other side may have carried it out. */
  | { readonly kind: 'closed'; readonly sent: boolean };

export interface CallOptions {
  /** Milliseconds from sending to the answer. */
  readonly timeout: number;
  /** Waiting calls leave by priority (0 first), then in order; default 1. */
  readonly priority?: number;
  /** The answer is still of interest after the time-out; default false. */
  readonly late?: boolean;
  /**
   * Milliseconds from sending: without an answer by then the other side is pinged, and the connection given up when it
   * shows no sign of life for as long again. Never unless given.
   */
  readonly probeAfter?: Milliseconds;
}

/** One OCPP-J connection: at most one CALL outstanding in each direction (OCPP-J 1.6 section 4.1.1, 2.0.1 Part 4 section 4.1.1). */
export interface OcppConnection {
  readonly version: OcppVersion;
  /** Never rejects. The payload must be valid: an invalid one is a fault of ours, logged, and ends as `invalid` without being sent. */
  call(action: string, payload: Payload, options: CallOptions): Promise<CallOutcome>;
  readonly open: boolean;
  close(code: number, reason: string): void;
  /** Breaks the socket at once. */
  terminate(): void;
}
