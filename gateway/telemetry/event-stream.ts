// The journal's events for one broker: in order, at least once, and kept while the broker is away.
import { FAULTS } from '../kernel/faults.js';
import { journalSeq, type JournalSeq } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Journal } from '../ports/journal.js';
import type { TelemetryLink } from '../ports/telemetry.js';
import { eventMessage } from './topics.js';

/** Events on their way to the broker at one time. */
const WINDOW = 32;
/** Journal entries a broker may be behind: beyond it the oldest are given up, for telemetry must never fill the disk. */
const BACKLOG = 1_000_000;
const COLLECTION = 'telemetry';

export interface EventStreamDependencies {
  /** Names the cursor. */
  readonly id: string;
  readonly root: string;
  readonly tokens: 'full' | 'masked';
  readonly journal: Journal;
  readonly link: TelemetryLink;
  readonly log: Log;
}

export class EventStream {
  readonly #deps: EventStreamDependencies;
  #cursor: JournalSeq;
  #saved: JournalSeq;
  #delivering = false;
  #again = false;
  #stopped = false;

  private constructor(deps: EventStreamDependencies, cursor: JournalSeq) {
    this.#deps = deps;
    this.#cursor = cursor;
    this.#saved = cursor;
  }

  /** @throws JournalUnavailable when the cursor cannot be read or, the first time, written */
  static async open(deps: EventStreamDependencies): Promise<EventStream> {
    const { id, journal } = deps;
    const saved = (await journal.load(COLLECTION)).get(id);
    if (typeof saved === 'object' && saved !== null && 'cursor' in saved && typeof saved.cursor === 'number') {
      return new EventStream(deps, journalSeq(Math.min(saved.cursor, journal.lastSeq)));
    }
    // Kept from the first moment on: a crash before the first delivery must not make the broker new again.
    const stream = new EventStream(deps, journal.lastSeq);
    await stream.#save();
    return stream;
  }

  /** The broker has everything up to here. */
  get cursor(): JournalSeq {
    return this.#cursor;
  }

  /** New entries are durable, or the broker is back. */
  wake(): void {
    if (this.#stopped || !this.#deps.link.connected) return;
    if (this.#delivering) {
      this.#again = true;
      return;
    }
    this.#delivering = true;
    this.#deliver()
      .catch((err: unknown) => {
        const { id, log } = this.#deps;
        log.error({ err, broker: id, fault: FAULTS.journalUnavailable.code }, 'cannot read the journal for the broker');
      })
      .finally(() => {
        this.#delivering = false;
      });
  }

  /** Once a second: remembers how far the broker is, and goes on where it refused. */
  tend(): void {
    this.#dropBeyond();
    if (this.#saved !== this.#cursor) this.#saveSoon();
    this.wake();
  }

  /** What the broker has is written down; what it has not waits for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#saved === this.#cursor) return;
    await this.#save().catch((err: unknown) => this.#unsaved(err));
  }

  async #deliver(): Promise<void> {
    const { journal, link, root, tokens } = this.#deps;
    while (!this.#stopped && link.connected) {
      this.#again = false;
      const entries = await journal.read(this.#cursor, WINDOW);
      const taken = await Promise.all(
        entries.map(({ seq, record }) => {
          const message = eventMessage(root, seq, record, tokens);
          if (message === undefined) return Promise.resolve(true);
          return link.publish(message.topic, message.payload, { qos: 1, retain: false });
        }),
      );
      const refused = taken.indexOf(false);
      const last = refused === -1 ? entries.at(-1) : entries[refused - 1];
      if (last) this.#cursor = last.seq;
      if (refused !== -1) return;
      if (entries.length === 0 && !this.#again) return;
    }
  }

  #dropBeyond(): void {
    const { id, journal, log } = this.#deps;
    const oldest = journalSeq(journal.lastSeq - BACKLOG);
    // Behind a delivery that is under way the cursor moves by itself.
    if (this.#delivering || this.#cursor >= oldest) return;
    log.warn(
      { broker: id, fault: FAULTS.brokerBehind.code, from: this.#cursor + 1, to: oldest },
      'events for a broker that is away were given up',
    );
    this.#cursor = oldest;
  }

  #saveSoon(): void {
    this.#save().catch((err: unknown) => this.#unsaved(err));
  }

  async #save(): Promise<void> {
    const { id, journal } = this.#deps;
    const cursor = this.#cursor;
    await journal.commit({ documents: [{ collection: COLLECTION, key: id, value: { cursor } }] }, 'batch');
    this.#saved = cursor;
  }

  #unsaved(err: unknown): void {
    const { id, log } = this.#deps;
    log.warn({ err, broker: id, fault: FAULTS.journalUnavailable.code }, 'how far the broker is could not be written');
  }
}
