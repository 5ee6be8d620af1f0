// What one EVSE tells the gateway: the events of a charging station, each with its own station, EVSE, connector and time.
import type { EvseNumber, StationTransactionId } from '../../gateway/kernel/ids.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { MeterValue } from '../../gateway/site/metering.js';
import type {
  ChargingState,
  ConnectorError,
  ConnectorStatus,
  TransactionAnswer,
  TransactionReported,
} from '../../gateway/site/station-event.js';
import type { IdToken, IdTokenInfo } from '../../gateway/site/tokens.js';
import type { Evse } from '../../gateway/site/topology.js';
import type { Outbox } from './outbox.js';

/** More waiting reports than this and periodic values are left out: starts and ends matter more. */
const BACKLOG = 20;

export class EvseReports {
  private reportedStatus = '';

  constructor(
    private readonly evse: Evse,
    private readonly outbox: Outbox,
    private readonly context: AdapterContext,
  ) {}

  /** So much waits that periodic values should not be added. */
  get congested(): boolean {
    return this.outbox.backlog > BACKLOG;
  }

  /** The next status is told even if it is the same. */
  forgetStatus(): void {
    this.reportedStatus = '';
  }

  /** Told once per change. */
  status(status: ConnectorStatus, chargingState: ChargingState, error: ConnectorError): void {
    const key = [status, chargingState, error.code, error.vendorErrorCode].join();
    if (key === this.reportedStatus) return;
    this.reportedStatus = key;
    const at = this.context.clock.now();
    const { station } = this.evse;
    this.outbox.post(() => ({ type: 'status', station, ...this.place(), status, chargingState, error, at }));
  }

  authorize(idToken: IdToken, judged: (info: IdTokenInfo) => void): void {
    this.outbox.post(() => ({ type: 'authorize', station: this.evse.station, idToken }), judged);
  }

  /** The gateway's answer issues the id. */
  started(
    what: Pick<TransactionReported, 'trigger' | 'idToken' | 'remoteStartId' | 'meterValues'>,
    answered: (answer: TransactionAnswer) => void,
  ): void {
    const event: TransactionReported = { ...this.transaction('started'), chargingState: 'EVConnected', ...what };
    this.outbox.post<TransactionReported>(() => event, answered);
  }

  /** @param id asked when everything before it has been answered, the start included */
  inTransaction(
    id: () => StationTransactionId | undefined,
    kind: 'updated' | 'ended',
    what: Pick<TransactionReported, 'trigger' | 'chargingState' | 'stoppedReason' | 'meterValues'>,
  ): void {
    const event = { ...this.transaction(kind), ...what };
    this.outbox.post<TransactionReported>(() => {
      const stationTransactionId = id();
      return stationTransactionId === undefined ? event : { ...event, stationTransactionId };
    });
  }

  valuesOutsideTransactions(meterValues: readonly MeterValue[]): void {
    const { station, number } = this.evse;
    this.outbox.post(() => ({ type: 'meterValues', station, evse: number, meterValues }));
  }

  private transaction<K extends TransactionReported['kind']>(kind: K) {
    const at = this.context.clock.now();
    return { type: 'transaction' as const, station: this.evse.station, kind, ...this.place(), at, offline: false };
  }

  private place(): { readonly evse: EvseNumber; readonly connector: number } {
    return { evse: this.evse.number, connector: this.evse.connectors[0]?.number ?? 1 };
  }
}
