// One EVSE of a Modbus charger: carries out what its session decides and tells the gateway about it in the words of a charging station.
import type { AdapterContext } from '../../gateway/ports/station.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { StationTransactionId } from '../../gateway/kernel/ids.js';
import { volt } from '../../gateway/kernel/units.js';
import type { MeterValue, ReadingContext } from '../../gateway/site/metering.js';
import type { CommandOutcome, RequestStart } from '../../gateway/site/station-command.js';
import type { ChargingState, ConnectorError } from '../../gateway/site/station-event.js';
import { tokenKey, type IdToken } from '../../gateway/site/tokens.js';
import { wattsPerAmpere, type Evse, type Station } from '../../gateway/site/topology.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { ModbusDevice, RegisterValues } from '../modbus/device.js';
import { describeFault } from '../modbus/link.js';
import type { OpenTransaction, StationSettings } from './contract.js';
import { CardReader } from './card-reader.js';
import { EnergyRegister } from './energy-register.js';
import type { EvseControl } from './evse-control.js';
import type { EvseReports } from './evse-reports.js';
import { stepSession, type Session, type SessionAction, type SessionEvent } from './evse-session.js';
import {
  chargingState,
  connectorError,
  connectorStatus,
  meterValue,
  polledRegisters,
  takeSnapshot,
  type Snapshot,
} from './snapshot.js';

const HIGHEST_VOLTAGE = volt(260);
const NO_ANSWER: ConnectorError = { code: 'OtherError', info: 'the EVSE does not answer' };

interface RunningTransaction {
  readonly idToken: IdToken;
  /** Issued by the gateway's answer to the start. */
  id?: StationTransactionId;
  lastReported: number;
  chargingState: ChargingState;
  /** Who has asked for its end; it comes when the charger has paused. */
  stopRequested: 'remote' | 'card' | undefined;
}

export class ModbusEvse {
  private session: Session = { phase: 'idle' };
  private transaction: RunningTransaction | undefined;
  private snapshot: Snapshot | undefined;
  private readonly polled: readonly string[];
  private readonly energy: EnergyRegister;
  private readonly cards: CardReader;
  private operative = true;
  private idleReportedAt = -Infinity;
  private trouble: string | undefined;
  /** It does not answer while its station does. */
  private unanswered = false;

  constructor(
    private readonly station: Station,
    readonly evse: Evse,
    private readonly profile: ChargerProfile,
    private readonly device: ModbusDevice,
    readonly control: EvseControl,
    private readonly reports: EvseReports,
    private readonly settings: StationSettings,
    private readonly context: AdapterContext,
  ) {
    this.polled = polledRegisters(profile);
    this.energy = new EnergyRegister(profile, device, evse.maxCurrent * wattsPerAmpere(evse, HIGHEST_VOLTAGE));
    this.cards = new CardReader(profile.reader);
  }

  /** Takes over a transaction that was open when the gateway stopped. */
  resume(open: OpenTransaction): void {
    this.session = { phase: 'open' };
    this.transaction = {
      idToken: open.idToken,
      id: open.stationTransactionId,
      lastReported: this.context.clock.monotonic(),
      chargingState: 'EVConnected',
      stopRequested: undefined,
    };
    if (open.meterStart !== undefined) this.energy.resume(open.meterStart);
    this.control.resume();
  }

  /** Reads the EVSE and acts on what is seen; false where it did not answer. */
  async poll(): Promise<boolean> {
    const values = await this.device.read(this.polled);
    if (!values.ok) {
      this.note(describeFault(values.error));
      return false;
    }
    const snapshot = takeSnapshot(this.profile, values.value, this.context.clock.now());
    this.note(snapshot === undefined ? 'a state that its profile does not know' : undefined);
    if (snapshot === undefined) return true;
    await this.takeEnergy(values.value);
    if (snapshot.state === 'A' && this.transaction !== undefined) await this.readLastEnergy();
    this.snapshot = snapshot;
    const now = this.context.clock.monotonic();
    this.unanswered = false;
    this.step({ type: 'polled', state: snapshot.state, now, operative: this.operative });
    this.seeCard(snapshot);
    this.endWhenPaused();
    this.reportStatus();
    this.reportValues(now);
    this.control.repair(snapshot.values);
    return true;
  }

  /** Other EVSEs of the station answer, this one has not for a while. */
  missing(): void {
    this.unanswered = true;
    this.reportStatus();
  }

  /** Its status is told anew after the station was away. */
  forgetReported(): void {
    this.reports.forgetStatus();
  }

  requestStart(command: RequestStart): CommandOutcome {
    if (!this.operative) return { status: 'Rejected', detail: 'the EVSE is inoperative' };
    const state = this.snapshot?.state;
    if (state === undefined || state === 'starting') return { status: 'Rejected', detail: 'the charger is starting' };
    if (state === 'E' || state === 'F') return { status: 'Rejected', detail: 'the EVSE is faulted' };
    const rejected = this.step({
      type: 'requestStart',
      idToken: command.idToken,
      remoteStartId: command.remoteStartId,
      plugged: state !== 'A',
      until: this.patience(),
    });
    return rejected === undefined ? { status: 'Accepted' } : { status: 'Rejected', detail: rejected };
  }

  /** Until when a car is waited for. */
  private patience(): number {
    return this.context.clock.monotonic() + this.settings.connectionTimeout;
  }

  runs(id: StationTransactionId): boolean {
    return this.transaction?.id === id;
  }

  /** A card starts a charge, and the one that has started it ends it. */
  private seeCard(snapshot: Snapshot): void {
    const idToken = this.cards.presented(snapshot.values);
    if (idToken === undefined || !this.operative) return;
    const running = this.transaction;
    if (running === undefined) this.step({ type: 'presented', idToken });
    else if (tokenKey(running.idToken) === tokenKey(idToken) && this.station.start.kind === 'authorized')
      // How it ends shows in the polls.
      void this.requestStop('card');
  }

  /** Ends the transaction when the charger has paused: now, or with a later poll where that is not certain yet. */
  async requestStop(by: 'remote' | 'card' = 'remote'): Promise<CommandOutcome> {
    const running = this.transaction;
    if (running === undefined) return { status: 'Rejected', detail: 'no transaction' };
    running.stopRequested = by;
    const held = await this.control.hold();
    if (held.status === 'Accepted') {
      await this.readAgain();
      this.endWhenPaused();
    } else if (held.status === 'Rejected' && this.transaction === running) {
      running.stopRequested = undefined;
      void this.control.deliver();
    }
    return held;
  }

  async changeAvailability(operative: boolean): Promise<CommandOutcome> {
    this.operative = operative;
    if (this.transaction !== undefined) return { status: operative ? 'Accepted' : 'Scheduled' };
    if (!operative && this.session.phase !== 'closed') this.session = { phase: 'idle' };
    this.reportStatus();
    return operative ? { status: 'Accepted' } : this.control.hold();
  }

  /** The car may have left while the charger was told to stop: then the transaction has ended by itself. */
  private endWhenPaused(): void {
    const by = this.transaction?.stopRequested;
    if (by !== undefined && this.control.offered === 0) this.step({ type: 'stop', by });
  }

  private step(event: SessionEvent): string | undefined {
    const { session, action, rejected } = stepSession(this.session, event, this.station.start);
    this.session = session;
    if (action !== undefined) this.act(action);
    return rejected;
  }

  private act(action: SessionAction): void {
    switch (action.do) {
      case 'authorize':
        this.reports.authorize(action.idToken, (info) => {
          const state = this.snapshot?.state;
          this.step({
            type: 'judged',
            accepted: info.status === 'Accepted',
            plugged: state === 'B' || state === 'C',
            until: this.patience(),
          });
        });
        return;
      case 'start':
        return this.start(action);
      case 'deliver':
        // How it ended shows in the next poll, which repairs it.
        void this.control.deliver();
        return;
      case 'end':
        return this.end(action);
    }
  }

  private start(action: SessionAction & { do: 'start' }): void {
    const transaction: RunningTransaction = {
      idToken: action.idToken,
      lastReported: this.context.clock.monotonic(),
      chargingState: 'EVConnected',
      stopRequested: undefined,
    };
    this.transaction = transaction;
    const { idToken, trigger, remoteStartId } = action;
    const meterValues = this.meterValues('Transaction.Begin');
    this.reports.started(
      { trigger, idToken, meterValues, ...(remoteStartId === undefined ? {} : { remoteStartId }) },
      (answer) => {
        transaction.id = answer.stationTransactionId;
        const status = answer.idTokenInfo?.status ?? 'Accepted';
        if (this.transaction === transaction) this.step({ type: 'recorded', accepted: status === 'Accepted' });
      },
    );
  }

  private end(action: SessionAction & { do: 'end' }): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    this.transaction = undefined;
    void this.control.hold();
    this.reports.inTransaction(() => transaction.id, 'ended', {
      trigger: action.trigger,
      stoppedReason: action.reason,
      chargingState: this.snapshot?.state === 'A' ? 'Idle' : 'EVConnected',
      meterValues: this.meterValues('Transaction.End'),
    });
    this.reportStatus();
  }

  private reportStatus(): void {
    if (this.snapshot === undefined) return;
    const { state, values } = this.snapshot;
    const operative = this.operative || this.transaction !== undefined;
    const status = this.unanswered ? 'Faulted' : connectorStatus(state, operative);
    const charging = this.chargingState(state);
    const error = this.unanswered ? NO_ANSWER : connectorError(state, values);
    this.reports.status(status, charging, error);
  }

  private reportValues(now: number): void {
    const { transaction, snapshot } = this;
    if (snapshot === undefined || this.reports.congested) return;
    if (transaction === undefined) {
      if (now - this.idleReportedAt < this.settings.idleMeterInterval) return;
      this.idleReportedAt = now;
      this.reports.valuesOutsideTransactions(this.meterValues('Sample.Periodic'));
      return;
    }
    const charging = this.chargingState(snapshot.state);
    const changed = charging !== transaction.chargingState;
    if (!changed && now - transaction.lastReported < this.settings.meterInterval) return;
    transaction.chargingState = charging;
    transaction.lastReported = now;
    this.reports.inTransaction(() => transaction.id, 'updated', {
      trigger: changed ? 'ChargingStateChanged' : 'MeterValuePeriodic',
      chargingState: charging,
      meterValues: this.meterValues('Sample.Periodic'),
    });
  }

  private meterValues(context: ReadingContext): readonly MeterValue[] {
    const offered = this.control.offered;
    return this.snapshot === undefined ? [] : [meterValue(this.snapshot, this.energy.energy, offered, context)];
  }

  private chargingState(state: Snapshot['state']): ChargingState {
    return chargingState(state, this.session.phase === 'open', this.control.offered);
  }

  /** Fresh values for the end of a transaction; without them the last ones have to do. */
  private async readAgain(): Promise<void> {
    const values = await this.device.read(this.polled);
    const snapshot = values.ok ? takeSnapshot(this.profile, values.value, this.context.clock.now()) : undefined;
    if (snapshot === undefined) return;
    await this.takeEnergy(snapshot.values);
    this.snapshot = snapshot;
  }

  /** A poll is several requests: the one that has shown that the car is gone may be later than the one with the energy. */
  private async readLastEnergy(): Promise<void> {
    const values = await this.device.read(this.energy.names);
    // Without an answer the value of the poll has to do.
    if (values.ok) await this.takeEnergy(values.value);
  }

  private async takeEnergy(values: RegisterValues): Promise<void> {
    const now = this.context.clock.monotonic();
    const jump = await this.energy.take(values, now, this.transaction !== undefined);
    if (jump === undefined) return;
    const about = { station: this.station.id, evse: this.evse.number };
    this.context.log.warn({ ...about, ...jump }, 'energy register jumped, read again');
  }

  private note(trouble: string | undefined): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    const fields = { station: this.station.id, evse: this.evse.number };
    if (trouble === undefined) this.context.log.info(fields, 'charger is read');
    else
      this.context.log.warn({ ...fields, fault: FAULTS.modbusSilent.code, reason: trouble }, 'charger cannot be read');
  }
}
