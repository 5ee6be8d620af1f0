// Tells in words what happens at the site, out of what changes: links, faults, transactions, limits, CSMSs, acts.
import type { Clock } from '../kernel/clock.js';
import type { EvseNumber, StationId } from '../kernel/ids.js';
import { FAULTS } from '../kernel/faults.js';
import { maskToken } from '../kernel/log.js';
import { minutes, toRfc3339, type Milliseconds } from '../kernel/units.js';
import { reason } from '../balancing/explain.js';
import type { BalancingReport, Because, CircuitReport, EvseReport } from '../balancing/report.js';
import type { ConsoleEvent } from '../ports/console.js';
import type { GridOperatorStanding } from '../shell/grid-operator.js';
import type { Act } from '../shell/site-acts.js';
import type { LiveSite } from '../site/live-state.js';
import type { Transaction } from '../site/transaction.js';
import type { ViewStatus } from '../views/view.js';
import type { EventRing } from './event-ring.js';

/** A circuit that is full all evening is told of now and then, not at every plan. */
const FULL_AGAIN = minutes(30);

export interface EventRecorderDependencies {
  readonly ring: EventRing;
  readonly live: LiveSite;
  readonly clock: Clock;
}

type Told = Omit<ConsoleEvent, 'at'>;
type Full = Extract<Because, { readonly kind: 'full' | 'rotation' }>;

export class EventRecorder {
  readonly #is: EventRecorderDependencies;
  readonly #connected = new Map<StationId, boolean>();
  /** By `evse/connector`: the fault that was told. */
  readonly #faults = new Map<string, string>();
  readonly #standing = new Map<EvseNumber, EvseReport['standing']>();
  readonly #circuits = new Map<string, Pick<CircuitReport, 'meter' | 'limitedBy'>>();
  /** When a circuit was told to be full, by the monotonic clock. */
  readonly #full = new Map<string, Milliseconds>();
  readonly #csms = new Map<string, Pick<ViewStatus, 'accepted' | 'dead'>>();
  readonly #open = new Set<string>();
  #failsafe = false;

  constructor(dependencies: EventRecorderDependencies) {
    this.#is = dependencies;
    const { live } = dependencies;
    // What goes on over a restart has been told by the process before.
    for (const { evse } of live.connectors()) {
      const { transaction } = live.evse(evse) ?? {};
      if (transaction !== undefined) this.#open.add(transaction.uid);
    }
  }

  tell(event: Told): void {
    const { ring, clock } = this.#is;
    ring.add({ at: toRfc3339(clock.now()), ...event });
  }

  stationChanged(id: StationId): void {
    const connected = this.#is.live.station(id)?.connected === true;
    const before = this.#connected.get(id) ?? false;
    this.#connected.set(id, connected);
    if (connected === before) return;
    this.tell({
      kind: 'station',
      severity: connected ? 'info' : 'warning',
      subject: `station/${id}`,
      text: connected ? 'connected' : 'the connection is lost',
    });
  }

  connectorChanged(evse: EvseNumber, connector: number): void {
    const live = this.#is.live.connector(evse, connector);
    const key = `${evse}/${connector}`;
    const error = live?.error;
    // A charger that is away is told of by its station.
    const fault =
      live?.status === 'Faulted'
        ? [error?.code ?? 'fault', error?.vendorErrorCode, error?.info].filter((word) => word !== undefined).join(', ')
        : undefined;
    const before = this.#faults.get(key);
    if (fault === before) return;
    if (fault === undefined) this.#faults.delete(key);
    else this.#faults.set(key, fault);
    if (fault === undefined && live?.status === 'Unavailable') return;
    this.tell({
      kind: 'status',
      severity: fault === undefined ? 'info' : 'fault',
      subject: `evse/${evse}`,
      text: fault === undefined ? 'the fault is gone' : `its charger reports a fault: ${fault.slice(0, 200)}`,
    });
  }

  transactionChanged(transaction: Transaction): void {
    const { uid, evse, idToken, endedAt, stoppedReason, register, meterStart, deauthorized } = transaction;
    const subject = `evse/${evse}`;
    if (endedAt === undefined) {
      if (this.#open.has(uid)) return;
      this.#open.add(uid);
      const card = idToken === undefined ? 'without a card' : `by card ${maskToken(idToken.idToken)}`;
      return this.tell({ kind: 'transaction', severity: 'info', subject, text: `a transaction has begun ${card}` });
    }
    this.#open.delete(uid);
    const energy =
      register === undefined || meterStart === undefined ? '' : `, ${((register - meterStart) / 1000).toFixed(2)} kWh`;
    const refused = deauthorized === true ? ', its driver was refused' : '';
    this.tell({
      kind: 'transaction',
      severity: refused === '' ? 'info' : 'warning',
      subject,
      text: `a transaction has ended (${stoppedReason ?? 'Local'})${energy}${refused}`,
    });
  }

  planned(report: BalancingReport): void {
    for (const one of report.evses) this.#evse(one);
    for (const circuit of report.circuits) this.#circuit(circuit);
    const full = new Map<string, Full>();
    for (const { because } of report.evses)
      if (because.kind === 'full' || because.kind === 'rotation')
        full.set(`${because.where.kind} ${because.where.name}`, because);
    for (const [where, because] of full) if (this.#isNews(where)) this.#fullAt(because);
  }

  gridOperator({ failsafe, sources }: GridOperatorStanding): void {
    if (failsafe === this.#failsafe) return;
    this.#failsafe = failsafe;
    const silent = sources.flatMap(({ source, failsafeSince }) => (failsafeSince === undefined ? [] : [source]));
    this.tell({
      kind: 'grid-operator',
      severity: failsafe ? 'fault' : 'info',
      subject: 'gateway',
      text: failsafe
        ? `the grid operator is not heard (${silent.join(', ')}): the fail-safe limit holds`
        : 'the grid operator is heard',
      ...(failsafe && { fault: FAULTS.gridOperatorLost.code }),
    });
  }

  csms({ csms, connected, accepted: allowed, dead, lastError }: ViewStatus): void {
    const accepted = connected && allowed;
    const before = this.#csms.get(csms) ?? { accepted: false, dead };
    this.#csms.set(csms, { accepted, dead });
    const subject = `csms/${csms}`;
    if (accepted !== before.accepted)
      this.tell({
        kind: 'csms',
        severity: accepted ? 'info' : 'warning',
        subject,
        text: accepted ? 'connected, and accepts the site' : 'is away; what it has to be told waits on disk',
        ...(!accepted && { fault: FAULTS.csmsRefused.code }),
      });
    if (dead > before.dead)
      this.tell({
        kind: 'csms',
        severity: 'fault',
        subject,
        text: `refused a message for good${lastError === undefined ? '' : `: ${lastError.slice(0, 200)}`}`,
        fault: FAULTS.deadLetter.code,
      });
  }

  acted({ by, subject, text, answer }: Act): void {
    const how = answer.status === 'Rejected' ? `not done: ${answer.detail ?? ''}` : answer.status;
    this.tell({
      kind: 'act',
      severity: answer.status === 'Rejected' ? 'warning' : 'info',
      subject,
      text: `${by}: ${text} (${how})`,
    });
  }

  security(event: string, station: StationId | undefined, info: string): void {
    this.tell({
      kind: 'security',
      severity: 'warning',
      subject: station === undefined ? 'gateway' : `station/${station}`,
      text: `${event}: ${info.slice(0, 200)}`,
    });
  }

  #evse({ evse, standing, because }: EvseReport): void {
    const before = this.#standing.get(evse) ?? 'unknown';
    if (standing === before) return;
    this.#standing.set(evse, standing);
    // Every charger begins unknown and, one hopes, obeys.
    if (before === 'unknown') return;
    const obeys = standing === 'obeying';
    this.tell({
      kind: 'limit',
      severity: obeys ? 'info' : 'warning',
      subject: `evse/${evse}`,
      text: obeys ? 'its charger follows its limit again' : reason(because),
    });
  }

  #circuit({ circuit, meter, limitedBy, limit, breaker }: CircuitReport): void {
    const before = this.#circuits.get(circuit);
    this.#circuits.set(circuit, { meter, limitedBy });
    const subject = `circuit/${circuit}`;
    const lost = meter === 'lost';
    if (lost !== (before?.meter === 'lost'))
      this.tell({
        kind: 'limit',
        severity: lost ? 'fault' : 'info',
        subject,
        text: lost ? 'its meter is lost: the current for that case holds' : 'its meter answers again',
      });
    if (limitedBy !== (before?.limitedBy ?? 'breaker'))
      this.tell({
        kind: 'grid-operator',
        severity: 'info',
        subject,
        text:
          limitedBy === 'gridOperator' ? `limited by the grid operator to ${limit} A` : 'free again up to its breaker',
      });
    const over = Object.entries(breaker).filter(([, decision]) => decision === 'shed' || decision === 'open');
    const key = `overload ${circuit}`;
    if (over.length > 0 && this.#isNews(key))
      this.tell({
        kind: 'limit',
        severity: 'fault',
        subject,
        text: `more flows than its breaker bears on ${over.map(([phase]) => phase).join(', ')}: EVSEs are cut`,
      });
    if (over.length === 0) this.#full.delete(key);
  }

  #fullAt(because: Full): void {
    const { kind, name } = because.where;
    const subject = kind === 'circuit' ? `circuit/${name}` : 'gateway';
    this.tell({ kind: 'limit', severity: 'info', subject, text: reason(because) });
  }

  #isNews(key: string): boolean {
    const now = this.#is.clock.monotonic();
    const told = this.#full.get(key);
    if (told !== undefined && now - told < FULL_AGAIN) return false;
    this.#full.set(key, now);
    return true;
  }
}
