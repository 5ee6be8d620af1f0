// The grid operator's limit over time: the lowest holds, silence is fail-safe, and only a word ends that.
import fc from 'fast-check';
import t from 'tap';
import {
  begun,
  heard,
  inForce,
  said,
  tended,
  toRemember,
  type GridOperatorState,
} from '../../../gateway/grid-operator/limit.js';
import { circuitId } from '../../../gateway/kernel/ids.js';
import { ampere, timestamp } from '../../../gateway/kernel/units.js';
import type { Circuit, GridOperatorLimit } from '../../../gateway/site/topology.js';

const MAIN = circuitId('main');
const DECK = circuitId('deck');
const CIRCUITS: readonly Circuit[] = [
  { id: MAIN, breaker: ampere(63), margin: ampere(0) },
  { id: DECK, fedBy: MAIN, breaker: ampere(32), margin: ampere(0) },
];
const POLICY: GridOperatorLimit = { from: ['mqtt'], failsafe: ampere(6), contacts: [] };
const at = (second: number) => timestamp(1_700_000_000_000 + second * 1000);
const holds = (state: GridOperatorState, policy: GridOperatorLimit | undefined = POLICY) => {
  const { limits, failsafe } = inForce(state, policy, CIRCUITS);
  return { ...Object.fromEntries(limits), ...(failsafe && { failsafe }) };
};

t.test('fail-safe from the start, until there is a word', (t) => {
  let state = begun(['mqtt'], [], at(0));
  t.same(holds(state), { main: 6, failsafe: true });
  state = heard(state, 'mqtt', at(1));
  t.same(holds(tended(state, at(2))), { main: 6, failsafe: true }, 'a sign of life says no limit');
  state = said(state, 'mqtt', [MAIN], undefined, at(3));
  t.same(holds(state), {});
  state = said(state, 'mqtt', [MAIN], ampere(20), at(4));
  t.same(holds(state), { main: 20 });
  t.end();
});

t.test('two minutes of silence, then fail-safe for as long as it takes', (t) => {
  let state = said(begun(['mqtt'], [], at(0)), 'mqtt', [MAIN], undefined, at(0));
  t.same(holds(tended(state, at(120))), {});
  state = tended(state, at(121));
  t.same(holds(state), { main: 6, failsafe: true });
  for (const hours of [1, 2, 3, 100]) state = tended(heard(state, 'mqtt', at(hours * 3600)), at(hours * 3600));
  t.same(holds(state), { main: 6, failsafe: true }, 'heard again, and silent of a limit');
  state = said(state, 'mqtt', [MAIN], ampere(40), at(400_000));
  t.same(holds(tended(state, at(400_001))), { main: 40 });
  t.end();
});

t.test('a lower word stays below the fail-safe limit', (t) => {
  const state = tended(said(begun(['mqtt'], [], at(0)), 'mqtt', [MAIN], ampere(2), at(0)), at(500));
  t.same(holds(state), { main: 2, failsafe: true });
  t.end();
});

t.test('of several sources the lowest holds, and each has to be heard', (t) => {
  const policy: GridOperatorLimit = { ...POLICY, from: ['mqtt', 'contact'] };
  let state = begun(['mqtt', 'contact 1'], [], at(0));
  state = said(state, 'mqtt', [MAIN], ampere(30), at(1));
  t.same(holds(state, policy), { main: 6, failsafe: true }, 'the contact was not read yet');
  state = said(state, 'contact 1', [MAIN], ampere(10), at(2));
  t.same(holds(state, policy), { main: 10 });
  state = said(state, 'contact 1', [MAIN], undefined, at(3));
  t.same(holds(state, policy), { main: 30 });
  state = tended(said(state, 'mqtt', [MAIN], ampere(30), at(100)), at(130));
  t.same(holds(state, policy), { main: 6, failsafe: true }, 'the contact is silent');
  t.end();
});

t.test('circuits: a word for one, and a policy for one', (t) => {
  let state = said(begun(['mqtt'], [], at(0)), 'mqtt', [MAIN], undefined, at(0));
  state = said(state, 'mqtt', [DECK], ampere(10), at(1));
  t.same(holds(state), { deck: 10 });
  state = said(state, 'mqtt', [MAIN], ampere(50), at(1));
  t.same(holds(state), { main: 50, deck: 10 });
  const deck: GridOperatorLimit = { ...POLICY, circuit: DECK };
  t.same(holds(tended(state, at(500)), deck), { main: 50, deck: 6, failsafe: true });
  t.end();
});

t.test('a restart: words stay, fail-safe stays, and who was heard has two minutes again', (t) => {
  const through = (state: GridOperatorState, sources: readonly string[], second: number) =>
    begun(sources, JSON.parse(JSON.stringify(toRemember(state))) as ReturnType<typeof toRemember>, at(second));
  const limited = said(begun(['mqtt'], [], at(0)), 'mqtt', [MAIN], ampere(20), at(0));
  const again = through(limited, ['mqtt'], 10_000);
  t.same(holds(again), { main: 20 });
  t.same(holds(tended(again, at(10_120))), { main: 20 });
  t.same(holds(tended(again, at(10_121))), { main: 6, failsafe: true });
  const lost = tended(limited, at(500));
  const since = through(lost, ['mqtt'], 20_000);
  t.same(holds(since), { main: 6, failsafe: true });
  t.equal(since.sources.get('mqtt')?.failsafeSince, at(500), 'since then, not since the restart');
  t.same(holds(tended(heard(since, 'mqtt', at(20_001)), at(20_002))), { main: 6, failsafe: true });
  t.same(
    holds(through(limited, ['contact 1'], 1)),
    { main: 6, failsafe: true },
    'a source that site.yaml has only now',
  );
  t.end();
});

t.test('without a policy a word holds for ever', (t) => {
  const state = said(begun([], [], at(0)), 'mqtt', [MAIN], ampere(12), at(0));
  t.same(inForce(tended(state, at(1e6)), undefined, CIRCUITS), { limits: new Map([[MAIN, 12]]), failsafe: false });
  t.end();
});

t.test(
  'whatever happens in whatever order: nobody is allowed more than the lowest word and, in silence, the fail-safe limit',
  (t) => {
    const event = fc.record({
      source: fc.constantFrom('mqtt', 'contact 1'),
      kind: fc.constantFrom('heard', 'limit', 'none', 'restart'),
      limit: fc.integer({ min: 0, max: 60 }),
      wait: fc.integer({ min: 0, max: 200 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const policy: GridOperatorLimit = { ...POLICY, from: ['mqtt', 'contact'] };
        const sources = ['mqtt', 'contact 1'];
        let state = begun(sources, [], at(0));
        let now = 0;
        const words = new Map<string, number>();
        const spoke = new Map<string, number>();
        const alive = new Map<string, number>();
        for (const { source, kind, limit, wait } of events) {
          now += wait;
          state = tended(state, at(now));
          for (const each of sources) if (now - (alive.get(each) ?? -1e9) > 120) spoke.delete(each);
          if (kind === 'restart') {
            state = begun(sources, toRemember(state), at(now));
            for (const each of sources) if (spoke.has(each)) alive.set(each, now);
          } else {
            alive.set(source, now);
            if (kind === 'heard') state = heard(state, source, at(now));
            else {
              spoke.set(source, now);
              if (kind === 'none') words.delete(source);
              else words.set(source, limit);
              state = said(state, source, [MAIN], kind === 'none' ? undefined : ampere(limit), at(now));
            }
          }
          const silent = sources.some((each) => !spoke.has(each));
          const lowest = Math.min(Infinity, ...words.values(), ...(silent ? [6] : []));
          if ((inForce(state, policy, CIRCUITS).limits.get(MAIN) ?? Infinity) !== lowest) return false;
        }
        return true;
      }),
    );
    t.end();
  },
);
