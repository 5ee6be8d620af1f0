// What the gateway asks of the machine beside a clock: whether it is still the same boot, and whether its clock is set by a server.
import type { Timestamp } from '../kernel/units.js';

export interface Machine {
  /**
   * Another for every boot of the machine: within one boot the monotonic clock goes on over restarts of the process, and
   * counts from its beginning. Undefined where the system does not tell.
   */
  readonly boot: string | undefined;
  /** Before this it is not: the release that is running. What a site without any memory begins with. */
  readonly released: Timestamp;
  /**
   * When the system's clock was last set by a time server in this boot, as that clock tells it; undefined: never, or the
   * system does not say.
   */
  lastSynchronised(): Timestamp | undefined;
}
