// A simulated charging station's own mind: reader, cable, sessions and an offline queue. What it says, and in which version, is its protocol's.
import type { CancelTimer, Clock } from '../gateway/kernel/clock.js';
import { ampere, milliseconds, seconds, type Ampere, type Timestamp, type WattHour } from '../gateway/kernel/units.js';
import type { CallHandler, OcppConnection } from '../adapters/ocpp-j/contract.js';
import type { Car } from './car.js';
import type { EvseHardware } from './evse.js';

export type StopReason =
  | 'Local'
  | 'Remote'
  | 'EVDisconnected'
  | 'DeAuthorized'
  | 'UnlockCommand'
  | 'SoftReset'
  | 'HardReset'
  | 'PowerLoss';

/** The charger's own book of one visit: what the clouds have to agree with. */
export interface Session {
  readonly evse: number;
  readonly token: string;
  readonly startedAt: Timestamp;
  readonly meterStart: WattHour;
  readonly remoteStartId?: number;
  readonly reservationId?: number;
  /** As issued by the gateway (1.6) or by the charger itself (2.0.1). */
  transactionId?: string;
  endedAt?: Timestamp;
  meterStop?: WattHour;
  reason?: StopReason;
}

/** One message that must arrive: `retry` where there was no answer, `done` otherwise. */
export type QueuedMessage = () => Promise<'done' | 'retry'>;

export type Verdict = 'accepted' | 'refused';

/** What a version of OCPP adds to the charger. */
export interface ChargerProtocol {
  readonly handler: CallHandler;
  /** BootNotification; resolves true once accepted. */
  boot(connection: OcppConnection): Promise<boolean>;
  heartbeat(connection: OcppConnection): Promise<void>;
  status(connection: OcppConnection, evse: EvseState): Promise<void>;
  authorize(connection: OcppConnection, token: string): Promise<Verdict>;
  /** Each makes a message of what happened; the charger queues it and sends it in order. */
  started(session: Session): QueuedMessage;
  sampled(session: Session): QueuedMessage;
  ended(session: Session): QueuedMessage;
  /** Energy began or ceased to flow: only 2.0.1 has a message for it beside the status. */
  chargingChanged(session: Session): QueuedMessage | undefined;
}

/** Everything about one EVSE that a status is derived from. */
export interface EvseState {
  readonly hardware: EvseHardware;
  session: Session | undefined;
  /** The last session is over and its cable still in. */
  finishing: boolean;
  operative: boolean;
  faulted: boolean;
  reservation: { readonly id: number; readonly token: string; readonly group?: string } | undefined;
  /** Identified, waiting for a cable. */
  pending: { readonly token: string; readonly remoteStartId?: number; readonly cancel: CancelTimer } | undefined;
  /** Limits installed by profiles, in ampere per phase. */
  defaultLimit: Ampere | undefined;
  transactionLimit: Ampere | undefined;
  announced: string | undefined;
}

export interface ChargerSettings {
  readonly id: string;
  readonly evses: readonly EvseHardware[];
  readonly clock: Clock;
  /** Between two samples of a running transaction. */
  sampleInterval: number;
  /** Seconds that an identified driver has to plug in. */
  connectionTimeout: number;
}

export class SimulatedCharger {
  readonly evses: readonly EvseState[];
  /** All visits, oldest first. */
  readonly book: Session[] = [];
  #protocol: ChargerProtocol | undefined;
  #connection: OcppConnection | undefined;
  #booted = false;
  readonly #queue: QueuedMessage[] = [];
  #sending = false;
  #timers: CancelTimer[] = [];

  constructor(readonly settings: ChargerSettings) {
    this.evses = settings.evses.map((hardware) => ({
      hardware,
      session: undefined,
      finishing: false,
      operative: true,
      faulted: false,
      reservation: undefined,
      pending: undefined,
      defaultLimit: undefined,
      transactionLimit: undefined,
      announced: undefined,
    }));
    for (const evse of this.evses) evse.hardware.onChange(() => this.#hardwareChanged(evse));
  }

  /** Given once, before the first connection; the protocol knows its charger, so it cannot come first. */
  speak(protocol: ChargerProtocol): void {
    this.#protocol = protocol;
  }

  get protocol(): ChargerProtocol {
    if (this.#protocol === undefined) throw new Error(`${this.settings.id} speaks no protocol yet`);
    return this.#protocol;
  }

  get connected(): boolean {
    return this.#booted;
  }

  /** Messages that wait for a connection. */
  get queued(): number {
    return this.#queue.length;
  }

  evse(number: number): EvseState | undefined {
    return this.evses.find((state) => state.hardware.number === number);
  }

  /** @returns whether the gateway accepted the charger */
  async attach(connection: OcppConnection): Promise<boolean> {
    this.#connection = connection;
    const booted = await this.protocol.boot(connection);
    // The connection may have gone, and another may have come, while the gateway thought about it.
    if (!booted || this.#connection !== connection) return booted;
    this.#booted = true;
    for (const evse of this.evses) {
      evse.announced = undefined;
      await this.#announce(evse);
    }
    if (this.#connection !== connection) return true;
    const { clock, sampleInterval } = this.settings;
    this.#timers = [
      clock.every(seconds(sampleInterval), () => this.#sample()),
      clock.every(seconds(60), () => void (this.#connection && this.protocol.heartbeat(this.#connection))),
    ];
    await this.#drain();
    return true;
  }

  detach(): void {
    this.#connection = undefined;
    this.#booted = false;
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }

  plug(number: number, car: Car): void {
    this.evse(number)?.hardware.plug(car);
  }

  /** @returns false while the plug is locked */
  unplug(number: number): boolean {
    return this.evse(number)?.hardware.unplug() ?? false;
  }

  /** A driver holds a card to the reader of an EVSE. */
  async present(number: number, token: string): Promise<Verdict> {
    const evse = this.evse(number);
    if (evse === undefined || !evse.operative) return 'refused';
    if (evse.session !== undefined && evse.session.token.toLowerCase() === token.toLowerCase()) {
      this.end(evse, 'Local');
      return 'accepted';
    }
    const connection = this.#connection;
    if (connection === undefined || !this.#booted) return 'refused';
    const verdict = await this.protocol.authorize(connection, token);
    if (verdict === 'accepted') this.identified(evse, token);
    return verdict;
  }

  /** The driver is known: charging starts now, or as soon as a cable is in. */
  identified(evse: EvseState, token: string, remoteStartId?: number): void {
    if (evse.session !== undefined) return;
    if (evse.hardware.car !== undefined) {
      this.#begin(evse, token, remoteStartId);
      return;
    }
    const cancel = this.settings.clock.after(seconds(this.settings.connectionTimeout), () => {
      evse.pending = undefined;
      void this.#announce(evse);
    });
    evse.pending = { token, ...(remoteStartId !== undefined && { remoteStartId }), cancel };
    void this.#announce(evse);
  }

  end(evse: EvseState, reason: StopReason): void {
    const session = evse.session;
    if (session === undefined) return;
    session.endedAt = this.settings.clock.now();
    session.meterStop = evse.hardware.register;
    session.reason = reason;
    evse.session = undefined;
    evse.finishing = evse.hardware.car !== undefined;
    evse.transactionLimit = undefined;
    evse.hardware.enable(false);
    this.#send(this.protocol.ended(session));
    void this.#announce(evse);
  }

  /** Installs what the profiles say now. */
  limited(evse: EvseState): void {
    evse.hardware.limit(ampere(evse.transactionLimit ?? evse.defaultLimit ?? evse.hardware.maxCurrent));
  }

  /** Says the status of an EVSE again where it has changed. */
  async announce(evse: EvseState): Promise<void> {
    await this.#announce(evse);
  }

  #begin(evse: EvseState, token: string, remoteStartId: number | undefined): void {
    evse.pending?.cancel();
    evse.pending = undefined;
    const reservation = evse.reservation;
    evse.reservation = undefined;
    const session: Session = {
      evse: evse.hardware.number,
      token,
      startedAt: this.settings.clock.now(),
      meterStart: evse.hardware.register,
      ...(remoteStartId !== undefined && { remoteStartId }),
      ...(reservation !== undefined && { reservationId: reservation.id }),
    };
    evse.session = session;
    evse.finishing = false;
    this.book.push(session);
    this.limited(evse);
    this.#send(this.protocol.started(session));
    evse.hardware.enable(true);
    void this.#announce(evse);
  }

  #hardwareChanged(evse: EvseState): void {
    const { hardware, session, pending } = evse;
    if (hardware.car === undefined) {
      evse.finishing = false;
      if (session !== undefined) this.end(evse, 'EVDisconnected');
    } else if (session === undefined && pending !== undefined) {
      this.#begin(evse, pending.token, pending.remoteStartId);
      return;
    } else if (session !== undefined) {
      const message = this.protocol.chargingChanged(session);
      if (message) this.#send(message);
    }
    void this.#announce(evse);
  }

  async #announce(evse: EvseState): Promise<void> {
    const connection = this.#connection;
    if (connection !== undefined && this.#booted) await this.protocol.status(connection, evse);
  }

  #sample(): void {
    for (const { session } of this.evses) if (session !== undefined) this.#send(this.protocol.sampled(session));
  }

  #send(message: QueuedMessage): void {
    this.#queue.push(message);
    void this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let next = this.#queue[0]; next !== undefined && this.#booted; next = this.#queue[0]) {
      if ((await next()) === 'retry') {
        if (this.#booted) await new Promise<void>((resolve) => this.settings.clock.after(milliseconds(1000), resolve));
        continue;
      }
      this.#queue.shift();
    }
    this.#sending = false;
  }

  /** The connection that messages go out on now; undefined while there is none. */
  get link(): OcppConnection | undefined {
    return this.#booted ? this.#connection : undefined;
  }
}
