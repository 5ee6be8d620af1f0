// The gateway in Prometheus's words. Documented for users in deploy/METRICS.md; a test holds the two together.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { CsmsSummary, SiteConsole } from '../../gateway/ports/console.js';
import { PHASES } from '../../gateway/site/topology.js';

export interface Metrics {
  readonly contentType: string;
  /** Everything as it stands now. */
  text(): Promise<string>;
  close(): void;
}

const flag = (value: boolean): number => (value ? 1 : 0);

export function openMetrics(console: SiteConsole): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `forecourt_${name}`, help, labelNames, registers: [registry] });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `forecourt_${name}`, help, labelNames, registers: [registry] });

  const info = gauge('build_info', 'Always 1; the version that runs and the site it runs.', 'version', 'site');
  const started = gauge('start_time_seconds', 'When the gateway began, in seconds since 1970.');

  const csmsGauges: readonly (readonly [Gauge<'csms'>, (csms: CsmsSummary) => number])[] = [
    [gauge('csms_connected', '1 while the connection to the CSMS is up.', 'csms'), ({ connected }) => flag(connected)],
    [gauge('csms_accepted', '1 while the CSMS accepts the site as well.', 'csms'), ({ accepted }) => flag(accepted)],
    [
      gauge('csms_queue_entries', 'Journal entries that this CSMS has still to be told or to be passed over.', 'csms'),
      ({ queued }) => queued,
    ],
    [
      gauge(
        'csms_queue_oldest_age_seconds',
        'Since when the oldest waiting message has happened; 0: none waits.',
        'csms',
      ),
      ({ oldestAge_s: age }) => age ?? 0,
    ],
    [
      gauge('csms_in_flight', '1 while a message of the queue waits for its answer.', 'csms'),
      ({ inFlight }) => flag(inFlight),
    ],
    [
      gauge('csms_dead_letters', 'Messages that the CSMS refused for good and that are kept.', 'csms'),
      ({ deadLetters }) => deadLetters,
    ],
  ];
  const delivered = counter('csms_delivered_total', 'Messages of the queue that the CSMS has answered.', 'csms');
  const refused = counter('csms_refused_total', 'Transmissions that the CSMS refused or left unanswered.', 'csms');
  const shed = counter('csms_shed_total', 'Entries given up for this CSMS for want of room.', 'csms', 'kind');

  const commits = counter('journal_commits_total', 'Commits that are on disk.');
  const refusedCommits = counter('journal_refused_commits_total', 'Commits that the disk refused.');
  const writable = gauge('journal_writable', '0 while the journal takes nothing in.');
  const flush = gauge('journal_last_flush_seconds', "From the call to the disk's answer, of the last urgent commit.");
  const size = gauge('journal_size_bytes', 'The files of the journal on the disk.');
  const used = gauge('journal_used_bytes', 'What of the journal holds something.');
  const sizeLimit = gauge('journal_limit_bytes', 'What that may come to before something is given up.');
  const free = gauge('journal_free_bytes', 'Free on the file system of the journal.');

  const stations = gauge('stations', 'Stations that site.yaml lists.');
  const connected = gauge('stations_connected', 'Stations that are connected.');
  const transactions = gauge('transactions_open', 'Transactions that have not ended.');

  const breaker = gauge('circuit_breaker_amperes', 'Rating of the breaker.', 'circuit', 'phase');
  const limit = gauge('circuit_limit_amperes', "The breaker, or the grid operator's lower limit.", 'circuit', 'phase');
  const current = gauge('circuit_current_amperes', 'What flows, as measured.', 'circuit', 'phase');
  const granted = gauge(
    'circuit_granted_amperes',
    'What the EVSEs of the circuit may take at most.',
    'circuit',
    'phase',
  );
  const meterLost = gauge('circuit_meter_lost', '1 while the meter of the circuit does not answer.', 'circuit');
  const failsafe = gauge(
    'grid_operator_failsafe',
    '1 while the grid operator is not heard and the fail-safe limit holds.',
  );
  const planAge = gauge('balancing_plan_age_seconds', 'How long ago load balancing planned last.');

  const takeStatus = (): void => {
    const status = console.status();
    info.set({ version: status.version, site: status.site }, 1);
    started.set(Date.parse(status.startedAt) / 1000);
    stations.set(status.stations.length);
    connected.set(status.stations.filter((station) => station.connected).length);
    transactions.set(status.evses.filter(({ transaction }) => transaction !== undefined).length);
    failsafe.set(flag(status.gridOperator?.failsafe === true));
    if (status.planAge_s !== undefined) planAge.set(status.planAge_s);
    for (const { circuit, breaker_A: rating, standing } of status.circuits) {
      for (const phase of PHASES) {
        breaker.set({ circuit, phase }, rating);
        if (standing === undefined) continue;
        limit.set({ circuit, phase }, standing.limit_A);
        current.set({ circuit, phase }, standing.current_A[phase]);
        granted.set({ circuit, phase }, standing.granted_A[phase] + standing.reserved_A[phase]);
      }
      if (standing !== undefined) meterLost.set({ circuit }, flag(standing.meter === 'lost'));
    }
  };

  const takeJournal = async (): Promise<void> => {
    const journal = await console.journal();
    counts(commits, {}, journal.commits);
    counts(refusedCommits, {}, journal.refusedCommits);
    writable.set(flag(journal.writable !== false));
    if (journal.lastFlush_s !== undefined) flush.set(journal.lastFlush_s);
    if (journal.size_bytes !== undefined) size.set(journal.size_bytes);
    if (journal.used_bytes !== undefined) used.set(journal.used_bytes);
    if (journal.limit_bytes !== undefined) sizeLimit.set(journal.limit_bytes);
    if (journal.free_bytes !== undefined) free.set(journal.free_bytes);
    for (const counted of [delivered, refused, shed]) counted.reset();
    for (const csms of journal.csms) {
      for (const [metric, value] of csmsGauges) metric.set({ csms: csms.csms }, value(csms));
      delivered.inc({ csms: csms.csms }, csms.delivered ?? 0);
      refused.inc({ csms: csms.csms }, csms.refused ?? 0);
      for (const [kind, count] of Object.entries(csms.shed ?? {})) shed.inc({ csms: csms.csms, kind }, count ?? 0);
    }
  };

  return {
    contentType: registry.contentType,
    async text() {
      takeStatus();
      await takeJournal();
      return registry.metrics();
    },
    close: () => registry.clear(),
  };
}

/** Counted elsewhere: the counter only shows it. */
function counts(counter: Counter, labels: Readonly<Record<string, string>>, value: number | undefined): void {
  counter.reset();
  counter.inc(labels, value ?? 0);
}
