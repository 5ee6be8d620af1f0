// What becomes of a message once the CSMS has said something to it, or nothing: known, repeated, or kept as a dead letter.
import type { EvseNumber, JournalSeq, TransactionUid } from '../kernel/ids.js';
import type { Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { Log } from '../kernel/log.js';
import type { Milliseconds, Timestamp } from '../kernel/units.js';
import type { CsmsMessage, DeliveryOutcome, ProjectionState } from '../ports/csms.js';
import type { DocumentPut } from '../ports/journal.js';
import type { IdToken, IdTokenInfo } from '../site/tokens.js';
import type { Csms } from '../site/topology.js';
import type { JournalRecord } from '../site/transaction.js';
import { withoutTokens } from '../site/without-tokens.js';
import type { DeadLetters } from './dead-letters.js';
import { startIsDue } from './outgoing.js';
import type { Projections } from './projections.js';
import type { Head, Queue } from './queue.js';
import type { SamplingSettings } from './sampling.js';
import type { Settlements } from './settlements.js';

type TransactionMessage = Extract<CsmsMessage, { type: 'transaction' }>;
/** An outcome of a message that was sent. */
type Said = Exclude<DeliveryOutcome, { kind: 'unsent' }>;

export interface DeliverySettings {
  /** Transmissions of a transaction message before it is given up (1.6 TransactionMessageAttempts). */
  readonly attempts: number;
  /** Waited after a refusal, times the transmissions so far (1.6 section 3.7.1, E13). */
  readonly retryInterval: Milliseconds;
  readonly sampling: SamplingSettings;
}

/** Who is told, and who is to hear of what is answered. */
export interface OutcomesContext {
  readonly csms: Csms;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => DeliverySettings;
  /** The CSMS's verdict on a token of a transaction: of its driver, or of another card. */
  readonly judged: (uid: TransactionUid, idToken: IdToken, info: IdTokenInfo) => void;
  /** A 1.6 CSMS has been told of a start that had to wait: before, it could not be told that the car charges. */
  readonly startedLate: (evse: EvseNumber) => void;
}

export interface OutcomesDependencies extends OutcomesContext {
  readonly projections: Projections;
  readonly dead: DeadLetters;
  readonly queue: Queue;
  readonly settlements: Settlements;
  /** An attempt that was given up has been answered after all; to be taken between two deliveries. */
  readonly answeredLate: (take: () => Promise<void>) => void;
}

export class Outcomes {
  /** Messages of the queue that the CSMS has answered since this process began. */
  delivered = 0;
  /** Those that it refused or left unanswered since then. */
  refusals = 0;
  lastError: string | undefined;
  /** On the monotonic clock: the head is not repeated before. */
  notBefore: number;
  /** The head may have reached the CSMS before: it was sent and not answered, perhaps by an earlier process. */
  mayBeRepeated: boolean;
  /**
   * The CSMS has turned down an update for good and taken none since. It will not take the next ones either, and trying
   * each as often as the first would put the ends of transactions off for ever.
   */
  #updatesRefused = false;
  readonly #idleSampledAt = new Map<EvseNumber, Timestamp>();
  readonly #is: OutcomesDependencies;

  constructor(dependencies: OutcomesDependencies) {
    this.#is = dependencies;
    this.mayBeRepeated = !dependencies.queue.fresh;
    this.notBefore = dependencies.clock.monotonic();
  }

  /** When a value of the EVSE outside transactions was last told. */
  sampledAt(evse: EvseNumber): Timestamp | undefined {
    return this.#idleSampledAt.get(evse);
  }

  /** An update whose answer has nothing to say. */
  isRoutine({ outgoing: { message } }: Head): boolean {
    if (message.type !== 'transaction' || message.record.kind !== 'updated') return false;
    return message.record.idToken === undefined && !startIsDue(this.#is.csms, this.#stateOf(message.record.uid));
  }

  /** Where the CSMS has refused updates for good, the next one is not forgiven as much. */
  isUnwanted(message: CsmsMessage): boolean {
    return isUpdate(message) && this.#updatesRefused;
  }

  /**
   * State and offline flag are of this moment; times and values were settled when the entry became the head.
   * @param offlineThrough what is up to here in the journal happened without the CSMS
   */
  toSend(head: Head, offlineThrough: JournalSeq): CsmsMessage {
    const { message } = head.outgoing;
    if (message.type !== 'transaction') return message;
    const late = 'seq' in head.origin ? head.origin.seq <= offlineThrough : 'redrive' in head.origin;
    const own = 'redrive' in head.origin ? this.#is.dead.get(head.origin.redrive)?.state : undefined;
    const state = own ?? this.#stateOf(message.record.uid);
    const startAgain = 'redrive' in head.origin && message.record.kind === 'started';
    return {
      ...message,
      offline: message.record.offline || late,
      state: {
        ...state,
        ...(startAgain ? { startDead: undefined } : {}),
        ...(this.mayBeRepeated || startAgain ? { repeated: true } : {}),
      },
    };
  }

  /** Resolves when what it means is on disk, or on its way there where nothing depends on it. */
  async take(head: Head, message: CsmsMessage, outcome: Said): Promise<void> {
    await this.takePart(head, message, outcome);
    if (outcome.kind === 'refused') await this.#refused(head, message, outcome);
    else await this.#answered(head, message, outcome);
  }

  /** What the CSMS has taken of a message that is more than one: neither a repetition nor the next process tells it again. */
  async takePart(head: Head, message: CsmsMessage, outcome: DeliveryOutcome): Promise<void> {
    if (message.type !== 'transaction' || !('partly' in outcome) || outcome.partly === undefined) return;
    const { state, idTokenInfo } = outcome.partly;
    this.#tellJudged(message, idTokenInfo);
    await this.#is.settlements.now(this.#project(head, message, state));
  }

  /**
   * The answer to an attempt that had been given up: as good as one in time, unless a repetition has been answered since.
   * A start that is a dead letter by now has its id after all, and what follows it goes on under that.
   */
  async #cameLate(head: Head, message: CsmsMessage, outcome: DeliveryOutcome): Promise<void> {
    const origin = this.#is.queue.known === head ? head.origin : this.#asDeadLetter(head);
    const used = origin !== undefined;
    this.#is.log.info(
      { csms: this.#is.csms.id, message: message.type, used, ...aboutRecord(head.record) },
      'The CSMS answered late',
    );
    if (origin === undefined) return;
    if ('partly' in outcome && outcome.partly) await this.takePart(head, message, outcome);
    else if (outcome.kind === 'answered' || outcome.kind === 'nothing')
      await this.#answered({ ...head, origin }, message, outcome);
  }

  /** undefined: it is none, or is about to be sent again. */
  #asDeadLetter({ origin }: Head): Head['origin'] | undefined {
    if ('asked' in origin) return undefined;
    const seq = 'seq' in origin ? origin.seq : origin.redrive;
    return this.#is.dead.get(seq) === undefined || this.#is.queue.isInserted(seq) ? undefined : { redrive: seq };
  }

  #stateOf(uid: TransactionUid): ProjectionState {
    return this.#is.projections.of(uid)?.state ?? {};
  }

  async #answered(
    head: Head,
    message: CsmsMessage,
    outcome: Extract<DeliveryOutcome, { kind: 'answered' | 'nothing' }>,
  ): Promise<void> {
    this.lastError = undefined;
    if (outcome.kind === 'answered') this.delivered++;
    const info = outcome.kind === 'answered' ? outcome.idTokenInfo : undefined;
    if (message.type === 'transaction') this.#tellJudged(message, info);
    if (isUpdate(message) && outcome.kind === 'answered') this.#updatesRefused = false;
    const routine = info === undefined && this.isRoutine(head);
    await this.#settle(head, message, outcome.state, routine ? 'batch' : 'now');
  }

  #tellJudged({ record, state }: TransactionMessage, info: IdTokenInfo | undefined): void {
    // 1.6 asks of the driver with the start, whichever record brings it, and of another card with the stop.
    const start = this.#is.csms.ocpp === '1.6' && (record.kind !== 'ended' || startIsDue(this.#is.csms, state));
    const idToken = start ? (record.startToken ?? record.idToken) : record.idToken;
    if (info !== undefined && idToken !== undefined)
      this.#is.judged(record.uid, idToken, state['repeated'] === true ? forgiveEcho(info) : info);
  }

  async #refused(
    head: Head,
    message: CsmsMessage,
    { reason: said, unanswered, abandoned, final, late }: Extract<DeliveryOutcome, { kind: 'refused' }>,
  ): Promise<void> {
    // It goes into the log, to brokers and onto the console.
    const reason = withoutTokens(said, head.record);
    this.lastError = reason;
    this.refusals++;
    const { csms, log, clock } = this.#is;
    void late?.then((outcome) => this.#is.answeredLate(() => this.#cameLate(head, message, outcome)));
    const about = { csms: csms.id, message: message.type, reason, ...aboutRecord(head.record) };
    if (message.type === 'meterValues' || 'asked' in head.origin) {
      log.warn(about, 'The CSMS refused a message that is not repeated');
      return this.#settle(head, message, undefined, 'batch');
    }
    if ('redrive' in head.origin) {
      log.warn(about, 'The CSMS refused a dead letter again; it is kept');
      this.#is.queue.done(head);
      return;
    }
    const tried = ++this.#is.queue.attempts;
    this.mayBeRepeated = true;
    const { attempts, retryInterval } = this.#is.settings();
    const startDue = message.type === 'transaction' && startIsDue(csms, this.#stateOf(message.record.uid));
    const hopeless = isUpdate(message) && !startDue && unanswered !== true;
    if (final !== true && tried < attempts && !(hopeless && this.#updatesRefused)) {
      const wait = retryInterval * tried;
      this.notBefore = clock.monotonic() + wait;
      log.warn({ ...about, attempt: tried, attempts }, 'The CSMS refused a message; it will be repeated');
      return this.#is.settlements.now([]);
    }
    log.error(
      { ...about, fault: FAULTS.deadLetter.code },
      'The CSMS refused a message for good; it is kept as a dead letter',
    );
    if (hopeless) this.#updatesRefused = true;
    const dead = this.#is.dead.put({
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
    if ('redrive' in head.origin) documents.push(...this.#is.dead.remove(head.origin.redrive));
    this.#is.queue.done(head);
    if ('seq' in head.origin) {
      this.mayBeRepeated = false;
      this.notBefore = this.#is.clock.monotonic();
    }
    await (urgency === 'now' ? this.#is.settlements.now(documents) : this.#is.settlements.routine(documents));
  }

  /** What the CSMS now knows of the transaction. */
  #project(
    head: Head,
    { record: { uid, evse, kind } }: TransactionMessage,
    answered: ProjectionState | undefined,
  ): readonly DocumentPut[] {
    const before = this.#is.projections.of(uid);
    // One that is sent again with a state of its own says nothing of where the transaction stands now.
    const apart = 'redrive' in head.origin && this.#is.dead.get(head.origin.redrive)?.state !== undefined;
    const state = (apart ? undefined : answered) ?? before?.state ?? {};
    const endedSeq = kind === 'ended' && 'seq' in head.origin ? head.origin.seq : before?.endedSeq;
    const sampledAt = head.outgoing.sampledAt ?? before?.sampledAt;
    const { csms } = this.#is;
    this.#warnOfSharedId(uid, before?.state['csmsTransactionId'], state['csmsTransactionId']);
    if (kind === 'updated' && startIsDue(csms, before?.state ?? {}) && !startIsDue(csms, state))
      this.#is.startedLate(evse);
    return this.#is.projections.put({
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
    const other = this.#is.projections.resolve({ csmsTransactionId: id });
    if (other === undefined || other === uid || this.#is.projections.of(other)?.endedSeq !== undefined) return;
    this.#is.log.warn(
      { csms: this.#is.csms.id, fault: FAULTS.csmsInvalid.code, transaction: uid, other, csmsTransactionId: id },
      'The CSMS has given the id of an open transaction to another one',
    );
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
