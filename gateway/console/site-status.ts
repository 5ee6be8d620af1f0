// The site at a glance: stations, EVSEs with their transactions, circuits per phase.
import { maskToken } from '../kernel/log.js';
import type { CircuitId, EvseNumber, MeterId } from '../kernel/ids.js';
import { toRfc3339, type Timestamp } from '../kernel/units.js';
import { explain } from '../balancing/explain.js';
import type { CircuitReport, EvseReport } from '../balancing/report.js';
import { runningCost } from '../billing/charge-detail-record.js';
import type {
  CircuitSummary,
  EvseSummary,
  GridOperatorSummary,
  StationSummary,
  TransactionSummary,
} from '../ports/console.js';
import type { Reservation } from '../reservations/reservation.js';
import type { GridOperatorStanding } from '../shell/grid-operator.js';
import type { ChargingNeeds } from '../site/charging-needs.js';
import type { LiveSite } from '../site/live-state.js';
import { toldPower } from '../site/measured-current.js';
import type { MeterReading } from '../site/metering.js';
import {
  perPhase,
  type Circuit,
  type Evse,
  type PerPhase,
  type Site,
  type Station,
  type Tariff,
} from '../site/topology.js';
import type { Transaction } from '../site/transaction.js';

const tenths = (value: number): number => Math.round(value * 10) / 10;
const rounded = (of: PerPhase<number>): PerPhase<number> => perPhase((phase) => tenths(of[phase]));

export function stationSummary({ id, link }: Station, live: LiveSite): StationSummary | undefined {
  const station = live.station(id);
  if (station === undefined) return undefined;
  const { vendor, model, firmwareVersion } = station.inventory ?? {};
  const protocol = link.kind === 'modbus' ? 'modbus' : station.capabilities?.protocol;
  return {
    station: id,
    connected: station.connected,
    booted: station.booted,
    since: toRfc3339(station.since),
    ...(protocol !== undefined && { protocol }),
    ...(vendor !== undefined && { vendor }),
    ...(model !== undefined && { model }),
    ...(firmwareVersion !== undefined && { firmwareVersion }),
  };
}

export const gridOperatorSummary = ({ limits, failsafe, sources }: GridOperatorStanding): GridOperatorSummary => ({
  limits_A: Object.fromEntries(limits),
  failsafe,
  sources: sources.map(({ source, failsafeSince: since }) => ({
    source,
    ...(since !== undefined && { failsafeSince: toRfc3339(since) }),
  })),
});

/** What is known of the EVSEs at one moment. */
export interface EvseSources {
  readonly live: LiveSite;
  /** Why each has what it has; undefined before the first plan. */
  readonly plan: ReadonlyMap<EvseNumber, EvseReport> | undefined;
  readonly reservation: (evse: EvseNumber) => Reservation | undefined;
  readonly needs: (evse: EvseNumber) => ChargingNeeds | undefined;
  readonly tariff: Tariff | undefined;
  readonly now: Timestamp;
}

/** What flows at an EVSE, and what it may take. */
export function evseFlow(
  evse: EvseNumber,
  live: LiveSite,
  report: EvseReport | undefined,
): Pick<EvseSummary, 'limit_A' | 'current_A' | 'power_W'> {
  const { current, transaction, lastValues } = live.evse(evse) ?? {};
  const power = transaction && lastValues && toldPower(lastValues);
  return {
    ...(report?.sent !== undefined && { limit_A: report.sent }),
    // Chargers sample inside transactions only: the last value of one that is over says nothing of this moment.
    ...(current !== undefined && transaction !== undefined && { current_A: rounded(current) }),
    ...(power !== undefined && { power_W: Math.round(power) }),
  };
}

export function evseSummary(evse: Evse, sources: EvseSources): EvseSummary {
  const { live, plan } = sources;
  const { offered, transaction } = live.evse(evse.number) ?? {};
  const report = plan?.get(evse.number);
  const reservation = sources.reservation(evse.number);
  const needs = sources.needs(evse.number);
  return {
    evse: evse.number,
    station: evse.station,
    connectors: evse.connectors.flatMap(({ number }) => {
      const connector = live.connector(evse.number, number);
      if (connector === undefined) return [];
      const { status, chargingState, error } = connector;
      return [{ connector: number, status, chargingState, ...(error !== undefined && { error: error.code }) }];
    }),
    ...(offered !== undefined && { offered_A: offered }),
    explanation: explanationOf(evse.number, report),
    ...evseFlow(evse.number, live, report),
    ...(transaction !== undefined && { transaction: transactionSummary(transaction, sources) }),
    ...(reservation !== undefined && {
      reservation: { until: toRfc3339(reservation.expiry), idToken: maskToken(reservation.idToken.idToken) },
    }),
    ...(needs !== undefined && { needs: needsSummary(needs) }),
  };
}

export const explanationOf = (evse: number, report: EvseReport | undefined): string =>
  report === undefined ? `EVSE ${evse} is not planned for yet: the gateway has only just started.` : explain(report);

const needsSummary = ({ departure, energy }: ChargingNeeds): NonNullable<EvseSummary['needs']> => ({
  ...(departure !== undefined && { departure: toRfc3339(departure) }),
  ...(energy !== undefined && { energy_Wh: energy }),
});

/** @param shown the token of its driver as whoever asks may see it */
export function transactionSummary(
  transaction: Transaction,
  { tariff, now }: Pick<EvseSources, 'tariff' | 'now'>,
  shown: (token: string) => string = maskToken,
): TransactionSummary {
  const { uid, startedAt, idToken, register, meterStart } = transaction;
  const cost = tariff && runningCost(transaction, tariff, now);
  return {
    transaction: uid,
    startedAt: toRfc3339(startedAt),
    ...(idToken !== undefined && { idToken: shown(idToken.idToken) }),
    ...(register !== undefined && meterStart !== undefined && { energy_Wh: register - meterStart }),
    ...(cost && { cost: { amount: cost.total, currency: cost.currency } }),
  };
}

export interface CircuitSources {
  readonly site: Site;
  readonly live: LiveSite;
  readonly readings: ReadonlyMap<MeterId, MeterReading>;
  readonly reports: readonly CircuitReport[] | undefined;
}

export function circuitSummary(circuit: Circuit, sources: CircuitSources): CircuitSummary {
  const report = sources.reports?.find((each) => each.circuit === circuit.id);
  return {
    circuit: circuit.id,
    ...(circuit.fedBy !== undefined && { fedBy: circuit.fedBy }),
    breaker_A: circuit.breaker,
    ...(report !== undefined && {
      standing: {
        limit_A: tenths(report.limit),
        limitedBy: report.limitedBy,
        meter: report.meter,
        current_A: rounded(measured(circuit, report, sources)),
        background_A: rounded(report.background),
        granted_A: rounded(report.granted),
        reserved_A: rounded(report.reserved),
      },
    }),
  };
}

/** What the circuit's meter says; without one, or while it is lost, what the EVSEs of the circuit say together. */
function measured(circuit: Circuit, report: CircuitReport, { site, live, readings }: CircuitSources): PerPhase<number> {
  const reading = circuit.meter && readings.get(circuit.meter);
  if (reading !== undefined && report.meter !== 'lost') return reading.current;
  const fed = fedCircuits(circuit.id, site.circuits);
  const charging = site.stations
    .flatMap(({ evses }) => evses.filter((evse) => fed.has(evse.circuit)))
    .map(({ number }) => live.evse(number))
    .filter((evse) => evse?.transaction !== undefined);
  return perPhase((phase) => charging.reduce((sum, evse) => sum + (evse?.current?.[phase] ?? 0), 0));
}

/** The circuit and everything below it; feeders stand before what they feed. */
function fedCircuits(top: CircuitId, circuits: readonly Circuit[]): ReadonlySet<CircuitId> {
  const fed = new Set([top]);
  for (const { id, fedBy } of circuits) if (fedBy !== undefined && fed.has(fedBy)) fed.add(id);
  return fed;
}
