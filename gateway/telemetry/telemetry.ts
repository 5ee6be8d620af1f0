// One broker's view of the site: retained state that is always the newest, and events from the journal, each acknowledged once.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { journalSeq, type EvseNumber, type JournalSeq, type StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { seconds } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';
import type { TelemetryLink } from '../ports/telemetry.js';
import type { LiveSite } from '../site/live-state.js';
import {
  connectorMessage,
  eventMessage,
  evseMessage,
  gridLimitTopic,
  onlineTopic,
  stationMessage,
  topicRoot,
  type TelemetryMessage,
} from './topics.js';

/** Retained topics change at most this often each. */
const STATE_INTERVAL = seconds(1);
/** Events on their way to the broker at one time. */
const WINDOW = 32;
const COLLECTION = 'telemetry';

export interface TelemetryDependencies {
  /** Names the cursor: `broker` or `local-broker`. */
  readonly id: string;
  readonly siteId: string;
  readonly topicPrefix: string;
  readonly live: LiveSite;
  readonly journal: Journal;
  readonly link: TelemetryLink;
  readonly clock: Clock;
  readonly log: Log;
  /** A limit in ampere per phase from the grid operator, or undefined when it is lifted. */
  readonly gridLimit: (payload: string) => void;
}

export class Telemetry {
  readonly #deps: TelemetryDependencies;
  readonly #root: string;
  readonly #retained = new Map<string, string>();
  readonly #dirty = new Set<string>();
  #cursor: JournalSeq;
  #delivering = false;
  #cancel: CancelTimer | undefined;
  #stopped = false;

  private constructor(deps: TelemetryDependencies, cursor: JournalSeq) {
    this.#deps = deps;
    this.#root = topicRoot(deps.topicPrefix, deps.siteId);
    this.#cursor = cursor;
  }

  /** A broker seen for the first time is told what happens from now on. */
  static async open(deps: TelemetryDependencies): Promise<Telemetry> {
    const saved = (await deps.journal.load(COLLECTION)).get(deps.id);
    const known = typeof saved === 'object' && saved !== null && 'cursor' in saved && typeof saved.cursor === 'number';
    return new Telemetry(deps, known ? journalSeq(saved.cursor as number) : deps.journal.lastSeq);
  }

  start(): void {
    const { link, clock } = this.#deps;
    link.start({
      connected: () => {
        for (const topic of this.#retained.keys()) this.#dirty.add(topic);
        this.#set({ topic: onlineTopic(this.#root), payload: 'true' });
        this.#flush();
        this.journalAdvanced();
      },
      disconnected: (reason) => this.#deps.log.warn({ fault: 'FC-Q01', broker: this.#deps.id, reason }, 'broker lost'),
      message: (topic, payload) => {
        if (topic === gridLimitTopic(this.#root)) this.#deps.gridLimit(payload);
      },
    });
    this.#cancel = clock.every(STATE_INTERVAL, () => this.#flush());
    this.journalAdvanced();
  }

  /** Delivered up to here: older entries are not needed by this broker any more. */
  get cursor(): JournalSeq {
    return this.#cursor;
  }

  connectorChanged(evse: EvseNumber, connector: number): void {
    const live = this.#deps.live.connector(evse, connector);
    if (live) this.#set(connectorMessage(this.#root, live));
    this.measured(evse);
  }

  measured(evse: EvseNumber): void {
    const live = this.#deps.live.evse(evse);
    if (live) this.#set(evseMessage(this.#root, live));
  }

  stationChanged(id: StationId): void {
    const live = this.#deps.live.station(id);
    if (live) this.#set(stationMessage(this.#root, live));
  }

  /** Any other retained state: circuits, meters, CSMSs. */
  state(path: string, value: unknown): void {
    this.#set({ topic: `${this.#root}/${path}`, payload: JSON.stringify(value) });
  }

  journalAdvanced(): void {
    if (this.#delivering || this.#stopped || !this.#deps.link.connected) return;
    this.#delivering = true;
    this.#deliver()
      .catch((err: unknown) =>
        this.#deps.log.error({ err, broker: this.#deps.id }, 'cannot read the journal for the broker'),
      )
      .finally(() => {
        this.#delivering = false;
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    if (this.#deps.link.connected) {
      await this.#deps.link.publish(onlineTopic(this.#root), 'false', { qos: 1, retain: true });
    }
    await this.#deps.link.stop();
  }

  async #deliver(): Promise<void> {
    const { journal, link } = this.#deps;
    while (!this.#stopped && link.connected) {
      const entries = await journal.read(this.#cursor, WINDOW);
      if (entries.length === 0) return;
      const taken = await Promise.all(
        entries.map((entry) => {
          const message = eventMessage(this.#root, entry.seq, entry.record);
          if (message === undefined) return Promise.resolve(true);
          return link.publish(message.topic, message.payload, { qos: 1, retain: false });
        }),
      );
      const refused = taken.indexOf(false);
      const last = refused === -1 ? entries.at(-1) : entries[refused - 1];
      if (last) {
        this.#cursor = last.seq;
        await journal.commit(
          { documents: [{ collection: COLLECTION, key: this.#deps.id, value: { cursor: last.seq } }] },
          'batch',
        );
      }
      if (refused !== -1) return;
    }
  }

  #set(message: TelemetryMessage): void {
    if (this.#retained.get(message.topic) === message.payload) return;
    this.#retained.set(message.topic, message.payload);
    this.#dirty.add(message.topic);
  }

  #flush(): void {
    const { link, log } = this.#deps;
    if (!link.connected) return;
    for (const topic of this.#dirty) {
      const payload = this.#retained.get(topic) ?? '';
      link.publish(topic, payload, { qos: 1, retain: true }).then(
        (taken) => {
          if (!taken) this.#dirty.add(topic);
        },
        (err: unknown) => log.warn({ err, topic }, 'the broker refused a state'),
      );
    }
    this.#dirty.clear();
  }
}
