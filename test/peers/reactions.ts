// How a scripted peer reacts to a CALL: answers, refuses, keeps silent, answers late, or drops the socket.
import rpc from 'ocpp-rpc';
import type { Payload } from './wire-record.js';

export type Reaction =
  | { readonly kind: 'answer'; readonly payload: Payload }
  | { readonly kind: 'error'; readonly code: string; readonly description: string }
  | { readonly kind: 'silence' }
  | { readonly kind: 'drop' };

/** Decides on one CALL; a promise answers late. */
export type Script = (payload: Payload, action: string) => Reaction | Promise<Reaction>;

export const answer = (payload: Payload): Reaction => ({ kind: 'answer', payload });
export const callError = (code: string, description = ''): Reaction => ({ kind: 'error', code, description });
export const silence: Reaction = { kind: 'silence' };
/** Cuts the TCP connection without an answer. */
export const drop: Reaction = { kind: 'drop' };

/** An answer that is given when the test says so. */
export interface Held {
  readonly script: Script;
  /** CALLs that wait for an answer. */
  readonly waiting: number;
  release(reaction: Reaction): void;
}

export function held(): Held {
  const waiting: ((reaction: Reaction) => void)[] = [];
  return {
    script: () => new Promise((resolve) => waiting.push(resolve)),
    get waiting() {
      return waiting.length;
    },
    release: (reaction) => {
      for (const resolve of waiting.splice(0)) resolve(reaction);
    },
  };
}

/** The scripts of one peer: what was put in front is used up first, then what stands for an action, then the default. */
export class Scripts {
  readonly #once = new Map<string, Script[]>();
  readonly #standing = new Map<string, Script>();
  readonly #otherwise: Script;

  constructor(otherwise: Script) {
    this.#otherwise = otherwise;
  }

  /** For the next CALL of an action only; several are used in the order given. */
  once(action: string, ...scripts: (Script | Reaction)[]): void {
    this.#once.set(action, [...(this.#once.get(action) ?? []), ...scripts.map(asScript)]);
  }

  /** For every CALL of an action from now on; undefined: the default again. */
  always(action: string, script: Script | Reaction | undefined): void {
    if (script === undefined) this.#standing.delete(action);
    else this.#standing.set(action, asScript(script));
  }

  async react(action: string, payload: Payload): Promise<Reaction> {
    const script = this.#once.get(action)?.shift() ?? this.#standing.get(action) ?? this.#otherwise;
    return script(payload, action);
  }
}

const asScript = (script: Script | Reaction): Script => (typeof script === 'function' ? script : () => script);

/** In the words of ocpp-rpc. @param cut drops the socket */
export function carryOut(reaction: Reaction, cut: () => void): Record<string, unknown> {
  switch (reaction.kind) {
    case 'answer':
      return { ...reaction.payload };
    case 'error':
      throw Object.assign(new Error(reaction.description), { rpcErrorCode: reaction.code, details: {} });
    case 'drop':
      cut();
      return rpc.NOREPLY;
    case 'silence':
      return rpc.NOREPLY;
  }
}
