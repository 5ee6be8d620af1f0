// Brings setpoints to chargers: one on its way to each EVSE, the newest next, and none raised before the disk knows of it.
import type { LimitCommand } from '../balancing/release.js';
import { FAULTS } from '../kernel/faults.js';
import type { EvseNumber, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Journal } from '../ports/journal.js';
import type { StationDriver } from '../ports/station.js';
import type { SiteBook } from '../site/site-book.js';
import type { CommandOutcome } from '../site/station-command.js';

const COLLECTION = 'balancing';
const KEY = 'ceilings';

/** What each EVSE may take at most, per phase. */
type Ceilings = ReadonlyMap<EvseNumber, number>;

/** What each EVSE could take at most when the gateway was last alive. */
export async function rememberedCeilings(journal: Journal): Promise<Ceilings> {
  const saved = (await journal.load(COLLECTION)).get(KEY);
  return new Map(Array.isArray(saved) ? (saved as [EvseNumber, number][]) : []);
}

interface SetpointDependencies {
  readonly book: SiteBook;
  readonly drivers: ReadonlyMap<StationId, StationDriver>;
  readonly journal: Journal;
  readonly log: Log;
  /** How a setpoint ended; a late answer comes after `Uncertain`. */
  readonly ended: (command: LimitCommand, outcome: CommandOutcome) => void;
  /** It never went out: a newer one has taken its place. */
  readonly withdrawn: (command: LimitCommand) => void;
}

/**
 * A charger keeps its setpoint when the gateway dies, so what each may take is on disk before a raise goes out: the next
 * start of the gateway then counts no charger too low. Cuts never wait.
 */
export class Setpoints {
  readonly #deps: SetpointDependencies;
  /** The command on its way to each EVSE, and the newest of those that came meanwhile. */
  readonly #underWay = new Map<EvseNumber, { readonly command: LimitCommand; next?: LimitCommand }>();
  /** The newest command for each EVSE: a raise that was overtaken while it waited for the disk must not go out. */
  readonly #newest = new Map<EvseNumber, LimitCommand>();
  /** The least that the disk may hold of each EVSE, whichever of the writes under way are done; absent: its maximum. */
  #onDisk: Ceilings;
  #writing: { readonly text: string; readonly done: Promise<boolean> } | undefined;

  /** @param remembered what the disk holds: `rememberedCeilings` */
  constructor(deps: SetpointDependencies, remembered: Ceilings) {
    this.#deps = deps;
    this.#onDisk = remembered;
  }

  /**
   * Sends what one plan has decided.
   * @param ceilings what each EVSE may take at most once the commands are out
   */
  send(commands: readonly LimitCommand[], ceilings: Ceilings): void {
    for (const command of commands) this.#newest.set(command.evse, command);
    const known = this.#onDisk;
    const raises = commands.filter(({ evse, current }) => current > (known.get(evse) ?? Infinity));
    for (const command of commands) if (!raises.includes(command)) this.#hand(command);
    const written = this.#write(ceilings);
    if (raises.length > 0) {
      this.#raise(raises, written).catch((err: unknown) =>
        this.#deps.log.error({ err }, 'current limits could not be sent'),
      );
    }
  }

  async #raise(raises: readonly LimitCommand[], written: Promise<boolean>): Promise<void> {
    const done = await written;
    for (const raise of raises) {
      if (this.#newest.get(raise.evse) !== raise) this.#deps.withdrawn(raise);
      // Without the disk nobody is charged more; the running ones go on.
      else if (done) this.#hand(raise);
      else this.#deps.ended(raise, { status: 'Rejected', detail: 'the journal cannot be written' });
    }
  }

  /** @returns whether it is on disk */
  #write(ceilings: Ceilings): Promise<boolean> {
    const value = [...ceilings];
    const text = JSON.stringify(value);
    if (this.#writing?.text === text) return this.#writing.done;
    const known = this.#onDisk;
    this.#onDisk = new Map(value.map(([evse, most]) => [evse, Math.min(most, known.get(evse) ?? Infinity)]));
    const { journal, log } = this.#deps;
    const done = journal.commit({ documents: [{ collection: COLLECTION, key: KEY, value }] }).then(
      () => {
        if (this.#writing?.text === text) this.#onDisk = ceilings;
        return true;
      },
      (err: unknown) => {
        if (this.#writing?.text === text) this.#writing = undefined;
        log.error(
          { err, fault: FAULTS.journalUnavailable.code },
          'no current is raised while the journal cannot be written',
        );
        return false;
      },
    );
    this.#writing = { text, done };
    return done;
  }

  /** One at a time for each EVSE: a charger that is slow is not told what is over by the time it listens. */
  #hand(command: LimitCommand): void {
    const busy = this.#underWay.get(command.evse);
    if (busy === undefined) {
      this.#execute(command);
      return;
    }
    if (busy.next !== undefined) this.#deps.withdrawn(busy.next);
    busy.next = command;
  }

  #execute(command: LimitCommand): void {
    const { book, drivers, ended, log } = this.#deps;
    const evse = book.describe(command.evse);
    const driver = evse === undefined ? undefined : drivers.get(evse.station);
    if (evse === undefined || driver === undefined) return;
    const underWay: { readonly command: LimitCommand; next?: LimitCommand } = { command };
    this.#underWay.set(command.evse, underWay);
    const transaction = book.evse(command.evse)?.transaction;
    driver
      .execute({
        type: 'setLimit',
        evse: command.evse,
        current: command.current,
        ...(command.phases !== undefined && { phases: command.phases }),
        ...(transaction && { stationTransactionId: transaction.stationTransactionId }),
      })
      .catch((err: unknown): CommandOutcome => {
        log.error({ err, evse: command.evse }, 'a station adapter failed');
        return { status: 'Uncertain', detail: 'the adapter failed' };
      })
      .then((outcome) => {
        this.#underWay.delete(command.evse);
        if (underWay.next !== undefined) this.#execute(underWay.next);
        ended(command, outcome);
        return outcome.later;
      })
      .then((late) => {
        if (late?.status === 'Accepted') ended(command, late);
      })
      .catch((err: unknown) => log.error({ err, evse: command.evse }, 'the end of a setpoint could not be taken in'));
  }
}
