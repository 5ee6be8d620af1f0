// One broker's view of the site: retained state that is always the newest, and the events of the journal in order.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { EvseNumber, JournalSeq, StationId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import { seconds } from '../kernel/units.js';
import type { Journal } from '../ports/journal.js';
import type { TelemetryLink } from '../ports/telemetry.js';
import type { LiveSite } from '../site/live-state.js';
import type { Reader } from '../shedding/shed.js';
import type { MeterReading } from '../site/metering.js';
import type { JournalRecord } from '../site/transaction.js';
import { EventStream } from './event-stream.js';
import { RetainedState } from './retained-state.js';
import {
  circuitMessage,
  connectorMessage,
  csmsMessage,
  eventMessage,
  evseMessage,
  gridOperatorMessage,
  gridOperatorTopic,
  meterMessage,
  onlineTopic,
  reasonMessage,
  stationMessage,
  type CircuitStanding,
  type CsmsStanding,
  type EvseReason,
  type GridOperatorNews,
} from './topics.js';

/** Retained topics change at most this often each. */
const STATE_INTERVAL = seconds(1);
/** Why an EVSE has its current changes at most this often. */
const REASON_INTERVAL = seconds(10);
/** A broker that does not answer must not keep the gateway from stopping. */
const FAREWELL = seconds(2);

export interface TelemetryDependencies {
  /** Names the cursor: `broker` or `local-broker`. */
  readonly id: string;
  /** What every topic begins with. */
  readonly root: string;
  /** Whether a bill shows the driver's card in full. */
  readonly tokens: 'full' | 'masked';
  /** As site.yaml lists them now. */
  readonly stations: () => readonly StationId[];
  readonly live: LiveSite;
  readonly journal: Journal;
  readonly link: TelemetryLink;
  readonly clock: Clock;
  readonly log: Log;
  /** A limit from the grid operator, as it came, unchecked, and the circuit that its topic names. */
  readonly gridLimit: (payload: string, circuit?: string) => void;
  /** A sign of life of the grid operator. */
  readonly gridHeartbeat: () => void;
}

export class Telemetry implements Reader {
  readonly authority = false;
  readonly #deps: TelemetryDependencies;
  readonly #root: string;
  readonly #state: RetainedState;
  readonly #events: EventStream;
  readonly #reasons = new Map<number, { readonly payload: string; readonly at: number }>();
  #cancel: CancelTimer | undefined;

  private constructor(deps: TelemetryDependencies, events: EventStream) {
    this.#deps = deps;
    this.#root = deps.root;
    this.#state = new RetainedState(deps.link, deps.log);
    this.#events = events;
  }

  /**
   * A broker seen for the first time is told what happens from now on.
   * @throws JournalUnavailable when its cursor cannot be read
   */
  static async open(deps: TelemetryDependencies): Promise<Telemetry> {
    return new Telemetry(deps, await EventStream.open(deps));
  }

  start(): void {
    const { link, clock, log, id } = this.#deps;
    // What the broker still shows of the time before the restart is replaced as a whole.
    this.showAll();
    link.start({
      connected: () => {
        this.#state.set({ topic: onlineTopic(this.#root), payload: 'true' });
        this.#state.publishAll();
        this.#events.wake();
      },
      disconnected: (reason) => log.warn({ fault: FAULTS.brokerLost.code, broker: id, reason }, 'broker lost'),
      message: (topic, payload) => {
        const said = gridOperatorTopic(this.#root, topic);
        if (said?.kind === 'limit') this.#deps.gridLimit(payload, said.circuit);
        else if (said?.kind === 'heartbeat') this.#deps.gridHeartbeat();
      },
    });
    this.#cancel = clock.every(STATE_INTERVAL, () => {
      this.#state.publishChanged();
      this.#events.tend();
    });
  }

  get id(): string {
    return this.#deps.id;
  }

  /** Every connector and station as it stands now, whether or not it has changed. */
  showAll(): void {
    const { live, stations } = this.#deps;
    for (const { evse, connector } of live.connectors()) this.connectorChanged(evse, connector);
    for (const station of stations()) this.stationChanged(station);
  }

  /** Delivered up to here: older entries are not needed by this broker any more. */
  get settled(): JournalSeq {
    return this.#events.cursor;
  }

  concerns(record: JournalRecord): boolean {
    return eventMessage(this.#root, 0, record, 'masked') !== undefined;
  }

  /** Events stand for themselves: none needs another. */
  knows(): boolean {
    return false;
  }

  connectorChanged(evse: EvseNumber, connector: number): void {
    const live = this.#deps.live.connector(evse, connector);
    if (live) this.#state.set(connectorMessage(this.#root, live));
    this.measured(evse);
  }

  measured(evse: EvseNumber): void {
    const live = this.#deps.live.evse(evse);
    if (live) this.#state.set(evseMessage(this.#root, live));
  }

  stationChanged(id: StationId): void {
    const live = this.#deps.live.station(id);
    if (live) this.#state.set(stationMessage(this.#root, live));
  }

  meter(reading: MeterReading): void {
    this.#state.set(meterMessage(this.#root, reading));
  }

  circuit(standing: CircuitStanding): void {
    this.#state.set(circuitMessage(this.#root, standing));
  }

  gridOperator(news: GridOperatorNews): void {
    this.#state.set(gridOperatorMessage(this.#root, news));
  }

  /** Where two circuits are about equally full the reason may change with every plan: it is told slowly. */
  reason(reason: EvseReason): void {
    const now = this.#deps.clock.monotonic();
    const message = reasonMessage(this.#root, reason);
    const told = this.#reasons.get(reason.evse);
    if (told?.payload === message.payload || (told !== undefined && now - told.at < REASON_INTERVAL)) return;
    this.#reasons.set(reason.evse, { payload: message.payload, at: now });
    this.#state.set(message);
  }

  csms(standing: CsmsStanding): void {
    this.#state.set(csmsMessage(this.#root, standing));
  }

  /** New entries are durable. */
  journalAdvanced(): void {
    this.#events.wake();
  }

  async stop(): Promise<void> {
    const { link, clock } = this.#deps;
    this.#cancel?.();
    await this.#events.stop();
    if (link.connected) {
      let giveUp: CancelTimer | undefined;
      const patience = new Promise<false>((resolve) => {
        giveUp = clock.after(FAREWELL, () => resolve(false));
      });
      await Promise.race([link.publish(onlineTopic(this.#root), 'false', { qos: 1, retain: true }), patience]);
      giveUp?.();
    }
    await link.stop();
  }
}
