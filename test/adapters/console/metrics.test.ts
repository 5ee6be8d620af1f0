// What Prometheus is told, and that deploy/METRICS.md tells the same of it.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { openMetrics } from '../../../adapters/console/metrics.js';
import { csmsSummary, FakeSiteConsole } from '../../fakes/fake-site-console.js';

/** Samples by name and labels, as they are written. */
const samples = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' '))),
      ]),
  );

void t.test('every number that the console knows', async (t) => {
  const site = new FakeSiteConsole();
  site.csms = [
    csmsSummary({ queued: 4, oldestAge_s: 90, inFlight: true, deadLetters: 1 }),
    csmsSummary({
      csms: 'landlord',
      connected: false,
      accepted: false,
      delivered: 0,
      refused: 0,
      shed: { samples: 3 },
    }),
  ];
  const metrics = openMetrics(site);
  t.teardown(() => metrics.close());
  const first = samples(await metrics.text());
  const expected: Readonly<Record<string, number>> = {
    'forecourt_build_info{version="1.2.3",site="S1"}': 1,
    'forecourt_csms_queue_entries{csms="operator"}': 4,
    'forecourt_csms_queue_oldest_age_seconds{csms="operator"}': 90,
    'forecourt_csms_queue_oldest_age_seconds{csms="landlord"}': 0,
    'forecourt_csms_in_flight{csms="operator"}': 1,
    'forecourt_csms_dead_letters{csms="operator"}': 1,
    'forecourt_csms_connected{csms="landlord"}': 0,
    'forecourt_csms_accepted{csms="operator"}': 1,
    'forecourt_csms_delivered_total{csms="operator"}': 7,
    'forecourt_csms_refused_total{csms="operator"}': 2,
    'forecourt_csms_shed_total{csms="landlord",kind="samples"}': 3,
    forecourt_journal_commits_total: 5,
    forecourt_journal_refused_commits_total: 1,
    forecourt_journal_writable: 1,
    forecourt_journal_last_flush_seconds: 0.002,
    forecourt_journal_size_bytes: 4096,
    forecourt_stations: 2,
    forecourt_stations_connected: 1,
    forecourt_transactions_open: 1,
    forecourt_balancing_plan_age_seconds: 0.5,
    'forecourt_circuit_breaker_amperes{circuit="main",phase="L1"}': 63,
    'forecourt_circuit_breaker_amperes{circuit="deck",phase="L3"}': 32,
    'forecourt_circuit_limit_amperes{circuit="main",phase="L2"}': 50,
    'forecourt_circuit_current_amperes{circuit="main",phase="L3"}': 12,
    'forecourt_circuit_granted_amperes{circuit="main",phase="L1"}': 22,
    'forecourt_circuit_meter_lost{circuit="main"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) t.equal(first.get(name), value, name);
  t.ok(first.has('nodejs_eventloop_lag_p99_seconds'), 'the delay of the event loop');
  t.ok(first.has('process_resident_memory_bytes'));

  site.csms = [csmsSummary({ delivered: 9 })];
  const second = samples(await metrics.text());
  t.equal(second.get('forecourt_csms_delivered_total{csms="operator"}'), 9, 'counters are shown, not added up');
  t.equal(second.get('forecourt_csms_dead_letters{csms="operator"}'), 0);
  t.notMatch([...second.keys()].join('\n'), /04\*|idToken/, 'no label knows a driver');
});

void t.test('deploy/METRICS.md has each metric with its kind and labels, and no other', async (t) => {
  const metrics = openMetrics(new FakeSiteConsole());
  t.teardown(() => metrics.close());
  const text = await metrics.text();
  const kinds = new Map(
    [...text.matchAll(/^# TYPE (forecourt_\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [name, kind]),
  );
  const labels = new Map<string, string>();
  for (const [, name = '', written = ''] of text.matchAll(/^(forecourt_\w+)\{(.*?)\}/gm))
    labels.set(name, [...written.matchAll(/(\w+)="/g)].map(([, label]) => label).join(', '));
  const page = readFileSync('deploy/METRICS.md', 'utf8');
  const rows = new Map(
    [...page.matchAll(/^\| `(forecourt_\w+)`\s*\| (\w+)\s*\| ([\w, ]*?)\s*\| \S/gm)].map(
      ([, name = '', kind = '', of = '']) => [name, { kind, labels: of }],
    ),
  );
  t.same([...rows.keys()].sort(), [...kinds.keys()].sort());
  for (const [name, kind] of kinds) {
    t.equal(rows.get(name)?.kind, kind, name);
    // A counter of something that has not happened yet shows no labels.
    if (labels.has(name)) t.equal(rows.get(name)?.labels, labels.get(name), `labels of ${name}`);
    t.match(name, kind === 'counter' ? /_total$/ : /^(?!.*_total$)/, 'Prometheus names');
  }
});
