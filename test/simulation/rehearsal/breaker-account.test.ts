// A breaker's account: what is brief, and what a breaker would open for.
import t from 'tap';
import { ampere, seconds } from '../../../gateway/kernel/units.js';
import { BreakerAccount } from '../../../simulation/rehearsal/breaker-account.js';

const after = (...spans: readonly (readonly [current: number, seconds: number])[]) => {
  const account = new BreakerAccount(ampere(32));
  for (const [current, long] of spans) for (let second = 0; second < long; second++) account.take(current, seconds(1));
  return account;
};

t.test('outcomes', (t) => {
  t.equal(after([32, 36_000]).outcome, 'held', 'its rating for ever');
  t.equal(after([30, 600], [40, 12], [30, 600]).outcome, 'brief', 'a jump that cars follow in 12 s');
  t.equal(after([30, 600], [34, 61]).outcome, 'exceeded', 'a little, for longer than anybody needs to react');
  t.equal(after([20, 600], [70, 45]).outcome, 'exceeded', 'so much that the bimetal bends before that');
  t.equal(after([97, 1]).outcome, 'exceeded', 'a coil opens at once');
  t.end();
});

t.test('figures', (t) => {
  const account = after([30, 10], [36.5, 20], [30, 10], [33, 5]);
  t.equal(account.peak, 36.5);
  t.equal(account.secondsAbove, 25);
  t.end();
});
