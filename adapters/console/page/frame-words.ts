// What a message on the wire is, at a glance: OCPP-J calls and what answers them (OCPP-J 1.6 section 4.2), anything else as it is.

export interface FrameWords {
  readonly kind: 'call' | 'result' | 'error' | 'other';
  /** The action of a call, and of the call that is answered where that was seen. */
  readonly action: string;
  readonly id?: string;
  /** Without the parts that the words above say. */
  readonly payload: string;
}

/** @param calls actions by message id: what is a call is entered, what answers one is found in it */
export function frameWords(frame: string, calls: Map<string, string>): FrameWords {
  const parts = parsed(frame);
  const [type, id] = parts ?? [];
  if (parts === undefined || typeof id !== 'string') return { kind: 'other', action: '', payload: frame };
  const show = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));
  if (type === 2 && typeof parts[2] === 'string') {
    calls.set(id, parts[2]);
    return { kind: 'call', action: parts[2], id, payload: show(parts[3]) };
  }
  const action = calls.get(id) ?? '';
  if (type === 3) return { kind: 'result', action, id, payload: show(parts[2]) };
  if (type === 4)
    return { kind: 'error', action, id, payload: `${String(parts[2])} ${String(parts[3])} ${show(parts[4])}`.trim() };
  return { kind: 'other', action: '', payload: frame };
}

function parsed(frame: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(frame);
    return Array.isArray(value) ? (value as unknown[]) : undefined;
  } catch {
    // Not JSON: a Modbus frame, or what a charger sent in its place.
    return undefined;
  }
}
