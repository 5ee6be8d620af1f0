// S20, S21, S34, S35: who may start and who may stop, by the tables of the rules, through the whole shell and for both versions.
import t from 'tap';
import { seconds, timestamp, wattHour } from '../../gateway/kernel/units.js';
import type { AuthorizationStatus, IdTokenInfo } from '../../gateway/site/tokens.js';
import { InnerWorld, token, type InnerOptions } from './inner-world.js';

type Entry = 'valid' | 'Blocked' | 'Invalid' | 'Expired' | 'past' | 'ConcurrentTx' | 'none';

const VERSIONS = ['1.6', '2.0.1'] as const;
const PROTOCOLS = ['ocpp1.6', 'ocpp2.0.1'] as const;
const FLEET = { group: { idToken: 'FLEET', type: 'Central' } } as const;

function infoOf(world: InnerWorld, entry: Exclude<Entry, 'none'>): IdTokenInfo {
  if (entry === 'valid') return { status: 'Accepted' };
  if (entry === 'past') return { status: 'Accepted', cacheExpiry: timestamp(world.clock.now() + seconds(1)) };
  return { status: entry };
}

async function open(ocpp: '1.6' | '2.0.1', options: Partial<InnerOptions> = {}): Promise<InnerWorld> {
  const world = await InnerWorld.open({ csmss: [{ ocpp }], chargers: 3, ...options });
  await world.online();
  for (const charger of world.chargers.values()) {
    charger.abilities = { protocol: PROTOCOLS[VERSIONS.indexOf(ocpp)] ?? 'ocpp1.6' };
    await charger.connect();
  }
  await world.clock.advance(seconds(1));
  return world;
}

/** What a CSMS sets, as `Component.Variable=value`. */
async function set(world: InnerWorld, ...settings: readonly string[]): Promise<void> {
  for (const setting of settings) {
    const [component = '', variable = '', value = ''] = setting.split(/[.=]/);
    const answer = await world.gateway.views[0]?.command({
      type: 'setVariables',
      variables: [{ component, variable, value }],
    });
    if (answer?.variables?.[0]?.status !== 'Accepted') throw new Error(`${setting} was not taken`);
  }
}

async function list(world: InnerWorld, entries: Readonly<Record<string, IdTokenInfo>>, version = 1): Promise<unknown> {
  const answer = await world.gateway.views[0]?.command({
    type: 'sendLocalList',
    version,
    update: 'Full',
    entries: Object.entries(entries).map(([idToken, info]) => ({ idToken: token(idToken), info })),
  });
  return answer?.status;
}

/** The CSMS says it once, so that the cache knows it. */
async function remember(world: InnerWorld, idToken: string, info: IdTokenInfo): Promise<void> {
  world.link().tokens.set(idToken, info);
  await world.charger(3).authorize(idToken);
  world.link().tokens.delete(idToken);
}

/** Presents a card and starts: the answers to both, and whether the CSMS was asked. */
async function visit(world: InnerWorld, idToken: string, number = 1): Promise<string> {
  const before = world.link().asked.length;
  const charger = world.charger(number);
  const { status } = await charger.authorize(idToken);
  const started = (await charger.start(idToken)).idTokenInfo?.status;
  const asked = world.link().asked.length > before;
  await charger.end();
  await charger.status('Available');
  return `${status}${started === status ? '' : `, then ${started}`}${asked ? ', asked' : ''}`;
}

interface Row {
  readonly name: string;
  readonly list?: Entry;
  readonly cache?: Entry;
  readonly set?: readonly string[];
  /** `silent`: it does not answer in time. `pending`: it has not accepted the gateway's boot. */
  readonly csms?: 'online' | 'silent' | 'pending' | 'offline';
  /** What the CSMS says when it is asked; Accepted unless written. */
  readonly says?: AuthorizationStatus;
  readonly site?: Partial<InnerOptions['authorization']>;
  readonly expect: string;
  /** Where a 2.0.1 CSMS is different. */
  readonly expect201?: string;
}

const NOT_PRE = 'AuthCtrlr.LocalPreAuthorize=false';
const NEVER_ASK = 'AuthCtrlr.DisableRemoteAuthorization=true';
const LIST_SPEAKS = 'LocalAuthListCtrlr.DisablePostAuthorize=true';
const CACHE_SPEAKS = 'AuthCacheCtrlr.DisablePostAuthorize=true';
const UNDATED = 'LocalAuthListCtrlr.SupportsExpiryDateTime=false';
const UNKNOWN_TOO = 'AuthCtrlr.OfflineTxForUnknownIdEnabled=true';
const NOT_BEFORE_BOOT = 'TxCtrlr.TxBeforeAcceptedEnabled=false';

const ROWS: readonly Row[] = [
  { name: 'nothing known', expect: 'Accepted, asked' },
  { name: 'nothing known, refused', says: 'Invalid', expect: 'Invalid, asked' },
  { name: 'nobody is to be authorized', set: ['AuthCtrlr.Enabled=false'], list: 'Blocked', expect: 'Accepted' },
  { name: 'on the list', list: 'valid', expect: 'Accepted' },
  { name: 'on the list, whatever the cache says (1.6 3.5.3)', list: 'valid', cache: 'Blocked', expect: 'Accepted' },
  { name: 'on the list and bad: asked (C14.FR.03)', list: 'Blocked', expect: 'Accepted, asked' },
  { name: 'on the list and bad, and bad', list: 'Blocked', says: 'Blocked', expect: 'Blocked, asked' },
  { name: 'on the list, past its date', list: 'past', says: 'Expired', expect: 'Expired, asked' },
  {
    name: 'a 2.0.1 list without dates',
    list: 'past',
    set: [UNDATED],
    expect: 'Accepted, asked',
    expect201: 'Accepted',
  },
  { name: 'the list has the last word', list: 'Blocked', set: [LIST_SPEAKS], expect: 'Blocked' },
  { name: 'in the cache', cache: 'valid', expect: 'Accepted' },
  { name: 'in the cache and bad: asked (C10.FR.03)', cache: 'Blocked', expect: 'Accepted, asked' },
  { name: 'in the cache, past its date (C12.FR.05)', cache: 'past', says: 'Blocked', expect: 'Blocked, asked' },
  { name: 'the cache has the last word', cache: 'Invalid', set: [CACHE_SPEAKS], expect: 'Invalid' },
  { name: 'no pre-authorization by the list', list: 'valid', set: [NOT_PRE], expect: 'Accepted, asked' },
  {
    name: 'no pre-authorization by the cache',
    cache: 'valid',
    set: [NOT_PRE],
    says: 'Blocked',
    expect: 'Blocked, asked',
  },
  { name: 'never asked, known', cache: 'valid', set: [NEVER_ASK], expect: 'Accepted' },
  { name: 'never asked, unknown', set: [NEVER_ASK], expect: 'Invalid' },
  { name: 'never asked, listed and bad', list: 'Blocked', set: [NEVER_ASK], expect: 'Invalid' },
  { name: 'no list', list: 'Blocked', set: ['LocalAuthListCtrlr.Enabled=false'], expect: 'Accepted, asked' },
  { name: 'no cache', cache: 'valid', set: ['AuthCacheCtrlr.Enabled=false'], expect: 'Accepted, asked' },
  { name: 'no answer, known to the list', list: 'valid', set: [NOT_PRE], csms: 'silent', expect: 'Accepted, asked' },
  { name: 'no answer, known to be bad', list: 'Blocked', csms: 'silent', set: [UNKNOWN_TOO], expect: 'Blocked, asked' },
  { name: 'no answer, unknown', csms: 'silent', expect: 'Invalid, asked' },
  { name: 'no answer, unknown ones too', csms: 'silent', set: [UNKNOWN_TOO], expect: 'Accepted, asked' },
  { name: 'boot pending, known', list: 'valid', csms: 'pending', expect: 'Accepted' },
  { name: 'boot pending, nobody before', list: 'valid', set: [NOT_BEFORE_BOOT], csms: 'pending', expect: 'Invalid' },
  { name: 'away is not pending', list: 'valid', set: [NOT_BEFORE_BOOT], csms: 'offline', expect: 'Accepted' },
  { name: 'away, free for all', csms: 'offline', site: { offline: 'free' }, expect: 'Accepted' },
  {
    name: 'away, free, but known to be bad',
    cache: 'Blocked',
    csms: 'offline',
    site: { offline: 'free' },
    expect: 'Blocked',
  },
  { name: 'a card of the site', csms: 'offline', site: { localTokens: [{ idToken: 'driver' }] }, expect: 'Accepted' },
  {
    name: 'a card of the site, blocked',
    list: 'Blocked',
    site: { localTokens: [{ idToken: 'DRIVER' }] },
    expect: 'Accepted',
  },
];

for (const ocpp of VERSIONS)
  void t.test(`one row, one site (${ocpp})`, async (t) => {
    for (const row of ROWS) {
      const world = await open(ocpp, row.site ? { authorization: row.site } : {});
      if (row.cache !== undefined && row.cache !== 'none') await remember(world, 'DRIVER', infoOf(world, row.cache));
      if (row.list !== undefined && row.list !== 'none') await list(world, { DRIVER: infoOf(world, row.list) });
      await world.clock.advance(seconds(2));
      await set(world, ...(row.set ?? []));
      if (row.says !== undefined) world.link().tokens.set('DRIVER', { status: row.says });
      if (row.csms === 'offline' || row.csms === 'pending') await world.offline();
      if (row.csms === 'pending') world.link().connected = true;
      if (row.csms === 'silent')
        world.link().behave = (message) => {
          if (message.type !== 'authorize') return undefined;
          world.link().asked.push(message.idToken.idToken);
          return 'silent';
        };
      t.equal(await visit(world, 'DRIVER'), (ocpp === '2.0.1' ? row.expect201 : undefined) ?? row.expect, row.name);
    }
  });

/** List entry, cache entry; then LocalAuthorizeOffline on and off, each with unknown ids let in and not. */
const OFFLINE: readonly (readonly [Entry, Entry, ...(readonly AuthorizationStatus[])])[] = [
  ['valid', 'none', 'Accepted', 'Accepted', 'Invalid', 'Invalid'],
  ['valid', 'valid', 'Accepted', 'Accepted', 'Invalid', 'Invalid'],
  ['valid', 'Blocked', 'Accepted', 'Accepted', 'Invalid', 'Invalid'],
  ['valid', 'past', 'Accepted', 'Accepted', 'Invalid', 'Invalid'],
  ['Blocked', 'none', 'Blocked', 'Blocked', 'Blocked', 'Blocked'],
  ['Blocked', 'valid', 'Blocked', 'Blocked', 'Blocked', 'Blocked'],
  ['Invalid', 'none', 'Invalid', 'Invalid', 'Invalid', 'Invalid'],
  ['Invalid', 'valid', 'Invalid', 'Invalid', 'Invalid', 'Invalid'],
  ['Expired', 'none', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['Expired', 'valid', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['past', 'none', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['past', 'valid', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['none', 'valid', 'Accepted', 'Accepted', 'Invalid', 'Invalid'],
  ['none', 'Blocked', 'Blocked', 'Blocked', 'Blocked', 'Blocked'],
  ['none', 'Invalid', 'Invalid', 'Invalid', 'Invalid', 'Invalid'],
  ['none', 'Expired', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['none', 'past', 'Expired', 'Expired', 'Expired', 'Expired'],
  ['none', 'none', 'Accepted', 'Invalid', 'Accepted', 'Invalid'],
];
/** ConcurrentTx counts as valid in a 1.6 list only (1.6 section 3.5.2). */
const CONCURRENT = {
  '1.6': ['Accepted', 'Accepted', 'Invalid', 'Invalid'],
  '2.0.1': ['ConcurrentTx', 'ConcurrentTx', 'ConcurrentTx', 'ConcurrentTx'],
} as const;

for (const ocpp of VERSIONS)
  void t.test(`S20, S21: the offline table (${ocpp})`, async (t) => {
    const world = await open(ocpp, { authorization: { cacheEntries: 100 } });
    const rows = [...OFFLINE, ['ConcurrentTx', 'none', ...CONCURRENT[ocpp]] as const];
    const listed: Record<string, IdTokenInfo> = {};
    for (const [inList, inCache] of rows) {
      const idToken = `${inList}-${inCache}`;
      if (inCache !== 'none') await remember(world, idToken, infoOf(world, inCache));
      if (inList !== 'none') listed[idToken] = infoOf(world, inList);
    }
    t.equal(await list(world, listed), 'Accepted');
    await world.clock.advance(seconds(2));
    // The next column is about the same entries: nothing is to be learned from what the CSMS is told of this one.
    world.link().behave = ({ type }) => (type === 'transaction' ? 'silent' : undefined);
    for (const [column, [local, unknown]] of [
      ['true', 'true'],
      ['true', 'false'],
      ['false', 'true'],
      ['false', 'false'],
    ].entries()) {
      await world.online(0, false);
      await set(world, `AuthCtrlr.LocalAuthorizeOffline=${local}`, `AuthCtrlr.OfflineTxForUnknownIdEnabled=${unknown}`);
      await world.offline();
      for (const [inList, inCache, ...expected] of rows)
        t.equal(
          await visit(world, `${inList}-${inCache}`),
          expected[column],
          `list ${inList}, cache ${inCache}, local ${local}, unknown ${unknown}`,
        );
    }
  });

for (const ocpp of VERSIONS) {
  void t.test(`offline, one transaction at a time for a token (${ocpp})`, async (t) => {
    const world = await open(ocpp, {
      authorization: { offline: 'accept-unknown', maxEnergyOnInvalidId: wattHour(500) },
    });
    await world.offline();
    for (const number of [1, 2]) t.match(await world.charger(number).authorize('NEW'), { status: 'Accepted' });
    const [one, two] = [world.charger(1), world.charger(2)];
    t.match((await one.start('NEW')).idTokenInfo, { status: 'Accepted' });
    t.match((await two.start('NEW')).idTokenInfo, { status: 'ConcurrentTx' }, 'although it was let in a moment ago');
    one.wants = 16;
    for (let second = 0; second < 10; second++) await world.second(0);
    t.ok(one.limit > 0);
    await one.sample(600);
    for (let second = 0; second < 10; second++) await world.second(0);
    t.equal(one.limit, 0, 'not more than MaxEnergyOnInvalidId before a CSMS has confirmed it');
    await world.crash();
    await one.connect('Occupied');
    for (let second = 0; second < 10; second++) await world.second(0);
    t.equal(one.limit, 0, 'nor after a restart');
    await world.online();
    for (let second = 0; second < 10; second++) await world.second(0);
    t.ok(one.limit > 0, 'it is confirmed');
  });

  void t.test(`the lifetime of a cache entry counts from its last use (${ocpp}, C10.FR.08)`, async (t) => {
    const world = await open(ocpp, { authorization: { cacheLifetime: seconds(60) } });
    await remember(world, 'REGULAR', { status: 'Accepted' });
    await world.offline();
    await world.clock.advance(seconds(40));
    t.equal(await visit(world, 'REGULAR'), 'Accepted');
    await world.clock.advance(seconds(40));
    t.equal(await visit(world, 'REGULAR'), 'Accepted', 'used 40 s ago');
    await world.clock.advance(seconds(61));
    t.equal(await visit(world, 'REGULAR'), 'Expired', 'known, and not unknown');
  });

  void t.test(`S35: who may stop (${ocpp})`, async (t) => {
    const world = await open(ocpp);
    const { tokens, asked } = world.link();
    await set(world, 'AuthCtrlr.MasterPassGroupId=MASTER');
    await list(world, { LISTED: { status: 'Accepted', ...FLEET }, BARRED: { status: 'Blocked', ...FLEET } });
    tokens.set('OWNER', { status: 'Accepted', ...FLEET });
    tokens.set('COLLEAGUE', { status: 'Accepted', ...FLEET });
    tokens.set('BARRED', { status: 'Blocked', ...FLEET });
    tokens.set('OTHER', { status: 'Accepted', group: { idToken: 'OTHER', type: 'Central' } });
    tokens.set('CHIEF', { status: 'Accepted', group: { idToken: 'MASTER', type: 'Central' } });
    const charger = world.charger();
    const stops = async (idToken: string): Promise<string> => {
      const before = asked.length;
      const { status } = await charger.authorize(idToken);
      return `${status}${asked.length > before ? ', asked' : ''}`;
    };
    t.equal(await visit(world, 'CHIEF', 2), 'Invalid, asked', 'C12.FR.09: starts nothing');
    await charger.authorize('OWNER');
    await charger.start('OWNER');
    await world.clock.advance(100);
    t.equal(await stops('owner'), 'Accepted', 'its own, without a question');
    t.equal(await stops('LISTED'), 'Accepted', 'of the group, by the list (C09.FR.07)');
    t.equal(await stops('COLLEAGUE'), 'Accepted, asked', 'of the group, by the CSMS');
    t.equal(await stops('COLLEAGUE'), 'Accepted', 'by the cache from now on');
    t.equal(await stops('BARRED'), 'NotAtThisTime, asked', 'of the group and not Accepted (C09.FR.11)');
    t.equal(await stops('OTHER'), 'NotAtThisTime, asked');
    t.equal(await stops('FLEET'), 'NotAtThisTime, asked', 'a group is never compared with a token (1.6 3.10)');
    await world.offline();
    t.equal(await stops('LISTED'), 'Accepted');
    t.equal(await stops('COLLEAGUE'), 'Accepted');
    t.equal(await stops('STRANGER'), 'NotAtThisTime');
    await world.charger(2).authorize('OWNER');
    t.equal(charger.of('requestStop').length, 0);
    t.equal(await stops('CHIEF'), 'Accepted', 'C16');
    t.equal(charger.of('requestStop').length, 1, 'everything on the station is told to end');
  });

  void t.test(`S36: the list let in whom the CSMS refuses (${ocpp}, 1.6 section 3.5.4)`, async (t) => {
    const world = await open(ocpp);
    await list(world, { DRIVER: { status: 'Accepted' } });
    world.link().tokens.set('DRIVER', { status: 'Blocked' });
    await world.charger().start('DRIVER');
    await world.clock.advance(100);
    const told = () => world.link().sent.findLast(({ type }) => type === 'stationStatus');
    const conflict = { type: 'stationStatus', error: { code: 'LocalListConflict' } } as const;
    t.match(told(), conflict, 'connector 0, LocalListConflict');
    await list(world, { DRIVER: { status: 'Blocked' } }, 2);
    await world.clock.settle();
    const last = told();
    t.match(last, { type: 'stationStatus', error: undefined }, 'over with the next list');
    t.notOk(last && 'error' in last);
  });

  void t.test(`every answer that blocks a token is remembered (${ocpp})`, async (t) => {
    const world = await open(ocpp);
    const { tokens } = world.link();
    const blocked = { status: 'Blocked' } as const;
    await remember(world, 'A', { status: 'Accepted' });
    await remember(world, 'B', { status: 'Accepted' });
    tokens.set('A', blocked);
    await world.charger(1).start('A');
    await world.clock.advance(100);
    await world.charger(2).start('C');
    world.link().behave = (message) =>
      message.type === 'transaction' && message.record.kind === 'ended'
        ? { kind: 'answered', state: message.state, idTokenInfo: blocked }
        : undefined;
    await world.charger(2).end('B');
    await world.clock.advance(100);
    await world.charger(1).end();
    await world.offline();
    await world.crash();
    await world.charger(1).connect();
    t.match(await world.charger(1).authorize('A'), blocked, 'by the answer to its start');
    t.match(await world.charger(1).authorize('B'), blocked, 'by the answer to the stop it was used for');
    t.match(await world.charger(1).authorize('C'), { status: 'Accepted' }, 'the driver whom it stopped is not blocked');
  });

  void t.test(`nobody's token (${ocpp}, C02)`, async (t) => {
    const world = await open(ocpp, { authorization: { offline: 'accept-unknown' } });
    const nobody = { idToken: '', type: 'NoAuthorization' } as const;
    const present = () => world.report({ type: 'authorize', station: world.charger().id, idToken: nobody });
    t.match(await present(), { status: 'Invalid' });
    t.equal(world.link().asked.length, 0, 'there is nobody to ask about');
    await set(world, 'AuthCtrlr.Enabled=false');
    t.match(await present(), { status: 'Accepted' });
  });
}

for (const ocpp of VERSIONS)
  void t.test(`remote starts (${ocpp})`, async (t) => {
    const world = await open(ocpp);
    const { asked } = world.link();
    // What a 1.6 CSMS names has no type: the gateway calls it Central.
    const start = (type: 'Central' | 'ISO14443') =>
      world.gateway.views[0]?.command({ type: 'requestStart', idToken: { idToken: 'REMOTE', type }, slotEvse: 1 });
    const begin = async (type: 'Central' | 'ISO14443', status: 'Accepted' | 'Rejected'): Promise<string> => {
      await world.charger().status('Occupied');
      t.match(await start(type), { status });
      const started = status === 'Accepted' ? (await world.charger().start('REMOTE')).idTokenInfo?.status : 'none';
      await world.clock.advance(100);
      if (status === 'Accepted') await world.charger().end();
      await world.charger().status('Available');
      return `${started}, ${asked.length} asked`;
    };
    await set(world, 'AuthCtrlr.AuthorizeRemoteStart=false');
    t.equal(await begin('ISO14443', 'Accepted'), 'Accepted, 0 asked', 'it counts as authorized');
    await world.gateway.operations.clearCache();
    await set(world, 'AuthCtrlr.AuthorizeRemoteStart=true');
    world.link().tokens.set('REMOTE', { status: 'Blocked' });
    t.equal(await begin('ISO14443', 'Rejected'), 'none, 1 asked', 'like a card');
    if (ocpp === '2.0.1') t.equal(await begin('Central', 'Accepted'), 'Accepted, 1 asked', 'C05');
    else t.equal(await begin('Central', 'Rejected'), 'none, 2 asked', 'no type was meant');
  });
