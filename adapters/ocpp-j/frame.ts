// OCPP-J frames as text: reading what comes, hostile or not, and writing ours (OCPP-J 1.6 section 4.2, 2.0.1 Part 4 section 4.2).
import type { RpcErrorCode } from './contract.js';

export type Frame =
  | { readonly kind: 'call'; readonly id: string; readonly action: string; readonly payload: unknown }
  | { readonly kind: 'result'; readonly id: string; readonly payload: unknown }
  | { readonly kind: 'error'; readonly id: string; readonly code: string; readonly description: string }
  | BadFrame;

/** A frame that is none; with an id it can be answered, and `syntax` tells that it was no JSON at all. */
export interface BadFrame {
  readonly kind: 'bad';
  readonly id: string | undefined;
  readonly code: RpcErrorCode;
  readonly reason: string;
  readonly syntax: boolean;
}

export interface FrameLimits {
  /** UTF-16 code units of one frame. */
  readonly length: number;
  /** Nested arrays and objects, the frame's own array included. */
  readonly depth: number;
}

/** 256 KiB holds the largest message a charger sends in practice (a NotifyReport part) some ten times over. */
export const defaultFrameLimits: FrameLimits = { length: 256 * 1024, depth: 32 };

/** Longer ids than the 36 characters of the standard are echoed, up to here. */
const longestId = 255;

const bad = (reason: string, code: RpcErrorCode, id?: string, syntax = false): BadFrame => ({
  kind: 'bad',
  id,
  code,
  reason,
  syntax,
});

/** Reads one frame; never throws. */
export function parseFrame(text: string, limits: FrameLimits = defaultFrameLimits): Frame {
  if (text.length > limits.length) return bad('frame too long', 'FormatViolation', idOfBrokenCall(text));
  if (isDeeperThan(text, limits.depth)) return bad('nested too deeply', 'FormatViolation', idOfBrokenCall(text));
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return bad('not JSON', 'RpcFrameworkError', idOfBrokenCall(text), true);
  }
  if (!Array.isArray(parts)) return bad('not an array', 'RpcFrameworkError');
  const id: unknown = parts[1];
  if (typeof id !== 'string' || id.length === 0 || id.length > longestId) {
    return bad('no usable message id', 'RpcFrameworkError');
  }
  switch (parts[0]) {
    case 2: {
      const action: unknown = parts[2];
      if (typeof action !== 'string') return bad('no action', 'RpcFrameworkError', id);
      return { kind: 'call', id, action, payload: parts[3] };
    }
    case 3:
      return { kind: 'result', id, payload: parts[2] };
    case 4:
      return {
        kind: 'error',
        id,
        code: typeof parts[2] === 'string' ? parts[2] : '',
        description: typeof parts[3] === 'string' ? parts[3] : '',
      };
    default:
      return typeof parts[0] === 'number'
        ? bad('unknown message type', 'MessageTypeNotSupported', id)
        : bad('no message type', 'RpcFrameworkError', id);
  }
}

/** The id of a CALL whose rest cannot be read, so that the charger learns of it instead of waiting for its time-out. */
function idOfBrokenCall(text: string): string | undefined {
  return /^\s{0,8}\[\s{0,8}2\s{0,8},\s{0,8}"([^"\\]{1,255})"/.exec(text)?.[1];
}

/** Counting brackets costs far less than parsing; only a text with many of them is looked at character by character. */
function isDeeperThan(text: string, depth: number): boolean {
  let brackets = 0;
  for (const bracket of ['[', '{']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++brackets > depth) return nestingExceeds(text, depth);
    }
  }
  return false;
}

function nestingExceeds(text: string, depth: number): boolean {
  let level = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x22) quoted = !quoted;
    else if (quoted) {
      if (char === 0x5c) i++;
    } else if (char === 0x5b || char === 0x7b) {
      if (++level > depth) return true;
    } else if (char === 0x5d || char === 0x7d) level--;
  }
  return false;
}

export const formatCall = (id: string, action: string, payload: unknown): string =>
  `[2,"${id}","${action}",${JSON.stringify(payload)}]`;

export const formatResult = (id: string, payload: unknown): string =>
  `[3,${JSON.stringify(id)},${JSON.stringify(payload)}]`;

/** @param description cut to the 255 characters that both versions allow */
export const formatError = (id: string, literal: string, description: string): string =>
  JSON.stringify([4, id, literal, description.slice(0, 255), {}]);
