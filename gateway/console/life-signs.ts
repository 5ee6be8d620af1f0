// Tells the service manager that the gateway lives: only while the event loop turns, the journal's thread answers and load balancing plans.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { Log } from '../kernel/log.js';
import { milliseconds, seconds, type Milliseconds } from '../kernel/units.js';
import { JournalUnavailable, type Journal } from '../ports/journal.js';
import type { ServiceManager } from '../ports/service-manager.js';

/** How often the status is told where nobody watches. */
const UNWATCHED = seconds(60);
/** Signs of life within the watchdog's time: one may get lost. */
const SIGNS = 4;
/** Nothing is stored under this name: loading it makes the journal's thread turn, behind every commit that came before. */
const PROBE = 'life-signs';

export interface LifeSignsDependencies {
  readonly service: ServiceManager;
  readonly journal: Pick<Journal, 'load'>;
  /** When load balancing planned last, by the monotonic clock; undefined: not yet. */
  readonly plannedAt: () => Milliseconds | undefined;
  /** How the gateway does, in one line. */
  readonly status: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export class LifeSigns {
  readonly #is: LifeSignsDependencies;
  readonly #interval: Milliseconds;
  /** How long a part may rest before the gateway counts as stuck. */
  readonly #patience: Milliseconds;
  #cancel: CancelTimer = () => undefined;
  /** Since when the journal's thread is being waited for. */
  #askedAt: Milliseconds | undefined;
  #journalDied = false;
  #stuck: string | undefined;

  constructor(dependencies: LifeSignsDependencies) {
    this.#is = dependencies;
    const { watchdog } = dependencies.service;
    this.#interval = watchdog === undefined ? UNWATCHED : milliseconds(watchdog / SIGNS);
    this.#patience = milliseconds((watchdog ?? UNWATCHED) / 2);
  }

  /** Listeners are open: from now on the gateway is watched. */
  ready(): void {
    const { service, clock, status } = this.#is;
    service.notify({ state: 'ready', status: status() });
    this.#probe();
    this.#cancel = clock.every(this.#interval, () => this.#beat());
  }

  /** It ends in order, which has a limit of its own. */
  stopping(): void {
    this.#cancel();
    this.#is.service.notify({ state: 'stopping', status: 'stopping: what was answered is on disk' });
  }

  #beat(): void {
    const { service, status, log } = this.#is;
    const stuck = this.#whatIsStuck();
    if (stuck !== undefined && this.#stuck === undefined)
      log.error({ fault: FAULTS.stuck.code, stuck }, 'the gateway gives no more signs of life');
    if (stuck === undefined && this.#stuck !== undefined) log.info({}, 'the gateway gives signs of life again');
    this.#stuck = stuck;
    if (stuck === undefined) service.notify({ state: 'alive', status: status() });
    else service.notify({ state: 'told', status: `stuck: ${stuck}` });
    if (this.#askedAt === undefined) this.#probe();
  }

  #whatIsStuck(): string | undefined {
    const now = this.#is.clock.monotonic();
    if (this.#journalDied) return "the journal's thread has ended";
    if (this.#askedAt !== undefined && now - this.#askedAt >= this.#patience)
      return "the journal's thread does not answer";
    const plannedAt = this.#is.plannedAt();
    if (plannedAt !== undefined && now - plannedAt >= this.#patience) return 'load balancing does not plan';
    return undefined;
  }

  /** A disk that refuses answers all the same, and a restart does not mend it; a thread that has ended is mended by one. */
  #probe(): void {
    this.#askedAt = this.#is.clock.monotonic();
    this.#is.journal.load(PROBE).then(
      () => {
        this.#askedAt = undefined;
      },
      (err: unknown) => {
        this.#askedAt = undefined;
        this.#journalDied = err instanceof JournalUnavailable && err.fault === FAULTS.journalDied.code;
      },
    );
  }
}
