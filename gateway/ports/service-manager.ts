// Whoever started the gateway, watches it, and starts it again: systemd, or nobody.
import type { Milliseconds } from '../kernel/units.js';

export interface ServiceManager {
  /** A gateway that has not said for this long that it lives is ended and started again; absent: nobody watches. */
  readonly watchdog?: Milliseconds;
  /** Never throws, never waits: a word that does not arrive is said again with the next sign of life. */
  notify(word: ServiceWord): void;
}

export interface ServiceWord {
  /** `ready`: listeners are open. `alive`: feeds the watchdog. */
  readonly state: 'ready' | 'alive' | 'stopping' | 'told';
  /** One line for people. */
  readonly status: string;
}
