// The retained topics of one broker: only the newest value of each is ever sent, one message a topic on its way at a time.
import { FAULTS } from '../kernel/faults.js';
import type { Log } from '../kernel/log.js';
import type { TelemetryLink } from '../ports/telemetry.js';
import type { TelemetryMessage } from './topics.js';

export class RetainedState {
  readonly #payloads = new Map<string, string>();
  /** Topics whose newest value the broker does not have yet. */
  readonly #changed = new Set<string>();
  readonly #onTheWay = new Set<string>();
  readonly #link: TelemetryLink;
  readonly #log: Log;

  constructor(link: TelemetryLink, log: Log) {
    this.#link = link;
    this.#log = log;
  }

  set({ topic, payload }: TelemetryMessage): void {
    if (this.#payloads.get(topic) === payload) return;
    this.#payloads.set(topic, payload);
    this.#changed.add(topic);
  }

  /** A broker that has come back may have forgotten everything. */
  publishAll(): void {
    for (const topic of this.#payloads.keys()) this.#changed.add(topic);
    this.publishChanged();
  }

  /** A slow broker gets the newest value when it has taken the one before: what is on its way is bounded by the topics. */
  publishChanged(): void {
    for (const topic of this.#changed) {
      if (!this.#link.connected) return;
      const payload = this.#payloads.get(topic);
      if (payload === undefined || this.#onTheWay.has(topic)) continue;
      this.#changed.delete(topic);
      this.#onTheWay.add(topic);
      this.#link
        .publish(topic, payload, { qos: 1, retain: true })
        .catch((err: unknown) => {
          this.#log.warn({ err, topic, fault: FAULTS.brokerLost.code }, 'the broker refused a state');
          return false;
        })
        .then((taken) => {
          this.#onTheWay.delete(topic);
          if (!taken) this.#changed.add(topic);
        })
        .catch((err: unknown) => this.#log.error({ err, topic }, 'a state could not be published'));
    }
  }
}
