// The site as it changes: one text of the status for all who read, made only while somebody does.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { EventReader } from '../../gateway/ports/console-routes.js';
import type { SiteConsole } from '../../gateway/ports/console.js';

const LOOK = seconds(1);

interface Reader {
  readonly stream: EventReader;
  /** Which status he was sent last. */
  sent: number;
  /** The last event that he was sent. */
  event: number;
}

type Shown = Pick<SiteConsole, 'status' | 'events'>;

export class LiveFeed {
  readonly #console: Shown;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  #cancel: CancelTimer = () => undefined;
  /** All of the status but the moment it was made at: whether something has changed. */
  #content = '';
  #text = '';
  /** Counts the changes. */
  #version = 0;

  constructor(console: Shown, clock: Clock) {
    this.#console = console;
    this.#clock = clock;
  }

  /** @returns what ends it */
  join(stream: EventReader): () => void {
    const reader: Reader = { stream, sent: -1, event: this.#console.events.last };
    if (this.#readers.size === 0) {
      this.#look();
      this.#cancel = this.#clock.every(LOOK, () => this.#tell());
    }
    this.#readers.add(reader);
    stream.onReady(() => this.#show(reader));
    this.#show(reader);
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#cancel();
    };
  }

  #tell(): void {
    this.#look();
    for (const reader of this.#readers) this.#show(reader);
  }

  #look(): void {
    const { at, planAge_s: age, ...rest } = this.#console.status();
    const content = JSON.stringify(rest);
    if (content === this.#content) return;
    this.#content = content;
    this.#version += 1;
    const moment = JSON.stringify({ at, ...(age !== undefined && { planAge_s: age }) });
    this.#text = `${moment.slice(0, -1)},${content.slice(1)}`;
  }

  /** Whoever has not taken the one before is passed over: when he has, he gets the newest, and what of the events is still kept. */
  #show(reader: Reader): void {
    const { stream } = reader;
    if (!stream.ready) return;
    if (reader.sent !== this.#version) {
      reader.sent = this.#version;
      stream.send('status', this.#text);
    }
    for (const { number, entry } of this.#console.events.since(reader.event)) {
      if (!stream.ready) return;
      reader.event = number;
      stream.send('event', JSON.stringify(entry));
    }
  }
}
