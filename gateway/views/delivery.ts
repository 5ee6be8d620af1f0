// The queue of one CSMS: the journal from where this CSMS stands, one message at a time, in order, none lost.
import type { JournalSeq, TransactionUid } from '../kernel/ids.js';
import type { CancelTimer } from '../kernel/clock.js';
import { seconds, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { CsmsLink, DeliveryOutcome } from '../ports/csms.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { TimeShift } from '../site/time-shift.js';
import type { TransactionRecord } from '../site/transaction.js';
import { DeadLetters } from './dead-letters.js';
import { outgoing, startIsDue, transactionMessage } from './outgoing.js';
import { Outcomes, type OutcomesContext } from './outcomes.js';
import { Projections } from './projections.js';
import { Queue, type Head } from './queue.js';
import type { Resumption } from './resume.js';
import { Settlements } from './settlements.js';
import type { SlotTable } from './slots.js';
import { Suspicion } from './suspicion.js';

export interface DeliveryStatus {
  /** Journal entries not yet looked at; some may turn out not to concern this CSMS. */
  readonly queued: number;
  /** When the oldest waiting one happened. */
  readonly oldest?: Timestamp;
  readonly inFlight: boolean;
  /** Dead letters. */
  readonly dead: number;
  /** Messages of the queue that the CSMS has answered since the process began. */
  readonly delivered: number;
  /** Transmissions of such messages that it refused or left unanswered since then. */
  readonly refused: number;
  readonly lastError?: string;
}

export interface DeliveryDependencies extends OutcomesContext {
  readonly collection: string;
  readonly journal: Journal;
  readonly slots: SlotTable;
}

/** So many entries may be passed over before the cursor is saved without a delivery. */
const PASSED_IN_MEMORY = 256;
/** Entries that may wait while something is told out of turn: what has just happened, not the backlog of an outage. */
const ABREAST = 20;
/** Pause after a link that takes nothing although it says it is up. */
const PAUSE = seconds(1);

export class Delivery {
  readonly #is: DeliveryDependencies;
  readonly #projections: Projections;
  readonly #dead: DeadLetters;
  readonly #queue: Queue;
  readonly #settlements: Settlements;
  readonly #outcomes: Outcomes;
  #link: CsmsLink | undefined;
  #open = false;
  #stopped = false;
  #running = false;
  #again = false;
  #wakeUp: CancelTimer | undefined;
  /** What happened up to here happened while the link was away. */
  #offlineThrough: JournalSeq;
  /** The end of the journal when the site was last another one: what is before was written under an earlier site.yaml, perhaps. */
  #configuredAt: JournalSeq;
  #inFlight = false;
  readonly #suspicion = new Suspicion<Head>();
  /** Answers to attempts that had been given up, which are looked at between two deliveries. */
  readonly #late: (() => Promise<void>)[] = [];

  constructor(dependencies: DeliveryDependencies, stored: ReadonlyMap<string, unknown>) {
    this.#is = dependencies;
    this.#projections = new Projections(dependencies.collection, stored);
    this.#dead = new DeadLetters(dependencies.collection, stored);
    this.#queue = new Queue(
      {
        journal: dependencies.journal,
        collection: dependencies.collection,
        outgoing: () => {
          const context = this.#context();
          return (record, seq) => outgoing(record, context, seq);
        },
      },
      stored.get('cursor'),
    );
    const { csms, journal, clock, log } = dependencies;
    this.#settlements = new Settlements({ csms: csms.id, journal, clock, log, cursor: () => this.#queue.save() });
    this.#outcomes = new Outcomes({
      ...dependencies,
      projections: this.#projections,
      dead: this.#dead,
      queue: this.#queue,
      settlements: this.#settlements,
      answeredLate: (take) => {
        this.#late.push(take);
        this.wake();
      },
    });
    this.#offlineThrough = dependencies.journal.lastSeq;
    this.#configuredAt = dependencies.journal.lastSeq;
  }

  /** What is missing on disk: a CSMS's first start is remembered as its beginning, or what a damaged journal left of it. */
  toDocuments(resumption: Resumption | undefined): readonly DocumentPut[] {
    if (!this.#queue.fresh) return [];
    if (resumption === undefined) return [this.#queue.save().document];
    this.#queue.goTo(resumption.cursor);
    this.#outcomes.mayBeRepeated = true;
    return [this.#queue.save().document, ...resumption.doubtful.flatMap((letter) => this.#dead.put(letter))];
  }

  get projections(): Projections {
    return this.#projections;
  }

  get dead(): DeadLetters {
    return this.#dead;
  }

  /** Everything up to here is settled on disk: what the journal may forget, as far as this CSMS is concerned. */
  get settled(): JournalSeq {
    return this.#queue.saved;
  }

  status(): DeliveryStatus {
    const { oldest } = this.#queue;
    return {
      queued: this.#queue.length,
      ...(oldest === undefined ? {} : { oldest }),
      inFlight: this.#inFlight,
      dead: this.#dead.size,
      delivered: this.#outcomes.delivered,
      refused: this.#outcomes.refusals,
      ...(this.#outcomes.lastError === undefined ? {} : { lastError: this.#outcomes.lastError }),
    };
  }

  attach(link: CsmsLink): void {
    this.#link = link;
  }

  /** The site is another one. */
  reconfigured(): void {
    this.#configuredAt = this.#is.journal.lastSeq;
  }

  /** The link has come back: what happened until now happened while it was away (E11.FR.07). */
  linkUp(): void {
    this.#offlineThrough = this.#is.journal.lastSeq;
  }

  linkDown(): void {
    this.#open = false;
    this.#queue.forgetAsked();
    this.#offlineThrough = this.#is.journal.lastSeq;
  }

  /** Deliveries may go out: Boot is accepted and the statuses are told. */
  open(): void {
    this.#open = true;
    this.wake();
  }

  /** Something may have become possible: new entries, a link, the end of a wait. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeUp?.();
    this.#settlements.stop();
  }

  /** What is committed after this cannot outlive what this CSMS has answered so far. */
  flush(): void {
    this.#settlements.flush();
  }

  /** The site has learned the time. */
  shift(shift: TimeShift): void {
    this.#queue.reread(shift);
    this.wake();
  }

  /** Tells the CSMS of the transaction as it stands now, in its place between the waiting messages. */
  tell(record: TransactionRecord): void {
    const message = transactionMessage(record, this.#is.slots, {});
    if (message === undefined || !this.#is.slots.sees(record.evse)) return;
    this.#queue.insert({ record, outgoing: { message }, origin: { asked: true } });
    this.wake();
  }

  /** Whether the CSMS knows the transaction and is not still being told of earlier things. */
  isAbreastOf(uid: TransactionUid): boolean {
    const projection = this.#projections.of(uid);
    return projection !== undefined && !startIsDue(this.#is.csms, projection.state) && this.#queue.length <= ABREAST;
  }

  /**
   * Sends dead letters once more, in order: all of them, or those of `only`. One that fails stays a dead letter.
   * @returns those that are sent; the others are on their way already, or the CSMS no longer sees where they are from
   */
  redrive(only?: ReadonlySet<number>): readonly JournalSeq[] {
    const sent: JournalSeq[] = [];
    for (const { seq, record } of this.#dead.all()) {
      if (only?.has(seq) === false || this.#queue.isInserted(seq)) continue;
      const again =
        record.type === 'transaction'
          ? transactionMessage(record, this.#is.slots, {})
          : outgoing(record, { ...this.#context(), sampledAt: () => undefined }, seq)?.message;
      if (again === undefined) continue;
      this.#queue.insert({ record, outgoing: { message: again }, origin: { redrive: seq } });
      sent.push(seq);
    }
    this.wake();
    return sent;
  }

  /** Whether anything of this transaction (or at all) still waits to be delivered (E14). */
  waiting(uid: TransactionUid | undefined): Promise<boolean> {
    return this.#queue.some(
      (record) =>
        record.type === 'transaction' &&
        this.#is.slots.ofEvse(record.evse).length > 0 &&
        (uid === undefined || record.uid === uid),
    );
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#drain();
      } catch (err) {
        this.#is.log.error({ csms: this.#is.csms.id, err }, 'Delivery stopped by an unexpected error; trying again');
        this.#wakeAfter(PAUSE);
      }
    }
    this.#running = false;
  }

  async #drain(): Promise<void> {
    while (!this.#stopped) {
      const late = this.#late.shift();
      if (late !== undefined) {
        await late();
        continue;
      }
      const head = this.#queue.known;
      if (head === undefined) {
        const read = await this.#queue.read(PASSED_IN_MEMORY);
        if (this.#queue.unsaved >= PASSED_IN_MEMORY) await this.#settlements.routine([]);
        if (read === 'empty') return;
        continue;
      }
      if (!this.#open || this.#link?.accepted !== true) return;
      const wait = 'seq' in head.origin ? this.#outcomes.notBefore - this.#is.clock.monotonic() : 0;
      if (wait > 0) return this.#wakeAfter(wait);
      // What the answer to may be news has to be the first that the next process sends, and is then known as a repetition.
      const written = this.#outcomes.isRoutine(head) ? undefined : this.#settlements.written();
      if (written !== undefined) {
        await written;
        continue;
      }
      if (!(await this.#send(this.#link, head))) return;
    }
  }

  /** False: nothing more can be sent for now. */
  async #send(link: CsmsLink, head: Head): Promise<boolean> {
    const message = this.#outcomes.toSend(head, this.#offlineThrough);
    const suspect = this.#suspicion.suspects(head, this.#outcomes.isUnwanted(message) ? 1 : undefined);
    if (suspect && !(await link.probe())) {
      if (this.#open) this.#wakeAfter(PAUSE);
      return false;
    }
    this.#inFlight = true;
    let outcome: DeliveryOutcome;
    try {
      outcome = await link.deliver(message);
    } catch (err) {
      outcome = { kind: 'refused', reason: `the adapter failed: ${String(err)}` };
    }
    this.#inFlight = false;
    if (this.#stopped) return false;
    if (outcome.kind !== 'unsent') {
      this.#suspicion.clear();
      await this.#outcomes.take(head, message, outcome);
      return true;
    }
    await this.#outcomes.takePart(head, message, outcome);
    this.#outcomes.mayBeRepeated = true;
    if (outcome.underWay && !this.#stopped) {
      this.#suspicion.lost(head);
      if (suspect) {
        await this.#outcomes.take(head, message, {
          kind: 'refused',
          reason: 'the CSMS closes the connection each time that it is sent this',
          ...(outcome.abandoned && { abandoned: outcome.abandoned }),
        });
        return true;
      }
    }
    if (this.#open) this.#wakeAfter(PAUSE);
    return false;
  }

  #wakeAfter(delay: number): void {
    this.#wakeUp?.();
    this.#wakeUp = this.#is.clock.after(delay as Milliseconds, () => this.wake());
  }

  #context(): Parameters<typeof outgoing>[1] {
    const { slots } = this.#is;
    return {
      // Hardware that has left the site, or the view, since: what happened before is still told, under its old number.
      tells: ({ evse, uid }, seq) =>
        slots.sees(evse) || seq <= this.#configuredAt || this.#projections.of(uid) !== undefined,
      csms: this.#is.csms,
      slots,
      sampling: this.#is.settings().sampling,
      projection: (uid) => this.#projections.of(uid),
      sampledAt: ({ evse }) => (evse === undefined ? undefined : this.#outcomes.sampledAt(evse)),
    };
  }
}
