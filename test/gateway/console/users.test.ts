// Who may use the console: the first user, passwords, roles, sessions, and attempts that are too many.
import t from 'tap';
import { addressGroup, SignInLimit } from '../../../gateway/console/sign-in-limit.js';
import { FAULTS } from '../../../gateway/kernel/faults.js';
import { milliseconds, minutes, seconds } from '../../../gateway/kernel/units.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { openUsers } from '../../fakes/fake-users.js';

const ANNA = { name: 'Anna', password: 'correct horse', address: '10.0.0.7', local: false };

async function withAnna() {
  const clock = new FakeClock();
  const opened = await openUsers(clock);
  const token = await opened.users.setUp(opened.users.setupToken ?? '', ANNA);
  if (!token.ok) throw new Error(token.error.kind);
  return { clock, ...opened, token: token.value };
}

void t.test('the first user is made by the token of the log, once', async (t) => {
  const { users, store } = await openUsers(new FakeClock());
  t.notOk(users.exist);
  const token = users.setupToken ?? '';
  t.match(await users.setUp('wrong', ANNA), { ok: false, error: { kind: 'wrong' } });
  t.match(await users.setUp(token, { ...ANNA, password: 'short' }), { error: { kind: 'bad', why: /10 characters/ } });
  t.notOk(users.exist);
  t.match(await users.add('ben', 'battery staple', 'viewer', 'console'), { error: { kind: 'bad', why: /operator/ } });
  t.notOk(users.exist, 'a viewer alone could let nobody else in');
  const session = await users.setUp(token, ANNA);
  if (!session.ok) throw new Error(session.error.kind);
  t.match(users.of(session.value), { name: 'anna', role: 'operator' });
  t.equal(users.setupToken, undefined);
  t.match(await users.setUp(token, { ...ANNA, name: 'eve' }), { error: { kind: 'wrong' } });
  t.notMatch(JSON.stringify(store.kept), `"${session.value}"`, 'the token itself is kept nowhere');
  t.match(users.list(), [{ name: 'anna', role: 'operator', lastSeenAt: /Z$/ }]);
});

void t.test('sessions outlive a restart, and end: signed out, unused, too old, password changed', async (t) => {
  const { clock, users, store, token } = await withAnna();
  const again = await openUsers(clock, store);
  t.match(again.users.of(token), { name: 'anna' }, 'the next process knows it');
  const other = await users.signIn(ANNA);
  if (!other.ok) throw new Error(other.error.kind);
  await users.signOut(users.of(other.value)?.session ?? '');
  t.equal(users.of(other.value), undefined);
  t.ok(users.of(token));
  let changes = 0;
  users.onChange(() => (changes += 1));
  const keep = users.of(token)?.session ?? '';
  const second = await users.signIn(ANNA);
  if (!second.ok) throw new Error(second.error.kind);
  t.ok((await users.change('anna', { password: 'another horse' }, { name: 'anna', session: keep })).ok);
  t.equal(users.of(second.value), undefined, 'the others end');
  t.ok(users.of(token), 'but not the one that changed it');
  t.ok(changes >= 2);
  await clock.advance(minutes(24 * 60 - 1));
  t.ok(users.of(token));
  await clock.advance(minutes(24 * 60 + 1));
  t.equal(users.of(token), undefined, 'unused for a day');
});

void t.test('the last operator stays; everything else may go', async (t) => {
  const { users, told } = await withAnna();
  t.match(await users.remove('anna', 'anna'), { error: { kind: 'last' } });
  t.match(await users.change('anna', { role: 'viewer' }, { name: 'anna' }), { error: { kind: 'last' } });
  t.ok((await users.add('Ben', 'battery staple', 'viewer', 'anna')).ok);
  t.match(await users.add('ben', 'battery staple', 'viewer', 'anna'), { error: { kind: 'bad' } });
  t.match(await users.add('../x', 'battery staple', 'viewer', 'anna'), { error: { kind: 'bad' } });
  t.match(await users.add('carl', 'aaaaaaaaaaaaaaa', 'viewer', 'anna'), { error: { kind: 'bad' } });
  t.match(await users.change('nobody', { role: 'viewer' }, { name: 'anna' }), { error: { kind: 'unknown' } });
  const ben = await users.signIn({ ...ANNA, name: 'BEN', password: 'battery staple' });
  if (!ben.ok) throw new Error(ben.error.kind);
  t.ok((await users.change('ben', { role: 'operator' }, { name: 'anna' })).ok);
  t.match(users.of(ben.value), { role: 'operator' }, 'the session has the new role at once');
  t.ok((await users.remove('anna', 'ben')).ok);
  t.ok((await users.remove('ben', 'ben')).ok === false);
  t.ok(told.includes('info anna: removed by ben'));
});

void t.test('what cannot be read lets nobody in, and what cannot be written does not count', async (t) => {
  const { clock, users, store, token } = await withAnna();
  store.broken = new Error('no space');
  t.match(await users.add('ben', 'battery staple', 'viewer', 'anna'), { error: { kind: 'not-kept', why: 'no space' } });
  t.equal(users.list().length, 1);
  const blind = await openUsers(clock, store);
  t.ok(blind.users.exist, 'it is no console without users');
  t.equal(blind.users.setupToken, undefined);
  t.equal(blind.users.of(token), undefined);
  t.match(blind.log.lines, [{ level: 'error', fields: { fault: FAULTS.consoleUsersLost.code } }]);
  store.broken = undefined;
  t.ok((await blind.users.add('ben', 'battery staple', 'operator', 'console')).ok, 'the box makes a new one');
});

void t.test('attempts are limited by address and by name, and nobody is locked out where he is known', async (t) => {
  const { clock, users, secrets, told } = await withAnna();
  const guess = (address: string) => users.signIn({ ...ANNA, password: 'wrong guess', address });
  for (let n = 0; n < 10; n++) t.match(await guess('10.0.0.66'), { error: { kind: 'wrong' } });
  const checks = secrets.checks;
  t.match(await guess('10.0.0.66'), { error: { kind: 'later' } });
  t.equal(secrets.checks, checks, 'no password is looked at');
  for (let host = 100; host < 130; host++) await guess(`10.0.0.${host}`);
  t.match(
    await users.signIn({ ...ANNA, address: '10.0.0.200' }),
    { error: { kind: 'later' } },
    'the name is tried by too many',
  );
  t.ok((await users.signIn(ANNA)).ok, 'where she has signed in before she comes in');
  for (let host = 100; host < 130; host++) await guess(`10.0.1.${host}`);
  t.ok((await users.signIn({ ...ANNA, address: '127.0.0.1', local: true })).ok, 'and on the box');
  for (let host = 100; host < 130; host++) await guess(`10.0.2.${host}`);
  await clock.advance(seconds(30));
  t.ok((await users.signIn({ ...ANNA, address: '10.0.0.200' })).ok, 'it is over when it stops');
  t.match(await users.signIn({ ...ANNA, name: 'nobody' }), { error: { kind: 'wrong' } });
  t.ok(told.includes('warning unknown: a wrong password from 10.0.0.7'));
});

void t.test('buckets fill up again, and do not grow without bound', (t) => {
  const limit = new SignInLimit();
  const attempt = { name: 'a', address: '::1', familiar: true };
  for (let n = 0; n < 10; n++) t.equal(limit.attempt(attempt, milliseconds(0)), undefined);
  t.equal(limit.attempt(attempt, milliseconds(0)), seconds(30));
  t.equal(limit.attempt(attempt, milliseconds(29_000)), seconds(1));
  t.equal(limit.attempt(attempt, milliseconds(30_000)), undefined);
  for (let n = 0; n < 10_000; n++) limit.attempt({ ...attempt, address: String(n) }, milliseconds(30_000));
  t.equal(limit.attempt(attempt, milliseconds(30_000)), undefined, 'the oldest are forgotten');
  t.end();
});

void t.test('an IPv6 network counts as one address', (t) => {
  t.equal(addressGroup('::ffff:10.0.0.7'), '10.0.0.7');
  t.equal(addressGroup('10.0.0.7'), '10.0.0.7');
  t.equal(addressGroup('2001:DB8:1:2:3:4:5:6'), '2001:db8:1:2');
  t.equal(addressGroup('2001:db8:1:2::9'), '2001:db8:1:2');
  t.equal(addressGroup('2001:db8::9'), '2001:db8:0:0');
  t.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0');
  t.equal(addressGroup('::1'), '0:0:0:0');
  t.end();
});
