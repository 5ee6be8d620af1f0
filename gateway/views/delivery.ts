// The queue of one CSMS: the journal from where this CSMS stands, one message at a time, in order, none lost.
import type { EvseNumber, JournalSeq, TransactionUid } from '../kernel/ids.js';
import { FAULTS } from '../kernel/faults.js';
import type { CancelTimer, Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { seconds, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { CsmsLink, CsmsMessage, DeliveryOutcome, PartlyTaken, ProjectionState } from '../ports/csms.js';
import type { DocumentPut, Journal } from '../ports/journal.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { TimeShift } from '../site/time-shift.js';
import type { Csms } from '../site/topology.js';
import type { JournalRecord, TransactionRecord } from '../site/transaction.js';
import { withoutTokens } from '../site/without-tokens.js';
import { DeadLetters } from './dead-letters.js';
import { outgoing, startIsDue, transactionMessage } from './outgoing.js';
import { Projections } from './projections.js';
import { Queue, type Head } from './queue.js';
import type { Resumption } from './resume.js';
import { Settlements } from './settlements.js';
import type { SamplingSettings } from './sampling.js';
import type { SlotTable } from './slots.js';

export interface DeliverySettings {
  /** Transmissions of a transaction message before it is given up (1.6 TransactionMessageAttempts). */
  readonly attempts: number;
  /** Waited after a refusal, times the transmissions so far (1.6 section 3.7.1, E13). */
  readonly retryInterval: Milliseconds;
  readonly sampling: SamplingSettings;
}

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

export interface DeliveryDependencies {
  readonly csms: Csms;
  readonly collection: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly slots: SlotTable;
  readonly settings: () => DeliverySettings;
  /** The CSMS's verdict on a token of a transaction: of its driver, or of another card. */
  readonly judged: (uid: TransactionUid, idToken: IdToken, info: IdTokenInfo) => void;
  /** A 1.6 CSMS has been told of a start that had to wait: before, it could not be told that the car charges. */
  readonly startedLate: (evse: EvseNumber) => void;
}

/** So many entries may be passed over before the cursor is saved without a delivery. */
const PASSED_IN_MEMORY = 256;
/** Pause after a link that takes nothing although it says it is up. */
const PAUSE = seconds(1);

/** So often may the link be lost while a message is under way before the message is suspected of it. */
const LOSSES_FORGIVEN = 3;

type TransactionMessage = Extract<CsmsMessage, { type: 'transaction' }>;

interface LateAnswer {
  readonly head: Head;
  readonly message: CsmsMessage;
  readonly outcome: DeliveryOutcome;
}

export class Delivery {
  readonly #is: DeliveryDependencies;
  readonly #projections: Projections;
  readonly #dead: DeadLetters;
  readonly #queue: Queue;
  readonly #settlements: Settlements;
  #link: CsmsLink | undefined;
  #open = false;
  #stopped = false;
  #running = false;
  #again = false;
  #wakeUp: CancelTimer | undefined;
  #notBefore: number;
  /** The head may have reached the CSMS before: it was sent and not answered, perhaps by an earlier process. */
  #mayBeRepeated: boolean;
  #offlineThrough: JournalSeq;
  /** The end of the journal when this process began: what is before was written under an earlier site.yaml, perhaps. */
  readonly #openedAt: JournalSeq;
  #inFlight = false;
  /** How often in a row the link was lost while this message was under way. */
  #losses: { readonly head: Head; readonly times: number } | undefined;
  /** Answers to attempts that had been given up, which are looked at between two deliveries. */
  readonly #late: LateAnswer[] = [];
  /** Since this process began: what the CSMS answered, and what it refused or left unanswered. */
  #delivered = 0;
  #refusals = 0;
  #lastError: string | undefined;
  /**
   * The CSMS has turned down an update for good and taken none since. It will not take the next ones either, and trying
   * each as often as the first would put the ends of transactions off for ever.
   */
  #updatesRefused = false;
  readonly #idleSampledAt = new Map<EvseNumber, Timestamp>();

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
    this.#mayBeRepeated = !this.#queue.fresh;
    this.#offlineThrough = dependencies.journal.lastSeq;
    this.#openedAt = dependencies.journal.lastSeq;
    this.#notBefore = dependencies.clock.monotonic();
  }

  /** What is missing on disk: a CSMS's first start is remembered as its beginning, or what a damaged journal left of it. */
  toDocuments(resumption: Resumption | undefined): readonly DocumentPut[] {
    if (!this.#queue.fresh) return [];
    if (resumption === undefined) return [this.#queue.save().document];
    this.#queue.goTo(resumption.cursor);
    this.#mayBeRepeated = true;
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
      delivered: this.#delivered,
      refused: this.#refusals,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  attach(link: CsmsLink): void {
    this.#link = link;
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
        await this.#cameLate(late);
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
      const wait = 'seq' in head.origin ? this.#notBefore - this.#is.clock.monotonic() : 0;
      if (wait > 0) return this.#wakeAfter(wait);
      // What the answer to may be news has to be the first that the next process sends, and is then known as a repetition.
      const written = this.#isRoutine(head) ? undefined : this.#settlements.written();
      if (written !== undefined) {
        await written;
        continue;
      }
      if (!(await this.#send(this.#link, head))) return;
    }
  }

  /** False: nothing more can be sent for now. */
  async #send(link: CsmsLink, head: Head): Promise<boolean> {
    const message = this.#toSend(head);
    const suspect = this.#isSuspect(head, message);
    // A CSMS that is falling over takes every message with it: only where it answers something else is it this one.
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
    if ('partly' in outcome && outcome.partly) await this.#partlyTaken(head, message, outcome.partly);
    if (outcome.kind === 'unsent') {
      this.#mayBeRepeated = true;
      if (outcome.underWay && !this.#stopped) {
        this.#losses = { head, times: this.#timesLost(head) + 1 };
        if (suspect) {
          const reason = 'the CSMS closes the connection each time that it is sent this';
          await this.#refused(head, message, {
            kind: 'refused',
            reason,
            ...(outcome.abandoned && { abandoned: outcome.abandoned }),
          });
          return true;
        }
      }
      if (this.#open) this.#wakeAfter(PAUSE);
      return false;
    }
    this.#losses = undefined;
    if (outcome.kind === 'refused') await this.#refused(head, message, outcome);
    else await this.#answered(head, message, outcome);
    return true;
  }

  /** An update whose answer has nothing to say. */
  #isRoutine({ outgoing: { message } }: Head): boolean {
    if (message.type !== 'transaction' || message.record.kind !== 'updated') return false;
    return message.record.idToken === undefined && !startIsDue(this.#is.csms, this.#stateOf(message.record.uid));
  }

  #timesLost(head: Head): number {
    return this.#losses?.head === head ? this.#losses.times : 0;
  }

  /** Where the CSMS has refused updates for good, the next one is not forgiven as much. */
  #isSuspect(head: Head, message: CsmsMessage): boolean {
    const forgiven = isUpdate(message) && this.#updatesRefused ? 1 : LOSSES_FORGIVEN;
    return this.#timesLost(head) >= forgiven;
  }

  /**
   * The answer to an attempt that had been given up: as good as one in time, unless a repetition has been answered since.
   * A start that is a dead letter by now has its id after all, and what follows it goes on under that.
   */
  async #cameLate({ head, message, outcome }: LateAnswer): Promise<void> {
    const origin = this.#queue.known === head ? head.origin : this.#asDeadLetter(head);
    const used = origin !== undefined;
    this.#is.log.info(
      { csms: this.#is.csms.id, message: message.type, used, ...aboutRecord(head.record) },
      'The CSMS answered late',
    );
    if (origin === undefined) return;
    if ('partly' in outcome && outcome.partly) await this.#partlyTaken(head, message, outcome.partly);
    else if (outcome.kind === 'answered' || outcome.kind === 'nothing')
      await this.#answered({ ...head, origin }, message, outcome);
  }

  /** undefined: it is none, or is about to be sent again. */
  #asDeadLetter({ origin }: Head): Head['origin'] | undefined {
    if ('asked' in origin) return undefined;
    const seq = 'seq' in origin ? origin.seq : origin.redrive;
    return this.#dead.get(seq) === undefined || this.#queue.isInserted(seq) ? undefined : { redrive: seq };
  }

  /** State and offline flag are of this moment; times and values were settled when the entry became the head. */
  #toSend(head: Head): CsmsMessage {
    const { message } = head.outgoing;
    if (message.type !== 'transaction') return message;
    const late = 'seq' in head.origin ? head.origin.seq <= this.#offlineThrough : 'redrive' in head.origin;
    const own = 'redrive' in head.origin ? this.#dead.get(head.origin.redrive)?.state : undefined;
    const state = own ?? this.#stateOf(message.record.uid);
    const startAgain = 'redrive' in head.origin && message.record.kind === 'started';
    return {
      ...message,
      offline: message.record.offline || late,
      state: {
        ...state,
        ...(startAgain ? { startDead: undefined } : {}),
        ...(this.#mayBeRepeated || startAgain ? { repeated: true } : {}),
      },
    };
  }

  #stateOf(uid: TransactionUid): ProjectionState {
    return this.#projections.of(uid)?.state ?? {};
  }

  async #answered(
    head: Head,
    message: CsmsMessage,
    outcome: Extract<DeliveryOutcome, { kind: 'answered' | 'nothing' }>,
  ): Promise<void> {
    this.#lastError = undefined;
    if (outcome.kind === 'answered') this.#delivered++;
    const info = outcome.kind === 'answered' ? outcome.idTokenInfo : undefined;
    if (message.type === 'transaction') this.#tellJudged(message, info);
    if (isUpdate(message) && outcome.kind === 'answered') this.#updatesRefused = false;
    const routine = info === undefined && this.#isRoutine(head);
    await this.#settle(head, message, outcome.state, routine ? 'batch' : 'now');
  }

  #tellJudged({ record, state }: TransactionMessage, info: IdTokenInfo | undefined): void {
    // 1.6 asks of the driver with the start, whichever record brings it, and of another card with the stop.
    const start = this.#is.csms.ocpp === '1.6' && (record.kind !== 'ended' || startIsDue(this.#is.csms, state));
    const idToken = start ? (record.startToken ?? record.idToken) : record.idToken;
    if (info !== undefined && idToken !== undefined)
      this.#is.judged(record.uid, idToken, state['repeated'] === true ? forgiveEcho(info) : info);
  }

  /** Kept at once: neither a repetition nor the next process tells it again. */
  async #partlyTaken(head: Head, message: CsmsMessage, { state, idTokenInfo }: PartlyTaken): Promise<void> {
    if (message.type !== 'transaction') return;
    this.#tellJudged(message, idTokenInfo);
    await this.#settlements.now(this.#project(head, message, state));
  }

  async #refused(
    head: Head,
    message: CsmsMessage,
    { reason: said, unanswered, abandoned, final, late }: Extract<DeliveryOutcome, { kind: 'refused' }>,
  ): Promise<void> {
    // It goes into the log, to brokers and onto the console.
    const reason = withoutTokens(said, head.record);
    this.#lastError = reason;
    this.#refusals++;
    const { csms, log, clock } = this.#is;
    void late?.then((outcome) => {
      this.#late.push({ head, message, outcome });
      this.wake();
    });
    const about = { csms: csms.id, message: message.type, reason, ...aboutRecord(head.record) };
    if (message.type === 'meterValues' || 'asked' in head.origin) {
      log.warn(about, 'The CSMS refused a message that is not repeated');
      return this.#settle(head, message, undefined, 'batch');
    }
    if ('redrive' in head.origin) {
      log.warn(about, 'The CSMS refused a dead letter again; it is kept');
      this.#queue.done(head);
      return;
    }
    const tried = ++this.#queue.attempts;
    this.#mayBeRepeated = true;
    const { attempts, retryInterval } = this.#is.settings();
    const startDue = message.type === 'transaction' && startIsDue(csms, this.#stateOf(message.record.uid));
    const hopeless = isUpdate(message) && !startDue && unanswered !== true;
    if (final !== true && tried < attempts && !(hopeless && this.#updatesRefused)) {
      const wait = retryInterval * tried;
      this.#notBefore = clock.monotonic() + wait;
      log.warn({ ...about, attempt: tried, attempts }, 'The CSMS refused a message; it will be repeated');
      return this.#settlements.now([]);
    }
    log.error(
      { ...about, fault: FAULTS.deadLetter.code },
      'The CSMS refused a message for good; it is kept as a dead letter',
    );
    if (hopeless) this.#updatesRefused = true;
    const dead = this.#dead.put({
      seq: head.origin.seq,
      record: message.type === 'transaction' ? message.record : head.record,
      reason,
      ...(message.type === 'transaction' && abandoned && { state: message.state }),
      attempts: tried,
      at: clock.now(),
    });
    const startLost = message.type === 'transaction' && (message.record.kind === 'started' || startDue);
    const state = startLost ? { ...this.#stateOf(message.record.uid), ...abandoned, startDead: true } : abandoned;
    await this.#settle(head, message, state, 'now', dead);
  }

  /**
   * The head is done with: cursor and projection move together, on disk before the next message is sent, unless the answer
   * says nothing new.
   */
  async #settle(
    head: Head,
    message: CsmsMessage,
    state: ProjectionState | undefined,
    urgency: 'now' | 'batch',
    more: readonly DocumentPut[] = [],
  ): Promise<void> {
    const documents = [...more];
    if (message.type === 'transaction') documents.push(...this.#project(head, message, state));
    else if (head.record.type === 'meter' && head.record.evse !== undefined && head.outgoing.sampledAt !== undefined)
      this.#idleSampledAt.set(head.record.evse, head.outgoing.sampledAt);
    if ('redrive' in head.origin) documents.push(...this.#dead.remove(head.origin.redrive));
    this.#queue.done(head);
    if ('seq' in head.origin) {
      this.#mayBeRepeated = false;
      this.#notBefore = this.#is.clock.monotonic();
    }
    await (urgency === 'now' ? this.#settlements.now(documents) : this.#settlements.routine(documents));
  }

  /** What the CSMS now knows of the transaction. */
  #project(
    head: Head,
    { record: { uid, evse, kind } }: TransactionMessage,
    answered: ProjectionState | undefined,
  ): readonly DocumentPut[] {
    const before = this.#projections.of(uid);
    // One that is sent again with a state of its own says nothing of where the transaction stands now.
    const apart = 'redrive' in head.origin && this.#dead.get(head.origin.redrive)?.state !== undefined;
    const state = (apart ? undefined : answered) ?? before?.state ?? {};
    const endedSeq = kind === 'ended' && 'seq' in head.origin ? head.origin.seq : before?.endedSeq;
    const sampledAt = head.outgoing.sampledAt ?? before?.sampledAt;
    const { csms } = this.#is;
    this.#warnOfSharedId(uid, before?.state['csmsTransactionId'], state['csmsTransactionId']);
    if (kind === 'updated' && startIsDue(csms, before?.state ?? {}) && !startIsDue(csms, state))
      this.#is.startedLate(evse);
    return this.#projections.put({
      uid,
      evse,
      state,
      ...(sampledAt === undefined ? {} : { sampledAt }),
      ...(endedSeq === undefined ? {} : { endedSeq }),
    });
  }

  /** Two open transactions under one id: the CSMS can no longer say which one it means. */
  #warnOfSharedId(uid: TransactionUid, before: unknown, id: unknown): void {
    if (typeof id !== 'number' || id === before) return;
    const other = this.#projections.resolve({ csmsTransactionId: id });
    if (other === undefined || other === uid || this.#projections.of(other)?.endedSeq !== undefined) return;
    this.#is.log.warn(
      { csms: this.#is.csms.id, fault: FAULTS.csmsInvalid.code, transaction: uid, other, csmsTransactionId: id },
      'The CSMS has given the id of an open transaction to another one',
    );
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
        slots.sees(evse) || seq <= this.#openedAt || this.#projections.of(uid) !== undefined,
      csms: this.#is.csms,
      slots,
      sampling: this.#is.settings().sampling,
      projection: (uid) => this.#projections.of(uid),
      sampledAt: ({ evse }) => (evse === undefined ? undefined : this.#idleSampledAt.get(evse)),
    };
  }
}

/**
 * A CSMS that took an earlier transmission whose answer was lost finds the token busy with that very transaction:
 * not a verdict on the driver.
 */
function forgiveEcho(info: IdTokenInfo): IdTokenInfo {
  return info.status === 'ConcurrentTx' ? { ...info, status: 'Accepted' } : info;
}

/** What a transaction goes on without; its start and end are worth every attempt. */
const isUpdate = (message: CsmsMessage): boolean => message.type === 'transaction' && message.record.kind === 'updated';

function aboutRecord(record: JournalRecord): { readonly transaction?: string; readonly evse?: number } {
  if (record.type === 'transaction') return { transaction: record.uid, evse: record.evse };
  return record.type === 'meter' && record.evse !== undefined ? { evse: record.evse } : {};
}
