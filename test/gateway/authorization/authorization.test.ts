// Authorization by its tables: every row of the online and offline matrix, stops, judgements, the list, the cache.
import t from 'tap';
import fc from 'fast-check';
import { csmsId, evseNumber, stationId, stationTransactionId, transactionUid } from '../../../gateway/kernel/ids.js';
import { milliseconds, timestamp, wattHour } from '../../../gateway/kernel/units.js';
import { aliasOf } from '../../../gateway/site/token-alias.js';
import { tokenKey, type AuthorizationStatus, type IdToken, type IdTokenInfo } from '../../../gateway/site/tokens.js';
import type { AuthorizationPolicy } from '../../../gateway/site/topology.js';
import type { Transaction } from '../../../gateway/site/transaction.js';
import {
  afterAnswer,
  afterTimeout,
  decideStart,
  type StartContext,
  type StartDecision,
} from '../../../gateway/authorization/decide-start.js';
import { afterStopAnswer, decideStop, type StopContext } from '../../../gateway/authorization/decide-stop.js';
import { contradictsList, judge } from '../../../gateway/authorization/judge.js';
import {
  decideUpdate,
  emptyList,
  isListEntry,
  listed,
  type ListUpdate,
  type LocalList,
} from '../../../gateway/authorization/local-list.js';
import { settingsOf, type AuthorizationSettings } from '../../../gateway/authorization/settings.js';
import { isCacheEntry, TokenCache } from '../../../gateway/authorization/token-cache.js';

const NOW = timestamp(1_800_000_000_000);
const later = (ms: number) => timestamp(NOW + ms);
const HOUR = 3_600_000;
const policy: AuthorizationPolicy = {
  offline: 'known-only',
  cacheEntries: 10,
  cacheLifetime: milliseconds(24 * HOUR),
  timeout: milliseconds(5000),
  localTokens: [],
  stopOnInvalidId: true,
  listsInChargers: true,
};
const settings = (more: Partial<AuthorizationSettings> = {}): AuthorizationSettings => ({
  ...settingsOf(policy),
  ...more,
});
const token = (idToken: string, type: IdToken['type'] = 'ISO14443'): IdToken => ({ idToken, type });
const TAG = token('Tag-1');
const group = (idToken: string): { readonly group: IdToken } => ({ group: token(idToken, 'Central') });

type Entry = 'valid' | 'Blocked' | 'Invalid' | 'Expired' | 'past' | 'ConcurrentTx' | 'other-evse' | 'none';
const infoOf = (entry: Exclude<Entry, 'none'>): IdTokenInfo => {
  if (entry === 'valid') return { status: 'Accepted' };
  if (entry === 'past') return { status: 'Accepted', cacheExpiry: later(-1) };
  if (entry === 'other-evse') return { status: 'Accepted', evses: [evseNumber(9)] };
  return { status: entry };
};
const listOf = (entry: Entry, ocpp: LocalList['ocpp'] = '1.6', more: Partial<IdTokenInfo> = {}): LocalList =>
  entry === 'none'
    ? emptyList(ocpp)
    : {
        ...emptyList(ocpp),
        version: 1,
        entries: new Map([[tokenKey(TAG), { idToken: TAG, info: { ...infoOf(entry), ...more } }]]),
      };
const cacheOf = (entry: Entry, more: Partial<IdTokenInfo> = {}): TokenCache => {
  const cache = new TokenCache(10);
  // Restored, not learned: the tables ask what an entry does, however it came.
  if (entry !== 'none') cache.restore([{ idToken: TAG, info: { ...infoOf(entry), ...more }, lastUsed: NOW }]);
  return cache;
};
const context = (more: Partial<StartContext> = {}): StartContext => ({
  now: NOW,
  settings: settings(),
  siteTokens: [],
  cache: new TokenCache(10),
  evse: evseNumber(1),
  idToken: TAG,
  authority: 'online',
  openTransactions: 0,
  ...more,
});
const word = (decided: StartDecision): string =>
  decided.decision === 'ask'
    ? 'ask'
    : decided.decision === 'accept'
      ? `accept ${decided.basis}`
      : `reject ${decided.why} ${decided.info.status}`;

t.test('S34 online', async (t) => {
  const rows: readonly (readonly [string, Partial<AuthorizationSettings>, Entry, Entry, string])[] = [
    ['list valid', {}, 'valid', 'none', 'accept local-list'],
    ['list valid beats a bad cache (1.6 3.5.3)', {}, 'valid', 'Invalid', 'accept local-list'],
    ['list not valid asks (C14.FR.03)', {}, 'Blocked', 'valid', 'ask'],
    ['list past its date asks', {}, 'past', 'valid', 'ask'],
    ['list for another EVSE asks', {}, 'other-evse', 'none', 'ask'],
    ['list ConcurrentTx asks', {}, 'ConcurrentTx', 'none', 'ask'],
    [
      'list not valid, post-authorize off',
      { listDisablePostAuthorize: true },
      'Blocked',
      'valid',
      'reject listed-not-valid Blocked',
    ],
    ['cache valid', {}, 'none', 'valid', 'accept cache'],
    ['cache not valid asks (C10.FR.03)', {}, 'none', 'Invalid', 'ask'],
    ['cache past its date asks (C12.FR.05)', {}, 'none', 'past', 'ask'],
    [
      'cache not valid, post-authorize off',
      { cacheDisablePostAuthorize: true },
      'none',
      'Blocked',
      'reject cached-not-valid Blocked',
    ],
    [
      'cache expired, post-authorize off',
      { cacheDisablePostAuthorize: true },
      'none',
      'past',
      'reject cached-not-valid Expired',
    ],
    ['nothing known', {}, 'none', 'none', 'ask'],
    ['no pre-authorization: list', { localPreAuthorize: false }, 'valid', 'none', 'ask'],
    ['no pre-authorization: cache', { localPreAuthorize: false }, 'none', 'valid', 'ask'],
    ['never asked: list valid', { disableRemoteAuthorization: true }, 'valid', 'none', 'accept local-list'],
    [
      'never asked: unknown',
      { disableRemoteAuthorization: true },
      'none',
      'none',
      'reject remote-authorization-disabled Invalid',
    ],
    [
      'never asked: list bad',
      { disableRemoteAuthorization: true },
      'Blocked',
      'none',
      'reject remote-authorization-disabled Invalid',
    ],
    ['list off', { listEnabled: false }, 'valid', 'none', 'ask'],
    ['cache off', { cacheEnabled: false }, 'none', 'valid', 'ask'],
    ['AuthCtrlr off', { enabled: false }, 'Blocked', 'Blocked', 'accept free'],
  ];
  for (const [name, flags, inList, inCache, expected] of rows)
    t.equal(
      word(decideStart(context({ settings: settings(flags), list: listOf(inList), cache: cacheOf(inCache) }))),
      expected,
      name,
    );
});

t.test('S20 S21 offline, every row with LocalAuthorizeOffline on and off', async (t) => {
  const OFF = 'reject local-authorization-disabled Invalid';
  const rows: readonly (readonly [Entry, Entry, string, string])[] = [
    ['valid', 'none', 'accept local-list', OFF],
    ['valid', 'Invalid', 'accept local-list', OFF],
    ['Blocked', 'valid', 'reject listed-not-valid Blocked', 'reject listed-not-valid Blocked'],
    ['Invalid', 'none', 'reject listed-not-valid Invalid', 'reject listed-not-valid Invalid'],
    ['Expired', 'none', 'reject listed-not-valid Expired', 'reject listed-not-valid Expired'],
    ['past', 'valid', 'reject listed-not-valid Expired', 'reject listed-not-valid Expired'],
    ['ConcurrentTx', 'none', 'accept local-list', OFF],
    ['none', 'valid', 'accept cache', OFF],
    ['none', 'Blocked', 'reject cached-not-valid Blocked', 'reject cached-not-valid Blocked'],
    ['none', 'past', 'reject cached-not-valid Expired', 'reject cached-not-valid Expired'],
    ['none', 'other-evse', 'reject cached-not-valid Invalid', 'reject cached-not-valid Invalid'],
  ];
  for (const [inList, inCache, on, off] of rows)
    for (const offlineTxForUnknownId of [true, false])
      for (const localAuthorizeOffline of [true, false]) {
        const decided = decideStart(
          context({
            authority: 'offline',
            settings: settings({ offlineTxForUnknownId, localAuthorizeOffline }),
            list: listOf(inList),
            cache: cacheOf(inCache),
          }),
        );
        const name = `list ${inList}, cache ${inCache}, local ${localAuthorizeOffline}, unknown ${offlineTxForUnknownId}`;
        t.equal(word(decided), localAuthorizeOffline ? on : off, name);
      }
  for (const localAuthorizeOffline of [true, false]) {
    const unknown = (more: Partial<AuthorizationSettings>, openTransactions = 0) =>
      word(
        decideStart(
          context({ authority: 'offline', openTransactions, settings: settings({ localAuthorizeOffline, ...more }) }),
        ),
      );
    t.equal(unknown({}), 'reject unknown-token Invalid');
    t.equal(unknown({ offlineTxForUnknownId: true }), 'accept offline-unknown');
    t.equal(unknown({ offlineTxForUnknownId: true }, 1), 'reject concurrent ConcurrentTx', 'one at a time');
    t.equal(unknown({ offlineTxForUnknownId: true, offlineFree: true }, 1), 'accept free');
  }
});

t.test('offline, the finer points', async (t) => {
  const offline = (more: Partial<StartContext>) => word(decideStart(context({ authority: 'offline', ...more })));
  t.equal(offline({ list: listOf('ConcurrentTx'), openTransactions: 1 }), 'reject concurrent ConcurrentTx');
  t.equal(offline({ list: listOf('ConcurrentTx', '2.0.1') }), 'reject listed-not-valid ConcurrentTx', '1.6 only');
  t.equal(offline({ list: listOf('past', '2.0.1') }), 'reject listed-not-valid Expired', 'SupportsExpiryDateTime');
  const undated = { list: listOf('past', '2.0.1'), settings: settings({ listSupportsExpiry: false }) };
  t.equal(offline(undated), 'accept local-list', 'without it a 2.0.1 list has no dates (C13)');
  t.equal(offline({ list: listOf('valid'), idToken: token('TAG-1') }), 'accept local-list', 'without regard to case');
  const free = settings({ offlineFree: true, offlineTxForUnknownId: true, localAuthorizeOffline: false });
  t.equal(offline({ settings: free, list: listOf('valid') }), 'accept free');
  t.equal(
    offline({ settings: free, list: listOf('Blocked') }),
    'reject listed-not-valid Blocked',
    'a known bad one never',
  );
  const limited = settings({ offlineTxForUnknownId: true, maxEnergyOnInvalidId: wattHour(500) });
  t.match(decideStart(context({ authority: 'offline', settings: limited })), { energyLimit: 500 });
  const aged = { authority: 'offline', cache: cacheOf('valid') } as const;
  t.equal(word(decideStart(context({ ...aged, now: later(24 * HOUR - 1) }))), 'accept cache');
  t.equal(
    word(decideStart(context({ ...aged, now: later(24 * HOUR) }))),
    'reject cached-not-valid Expired',
    'C10.FR.08',
  );
  const pending = { authority: 'pending', list: listOf('valid') } as const;
  t.equal(word(decideStart(context(pending))), 'accept local-list', 'S02');
  t.equal(
    word(decideStart(context({ ...pending, settings: settings({ txBeforeAccepted: false }) }))),
    'reject boot-not-accepted Invalid',
  );
});

t.test('after the answer, and after none', async (t) => {
  t.equal(word(afterAnswer(context(), { status: 'Accepted' })), 'accept csms');
  const refusals: readonly AuthorizationStatus[] = [
    'Blocked',
    'ConcurrentTx',
    'Expired',
    'Invalid',
    'NoCredit',
    'NotAllowedTypeEVSE',
    'NotAtThisLocation',
    'NotAtThisTime',
    'Unknown',
  ];
  for (const status of refusals) t.equal(word(afterAnswer(context(), { status })), `reject csms ${status}`);
  const elsewhere = { status: 'Accepted', evses: [evseNumber(2)] } as const;
  t.equal(word(afterAnswer(context(), elsewhere)), 'reject evse-not-allowed Invalid', 'C01.FR.20');
  t.equal(word(afterAnswer(context({ evse: evseNumber(2) }), elsewhere)), 'accept csms');
  const { evse: _evse, ...nowhere } = context();
  t.equal(word(afterAnswer(nowhere, elsewhere)), 'accept csms', 'Authorize names no EVSE');
  t.match(afterTimeout(context()), { decision: 'reject', degraded: true });
  t.match(afterTimeout(context({ cache: cacheOf('valid') })), { decision: 'accept', basis: 'cache', degraded: true });
  t.match(afterTimeout(context({ list: listOf('Blocked'), settings: settings({ offlineTxForUnknownId: true }) })), {
    decision: 'reject',
    degraded: true,
  });
});

t.test('remote starts, free stations, cards of the site', async (t) => {
  t.equal(word(decideStart(context({ remote: true }))), 'accept remote');
  const like = settings({ authorizeRemoteStart: true });
  t.equal(word(decideStart(context({ remote: true, settings: like }))), 'ask', 'like a card');
  t.equal(
    word(decideStart(context({ remote: true, settings: like, idToken: token('r', 'Central') }))),
    'accept remote',
    'C05',
  );
  t.equal(word(decideStart(context({ freeStation: true, authority: 'offline' }))), 'accept free');
  const siteTokens = [{ idToken: 'TAG-1', group: 'staff' }];
  for (const authority of ['online', 'offline'] as const)
    t.match(decideStart(context({ siteTokens, authority, list: listOf('Blocked') })), {
      basis: 'site-token',
      info: { group: { idToken: 'staff' } },
    });
});

t.test('S45 reservations: the token, its group, nobody else (H03)', async (t) => {
  const mine = { idToken: token('TAG-1') };
  const others = { idToken: token('other') };
  const grouped = { ...others, ...group('G') };
  t.equal(word(decideStart(context({ reservation: mine, list: listOf('valid') }))), 'accept local-list');
  t.equal(word(decideStart(context({ reservation: others, list: listOf('valid') }))), 'reject reserved Blocked');
  t.equal(
    word(decideStart(context({ reservation: others, siteTokens: [{ idToken: 'tag-1' }] }))),
    'reject reserved Blocked',
  );
  t.equal(
    word(decideStart(context({ reservation: grouped, list: listOf('valid', '1.6', group('g')) }))),
    'accept local-list',
  );
  t.equal(
    word(decideStart(context({ reservation: grouped, list: listOf('valid', '1.6', group('x')) }))),
    'reject reserved Blocked',
  );
  t.equal(
    word(decideStart(context({ reservation: grouped, list: listOf('valid') }))),
    'ask',
    'the CSMS may know the group',
  );
  const both = { list: listOf('valid'), cache: cacheOf('valid', group('G')) };
  t.equal(
    word(decideStart(context({ reservation: grouped, ...both, authority: 'offline' }))),
    'reject reserved Blocked',
    'the list speaks for it',
  );
  t.equal(
    word(decideStart(context({ reservation: grouped, list: listOf('valid'), authority: 'offline' }))),
    'reject reserved Blocked',
  );
  t.equal(word(afterAnswer(context({ reservation: grouped }), { status: 'Accepted', ...group('G') })), 'accept csms');
  t.equal(word(afterAnswer(context({ reservation: grouped }), { status: 'Accepted' })), 'reject reserved Blocked');
  t.equal(word(decideStart(context({ reservation: others, remote: true }))), 'reject reserved Blocked', 'F01.FR.21');
});

t.test('S22 S35 who may stop', async (t) => {
  const stop = (more: Partial<StopContext>): StopContext => ({
    ...context(),
    transaction: { idToken: token('starter'), ...group('G') },
    online: true,
    ...more,
  });
  const member = { list: listOf('valid', '1.6', group('g')) };
  const master = { settings: settings({ masterPassGroup: 'MASTER' }), list: listOf('valid', '1.6', group('master')) };
  const rows: readonly (readonly [string, Partial<StopContext>, string])[] = [
    ['its own token, in another case', { idToken: token('STARTER'), online: false }, 'stop'],
    ['same group from the list, offline (C09.FR.07)', { ...member, online: false }, 'stop'],
    ['same group from the cache', { cache: cacheOf('valid', group('G')), online: false }, 'stop'],
    [
      'same group, not valid, offline (C09.FR.11)',
      { list: listOf('Blocked', '1.6', group('G')), online: false },
      'refuse',
    ],
    ['same group, not valid, online', { list: listOf('Blocked', '1.6', group('G')) }, 'ask'],
    ['a stranger offline', { list: listOf('valid'), online: false }, 'refuse'],
    ['a stranger online', {}, 'ask'],
    ['nobody to ask', { settings: settings({ disableRemoteAuthorization: true }) }, 'refuse'],
    [
      'no group on either side is no common group',
      { list: listOf('valid'), transaction: { idToken: token('s') }, online: false },
      'refuse',
    ],
    ['an empty group', { list: listOf('valid', '1.6', group('')), transaction: group(''), online: false }, 'refuse'],
    ['a group is not compared with a token (3.10)', { idToken: token('G'), online: false }, 'refuse'],
    ['master pass (C16)', { ...master, online: false }, 'stop-all'],
  ];
  for (const [name, more, expected] of rows) t.equal(decideStop(stop(more)), expected, name);
  t.equal(word(decideStart(context(master))), 'reject master-pass Invalid', 'C12.FR.09: may not start');
  t.equal(afterStopAnswer(stop({}), { status: 'Accepted', ...group('G') }), 'stop');
  t.equal(afterStopAnswer(stop({}), { status: 'Blocked', ...group('G') }), 'refuse');
  t.equal(afterStopAnswer(stop({}), { status: 'Accepted', ...group('H') }), 'refuse');
  t.equal(afterStopAnswer(stop({}), undefined), 'refuse', 'no answer');
  t.equal(afterStopAnswer(stop(master), { status: 'Accepted', ...group('MASTER') }), 'stop-all');
});

t.test('S24 S27 the answer to a start (C15.FR.02-07)', async (t) => {
  const owner = csmsId('operator');
  const open: Transaction = {
    uid: transactionUid('u'),
    station: stationId('CP01'),
    evse: evseNumber(1),
    connector: 1,
    stationTransactionId: stationTransactionId('1'),
    basis: 'offline-unknown',
    owner,
    startedAt: NOW,
    chargingState: 'Charging',
    seen: [],
  };
  const by = { csms: owner, retransmitted: false, energySinceRefusal: wattHour(0) };
  const keepGoing = settings({ stopOnInvalidId: false });
  const allowance = settings({ stopOnInvalidId: false, maxEnergyOnInvalidId: wattHour(500) });
  t.equal(judge({ status: 'Accepted' }, open, settings(), by), 'keep');
  t.equal(judge({ status: 'Invalid' }, open, settings(), by), 'stop');
  t.equal(judge({ status: 'Invalid' }, open, keepGoing, by), 'suspend');
  t.equal(judge({ status: 'Invalid' }, open, allowance, by), 'keep');
  t.equal(judge({ status: 'Invalid' }, open, allowance, { ...by, energySinceRefusal: wattHour(500) }), 'suspend');
  t.equal(judge({ status: 'Invalid' }, { ...open, endedAt: NOW }, settings(), by), 'keep', 'historic');
  t.equal(judge({ status: 'Invalid' }, open, settings(), { ...by, csms: csmsId('landlord') }), 'keep', 'not its own');
  t.equal(judge({ status: 'ConcurrentTx' }, open, settings(), by), 'stop');
  t.equal(judge({ status: 'ConcurrentTx' }, open, settings(), { ...by, retransmitted: true }), 'keep', 'S27');
  t.equal(contradictsList(context({ list: listOf('valid') }), TAG, { status: 'Invalid' }), true);
  t.equal(contradictsList(context({ list: listOf('valid') }), TAG, { status: 'Accepted' }), false);
  t.equal(contradictsList(context(), TAG, { status: 'Invalid' }), false);
});

t.test('S36 the local list', async (t) => {
  const info: IdTokenInfo = { status: 'Accepted' };
  const entry = (id: string) => ({ idToken: token(id), info });
  let list = emptyList('1.6');
  const send = (version: number, update: 'Full' | 'Differential', entries: ListUpdate['entries']) => {
    const result = decideUpdate(list, { version, update, entries }, 3);
    if (!result.ok) return result.error;
    const { replaces, put, removed, version: newer } = result.value;
    const left = [...(replaces ? [] : list.entries)].filter(([key]) => !removed.includes(key));
    list = { ...list, version: newer, entries: new Map([...left, ...put]) };
    return 'Accepted';
  };
  const ids = () => [...list.entries.keys()].sort();
  t.equal(send(5, 'Full', [entry('A'), entry('B')]), 'Accepted');
  t.same([list.version, ids()], [5, ['a', 'b']]);
  t.equal(send(5, 'Differential', [entry('C')]), 'VersionMismatch', 'D01.FR.19: not newer');
  t.equal(send(4, 'Differential', [entry('C')]), 'VersionMismatch');
  t.equal(send(6, 'Differential', [entry('C'), { idToken: token('a') }, { idToken: token('never') }]), 'Accepted');
  t.same([list.version, ids()], [6, ['b', 'c']], 'added and removed, without regard to case');
  t.equal(send(7, 'Differential', [{ idToken: token('B'), info: { status: 'Blocked' } }]), 'Accepted');
  t.equal(listed(list, token('b'))?.info.status, 'Blocked');
  const before = list;
  t.equal(send(8, 'Differential', [entry('D'), entry('E')]), 'Failed', 'more than fits');
  t.equal(send(8, 'Full', [{ idToken: token('D') }]), 'Failed', 'nothing to remove in a full list');
  const twice = [entry('D'), { idToken: token('d'), info: { status: 'Blocked' as const } }];
  t.equal(send(8, 'Full', twice), 'Failed', 'two verdicts on one token');
  t.equal(send(8, 'Differential', [entry('B'), { idToken: token('b') }]), 'Failed', 'kept and removed');
  for (const version of [0, -1, 1.5]) t.equal(send(version, 'Full', []), 'Failed');
  t.equal(list, before, 'a refused update changes nothing');
  t.ok([...list.entries.values()].every((each) => isListEntry(JSON.parse(JSON.stringify(each)))));
  t.equal(send(3, 'Full', [entry('__proto__')]), 'Accepted', 'a full list may go back');
  t.ok(listed(list, token('__PROTO__')));
  t.equal(listed(list, token('constructor')), undefined);
  t.equal(send(9, 'Full', []), 'Accepted');
  t.same([list.version, ids()], [0, []], 'an empty list has version 0');
  for (const value of [null, 1, {}, { idToken: 'a', info: {} }]) t.notOk(isListEntry(value));
  t.equal(send(4, 'Full', [entry('A'), entry('a')]), 'Accepted', 'the same verdict twice is none too many');
  t.same([list.version, ids()], [4, ['a']]);
  const long = token('DE-ABC-C0123456789012345678-X');
  t.equal(send(5, 'Full', [{ idToken: token(aliasOf(long)), info }]), 'Accepted');
  t.ok(listed(list, long), 'a 1.6 CSMS may know a long token by its alias only');
  t.notOk(listed({ ...list, ocpp: '2.0.1' }, long));
});

t.test('the cache', async (t) => {
  const cache = new TokenCache(2);
  t.ok(cache.learn(token('A'), { status: 'Accepted' }, NOW, false));
  t.notOk(cache.learn(token('L'), { status: 'Accepted' }, NOW, true), 'never what is on the list (1.6 3.5.3)');
  t.notOk(cache.learn(token('R', 'Central'), { status: 'Accepted' }, NOW, false), 'C05');
  t.notOk(cache.learn(token('', 'NoAuthorization'), { status: 'Accepted' }, NOW, false));
  t.notOk(cache.learn(token('A'), { status: 'ConcurrentTx' }, NOW, false));
  t.equal(cache.peek(token('a'))?.info.status, 'Accepted');
  cache.learn(token('B'), { status: 'Blocked' }, NOW, false);
  cache.used(token('a'), later(10));
  cache.used(token('unknown'), later(10));
  cache.learn(token('C'), { status: 'Accepted' }, later(20), false);
  t.equal(cache.peek(token('B')), undefined, 'unused for longest makes room');
  const json: unknown[] = JSON.parse(JSON.stringify(cache.entriesToPersist()));
  const restored = new TokenCache(2);
  restored.restore(json.filter(isCacheEntry));
  t.same(restored.entriesToPersist(), cache.entriesToPersist());
  t.equal(restored.peek(token('A'))?.lastUsed, later(10));
  restored.learn(token('D'), { status: 'Accepted' }, later(30), false);
  t.equal(restored.peek(token('A')), undefined, 'the order of use is kept too');
  restored.clear();
  t.equal(restored.size, 0);
  for (const value of [null, 3, {}, { idToken: { idToken: 'a' }, info: {}, lastUsed: 1 }]) t.notOk(isCacheEntry(value));
});

t.test('settings from site.yaml', async (t) => {
  t.match(settingsOf(policy), { offlineTxForUnknownId: false, offlineFree: false });
  t.match(settingsOf({ ...policy, offline: 'accept-unknown' }), { offlineTxForUnknownId: true, offlineFree: false });
  t.match(settingsOf({ ...policy, offline: 'free', cacheEntries: 0 }), {
    offlineTxForUnknownId: true,
    offlineFree: true,
    cacheEnabled: false,
  });
});

t.test('a token known to be bad never starts offline, whatever the settings', async (t) => {
  const flags = fc.record({
    localPreAuthorize: fc.boolean(),
    localAuthorizeOffline: fc.boolean(),
    offlineTxForUnknownId: fc.boolean(),
    offlineFree: fc.boolean(),
    disableRemoteAuthorization: fc.boolean(),
    listDisablePostAuthorize: fc.boolean(),
  });
  const bad = fc.constantFrom<Entry>('Blocked', 'Invalid', 'Expired', 'past', 'other-evse');
  const any = fc.constantFrom<Entry>('valid', 'Blocked', 'ConcurrentTx', 'none');
  fc.assert(
    fc.property(flags, bad, any, fc.boolean(), fc.nat(2), (more, entry, cached, asked, openTransactions) => {
      const c = context({ settings: settings(more), list: listOf(entry), cache: cacheOf(cached), openTransactions });
      const decided = asked ? afterTimeout(c) : decideStart({ ...c, authority: 'offline' });
      return decided.decision === 'reject';
    }),
    { numRuns: 200 },
  );
  t.pass('200 settings');
});
