// The whole product on a simulated site: every EVSE does one visit over real sockets, some without an uplink, and all books agree.
import { PassThrough } from 'node:stream';
import t from 'tap';
import { runDemo } from '../../gateway/cli-demo.js';
import type { Difference } from '../../simulation/compare-books.js';
import type { TroubleReport } from '../../simulation/trouble.js';
import type { VisitReport } from '../../simulation/visit.js';

t.setTimeout(120_000);

interface Printed {
  readonly ok: boolean;
  readonly visits: readonly VisitReport[];
  readonly csms: readonly { readonly name: string; readonly transactions: number; readonly energy: number }[];
  readonly circuits: readonly { readonly circuit: string; readonly overload: number }[];
  readonly differences: readonly Difference[];
}

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { stdout: '', stderr: '' };
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  for (const name of ['stdout', 'stderr'] as const) {
    io[name].on('data', (chunk: Buffer) => (text[name] += chunk.toString()));
  }
  const code = await runDemo(args, io);
  return { code, out: text.stdout, err: text.stderr };
}

t.test('one visit at every EVSE, with the uplink lost in the middle', { timeout: 120_000 }, async (test) => {
  const { code, out, err } = await demo('--once', '--json', '--authority', '2.0.1');
  const printed = JSON.parse(out) as Printed;
  test.same(printed.differences, []);
  for (const { evse, protocol, uplink, steps, energy } of printed.visits) {
    const failed = steps.filter(({ ok }) => !ok);
    test.same(failed, [], `EVSE ${evse} (${protocol}), uplink ${uplink}`);
    test.equal(steps.length, 8);
    test.ok(energy >= 5, `${energy} Wh`);
  }
  test.equal(printed.visits.length, 8);
  test.same(new Set(printed.visits.map(({ protocol }) => protocol)), new Set(['ocpp1.6', 'ocpp2.0.1', 'modbus']));
  const energy = printed.visits.reduce((sum, visit) => sum + visit.energy, 0);
  for (const csms of printed.csms) {
    test.equal(csms.transactions, 8, csms.name);
    test.equal(csms.energy, energy, csms.name);
  }
  test.equal(printed.circuits.length, 3);
  test.equal(printed.ok, true);
  test.equal(code, 0);
  test.equal(err, '');
});

t.test('a few seconds of traffic, as lines where there is no terminal', { timeout: 60_000 }, async (test) => {
  const { code, out, err } = await demo('--seconds', '3', '--speed', '10', '--seed', '7');
  test.equal(code, 0, err);
  const lines = out.trim().split('\n');
  test.match(lines.shift(), /^the console's page: http:\/\/127\.0\.0\.1:\d+\/$/);
  test.ok(lines.length >= 2);
  for (const line of lines) test.match(line, /^00:00:\d\d uplink up \| .*main \d+\/125A.*operator (on|off)line \d+/);
  // What is on its way at this moment, and no queue.
  test.match(lines.at(-1), /operator online \d, landlord online \d$/);
});

t.test(
  'trouble: load that jumps, a silent charger, a deaf one, a dead meter; every breaker holds',
  { timeout: 120_000 },
  async (test) => {
    const { code, out, err } = await demo('--trouble', '--once', '--json');
    const printed = JSON.parse(out) as TroubleReport;
    test.same(
      printed.incidents.filter(({ ok }) => !ok),
      [],
    );
    test.equal(printed.incidents.length, 4);
    for (const { circuit, outcome } of printed.circuits) test.not(outcome, 'exceeded', circuit);
    test.equal(printed.circuits.length, 3);
    test.ok(printed.reaction.plans > 0, `p99 ${printed.reaction.p99} ms of ${printed.reaction.plans}`);
    test.equal(printed.ok, true);
    test.equal(code, 0, err);
  },
);

t.test('wrong usage says what is wrong and how it is done', async (test) => {
  const wrong = await demo('--speed', 'fast');
  test.equal(wrong.code, 2);
  test.match(wrong.err, /--speed takes a number above 0, not "fast"/);
  test.match(wrong.err, /usage: forecourt demo/);
  test.equal((await demo('--authority', '1.5')).code, 2);
  test.equal((await demo('--no-such-option')).code, 2);
  const help = await demo('--help');
  test.equal(help.code, 0);
  test.match(help.out, /usage: forecourt demo/);
});
