// What one CSMS has been told of each transaction: the adapter's own state of it, the CSMS's id, the last sample.
import {
  evseNumber,
  journalSeq,
  transactionUid,
  type EvseNumber,
  type JournalSeq,
  type TransactionUid,
} from '../kernel/ids.js';
import { timestamp, type Timestamp } from '../kernel/units.js';
import type { CsmsTransactionReference, ProjectionState } from '../ports/csms.js';
import type { DocumentPut } from '../ports/journal.js';

export interface Projection {
  readonly uid: TransactionUid;
  readonly evse: EvseNumber;
  /** Opaque but for two names: `csmsTransactionId` (1.6) and `startDead`, set when the start was given up. */
  readonly state: ProjectionState;
  readonly sampledAt?: Timestamp;
  /** The place of its end in the journal, once that has been delivered. */
  readonly endedSeq?: number;
}

const PREFIX = 'tx/';
/** Ended transactions that are still remembered, for a late RemoteStop or GetTransactionStatus. */
const REMEMBERED = 200;

export class Projections {
  readonly #collection: string;
  readonly #known = new Map<TransactionUid, Projection>();
  readonly #uidOf = new Map<number, TransactionUid>();
  /** Ended ones, the oldest first. */
  readonly #ended: TransactionUid[] = [];

  constructor(collection: string, stored: ReadonlyMap<string, unknown>) {
    this.#collection = collection;
    const projections = [...stored]
      .filter(([key]) => key.startsWith(PREFIX))
      .flatMap(([key, value]) => parse(transactionUid(key.slice(PREFIX.length)), value) ?? []);
    const order = ({ endedSeq = Number.MAX_SAFE_INTEGER }: Projection): number => endedSeq;
    projections.sort((a, b) => order(a) - order(b) || (a.uid < b.uid ? -1 : 1));
    for (const projection of projections) this.#remember(projection);
  }

  get size(): number {
    return this.#known.size;
  }

  /** The place in the journal of the newest end that has been delivered. */
  get lastEnded(): JournalSeq | undefined {
    const places = [...this.#known.values()].flatMap(({ endedSeq }) => endedSeq ?? []);
    return places.length === 0 ? undefined : journalSeq(Math.max(...places));
  }

  of(uid: TransactionUid): Projection | undefined {
    return this.#known.get(uid);
  }

  /** The transaction that a CSMS means; undefined: it has never been told of one. */
  resolve(reference: CsmsTransactionReference): TransactionUid | undefined {
    if ('uid' in reference) return this.#known.has(reference.uid) ? reference.uid : undefined;
    return this.#uidOf.get(reference.csmsTransactionId);
  }

  /** Replaces what is known of a transaction; the answer is what has to be committed with it. */
  put(projection: Projection): readonly DocumentPut[] {
    this.#remember(projection);
    const { uid, ...value } = projection;
    const documents: DocumentPut[] = [{ collection: this.#collection, key: PREFIX + uid, value }];
    while (this.#ended.length > REMEMBERED) {
      const oldest = this.#ended.shift();
      if (oldest === undefined) break;
      this.#forget(oldest);
      documents.push({ collection: this.#collection, key: PREFIX + oldest });
    }
    return documents;
  }

  #remember(projection: Projection): void {
    const before = this.#known.get(projection.uid);
    this.#known.set(projection.uid, projection);
    const id = projection.state['csmsTransactionId'];
    // Of two transactions that a CSMS gave one id it means the newer one.
    if (typeof id === 'number' && before?.state['csmsTransactionId'] !== id) this.#uidOf.set(id, projection.uid);
    if (projection.endedSeq !== undefined && before?.endedSeq === undefined) this.#ended.push(projection.uid);
  }

  #forget(uid: TransactionUid): void {
    const id = this.#known.get(uid)?.state['csmsTransactionId'];
    if (typeof id === 'number' && this.#uidOf.get(id) === uid) this.#uidOf.delete(id);
    this.#known.delete(uid);
  }
}

function parse(uid: TransactionUid, value: unknown): Projection | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { evse, state, sampledAt, endedSeq } = value as Record<string, unknown>;
  if (typeof evse !== 'number' || typeof state !== 'object' || state === null) return undefined;
  return {
    uid,
    evse: evseNumber(evse),
    state: state as ProjectionState,
    ...(typeof sampledAt === 'number' ? { sampledAt: timestamp(sampledAt) } : {}),
    ...(typeof endedSeq === 'number' ? { endedSeq } : {}),
  };
}
