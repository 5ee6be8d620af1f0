// Frames without numbers on a wire that several devices share (RTU, ASCII): an answer is what begins anywhere, is whole, and fits.
import type { Framing, Missed, Verdict } from './framing.js';
import { decodePdu, encodePdu, type ModbusRequest } from './pdu.js';

export interface WireFrame {
  /** Index behind its last byte. */
  readonly end: number;
  readonly unit: number;
  readonly pdu: Buffer;
}

export interface FrameShape {
  /** The longest frame, in bytes. */
  readonly longest: number;
  encode(unit: number, pdu: Buffer): Buffer;
  /** The whole frame that begins at `at`, its checksum right; `incomplete` where more bytes may make one. */
  frameAt(bytes: Buffer, at: number): WireFrame | 'incomplete' | undefined;
}

const NOTHING: Buffer = Buffer.alloc(0);

export class WireFraming implements Framing {
  readonly numbered = false;
  readonly shared = true;
  private request: ModbusRequest | undefined;
  private sent = NOTHING;
  /** The end of what was received, in which a frame may have begun. */
  private pending = NOTHING;
  private heard = 0;
  private misfit: string | undefined;
  private echo: 'unknown' | 'yes' | 'no' = 'unknown';
  private echoSeen = false;
  /** Answers in a row without an echo, on a wire that had one. */
  private withoutEcho = 0;

  constructor(private readonly shape: FrameShape) {}

  get echoing(): boolean {
    return this.echo === 'yes';
  }

  begin(request: ModbusRequest): Buffer {
    this.request = request;
    this.sent = this.shape.encode(request.unit, encodePdu(request));
    this.pending = NOTHING;
    this.heard = 0;
    this.misfit = undefined;
    this.echoSeen = false;
    return this.sent;
  }

  take(chunk: Buffer): Verdict | undefined {
    const { request } = this;
    if (request === undefined) return undefined;
    this.heard += chunk.length;
    const bytes = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    let undecided = bytes.length;
    let at = 0;
    while (at < bytes.length) {
      const echo = this.echoAt(bytes, at, request);
      if (echo === 'whole') {
        at += this.sent.length;
        continue;
      }
      if (echo === 'begun') undecided = Math.min(undecided, at);
      const frame = this.shape.frameAt(bytes, at);
      if (frame === 'incomplete') undecided = Math.min(undecided, at);
      if (frame === undefined || frame === 'incomplete') {
        at += 1;
        continue;
      }
      const verdict = this.judge(frame, request);
      if (verdict !== undefined) return verdict;
      at = frame.end;
    }
    // A copy of its own, so that a flood is not kept alive by the few bytes that matter.
    this.pending = Buffer.from(bytes.subarray(Math.max(undecided, bytes.length - this.shape.longest)));
    return undefined;
  }

  missed(): Missed {
    if (this.misfit !== undefined) return { cause: 'misfit', detail: this.misfit };
    const own = this.echoSeen ? this.sent.length : 0;
    if (this.heard <= own) return { cause: 'silence', detail: 'no answer in time' };
    return { cause: 'garbled', detail: `${this.heard - own} bytes that are no frame` };
  }

  /**
   * Whether the request's own echo stands at `at`. The echo of function 6 is also its answer: while it is not known whether
   * the wire echoes, a first copy is held, since a charger that is off must not seem to have taken its limit.
   */
  private echoAt(bytes: Buffer, at: number, request: ModbusRequest): 'whole' | 'begun' | undefined {
    if (bytes[at] !== this.sent[0] || bytes[at + 1] !== this.sent[1]) return undefined;
    const twin = answersWithItself(request);
    if (this.echoSeen || (twin && this.echo === 'no')) return undefined;
    const length = Math.min(this.sent.length, bytes.length - at);
    if (bytes.compare(this.sent, 0, length, at, at + length) !== 0) return undefined;
    if (length < this.sent.length) return 'begun';
    this.echoSeen = true;
    if (!twin) this.echo = 'yes';
    else if (this.echo === 'unknown')
      this.misfit = 'its own echo, or an answer that looks the same: read something first';
    return 'whole';
  }

  /** Believed at once where one was heard, given up only after several answers without: one may have been garbled. */
  private learnEcho(): void {
    this.withoutEcho = this.echoSeen ? 0 : this.withoutEcho + 1;
    if (this.echoSeen) this.echo = 'yes';
    else if (this.echo === 'unknown' || this.withoutEcho >= 3) this.echo = 'no';
  }

  private judge(frame: WireFrame, request: ModbusRequest): Verdict | undefined {
    const fc = frame.pdu[0] ?? 0;
    if (frame.unit !== request.unit) {
      this.misfit ??= `frame of unit ${frame.unit}, not ${request.unit}`;
      return undefined;
    }
    if (fc !== request.fc && fc !== request.fc + 0x80) {
      this.misfit ??= `frame with function ${fc}, not ${request.fc}`;
      return undefined;
    }
    const outcome = decodePdu(frame.pdu, request);
    if (!outcome.ok && outcome.error.kind === 'protocol') {
      this.misfit ??= outcome.error.detail;
      return undefined;
    }
    if (!answersWithItself(request) || !outcome.ok || this.echoSeen) this.learnEcho();
    return { outcome, inStep: true };
  }
}

const answersWithItself = (request: ModbusRequest): boolean => request.kind === 'write' && request.fc !== 16;
