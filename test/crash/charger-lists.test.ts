// The lists by which chargers let drivers in while the gateway is away: what they hold, when they are told, and what a restart costs.
import t from 'tap';
import { csmsId } from '../../gateway/kernel/ids.js';
import { minutes, seconds, timestamp } from '../../gateway/kernel/units.js';
import type { CommandOutcome, SendStationList, StationCommand } from '../../gateway/site/station-command.js';
import type { IdTokenInfo } from '../../gateway/site/tokens.js';
import { InnerWorld, token, type InnerOptions, type StringCharger } from './inner-world.js';

const ACCEPTED = { status: 'Accepted' } as const;

/** A charger with a list of its own, which it keeps as a charger does. */
class ListKeeper {
  version = 0;
  readonly tags = new Set<string>();
  refuses: CommandOutcome['status'] | undefined;

  constructor(readonly charger: StringCharger) {
    charger.answers = (command) => this.#answer(command);
  }

  #answer(command: StationCommand): CommandOutcome | undefined {
    if (command.type === 'getLocalListVersion') return { status: 'Accepted', data: this.version };
    if (command.type !== 'sendLocalList') return undefined;
    if (this.refuses !== undefined) return { status: this.refuses };
    if (command.update === 'Differential' && command.version <= this.version) return { status: 'VersionMismatch' };
    if (command.update === 'Full') this.tags.clear();
    for (const { idToken, info } of command.entries)
      if (info) this.tags.add(idToken.idToken);
      else this.tags.delete(idToken.idToken);
    this.version = command.version;
    return ACCEPTED;
  }

  get sent(): readonly SendStationList[] {
    return this.charger.of('sendLocalList');
  }

  get held(): string {
    return [...this.tags].sort().join(' ');
  }
}

async function open(
  options: Partial<InnerOptions> = {},
  entries = 10,
): Promise<{ readonly world: InnerWorld; readonly keepers: readonly ListKeeper[] }> {
  const localTokens = [{ idToken: 'SITE' }];
  const world = await InnerWorld.open({
    chargers: 2,
    ...options,
    authorization: { localTokens, ...options.authorization },
  });
  const keepers = [...world.chargers.values()].map((charger) => {
    charger.abilities = { localList: true, localListEntries: entries };
    return new ListKeeper(charger);
  });
  return { world, keepers };
}

async function comeUp(world: InnerWorld): Promise<void> {
  await world.online();
  for (const charger of world.chargers.values()) {
    await charger.connect();
    await charger.setUp();
  }
}

const send = (world: InnerWorld, version: number, entries: Readonly<Record<string, IdTokenInfo | undefined>>) =>
  world.gateway.operations.sendLocalList(
    csmsId('operator'),
    version,
    version === 1 ? 'Full' : 'Differential',
    Object.entries(entries).map(([id, info]) => ({ idToken: token(id), ...(info && { info }) })),
  );

void t.test('after set-up the whole, later what has changed, and after a restart nothing', async (t) => {
  const { world, keepers } = await open();
  const [one, two] = keepers as [ListKeeper, ListKeeper];
  await comeUp(world);
  t.match(await send(world, 1, { L1: ACCEPTED, BAD: { status: 'Blocked' }, L2: ACCEPTED, L4: ACCEPTED }), ACCEPTED);
  await world.clock.advance(seconds(50));
  t.same(one.sent, [], 'limits first, and no storm');
  await world.clock.advance(seconds(15));
  for (const keeper of keepers) t.equal(keeper.held, 'L1 L2 L4 SITE');
  t.match(one.sent, [{ update: 'Full' }]);

  await send(world, 2, { L2: undefined, L3: { status: 'Accepted', group: token('FLEET') } });
  await world.clock.advance(seconds(20));
  t.equal(one.sent.length, 1, 'more may come');
  await world.clock.advance(seconds(20));
  for (const keeper of keepers) t.equal(keeper.held, 'L1 L3 L4 SITE');
  t.match(two.sent.at(-1), { update: 'Differential', entries: [{ idToken: { idToken: 'L2' } }, { info: FLEET }] });

  await one.charger.authorize('GUEST');
  await world.clock.advance(minutes(9));
  t.equal(one.sent.length, 2, 'a new card waits for company');
  await world.clock.advance(minutes(2));
  for (const keeper of keepers) t.equal(keeper.held, 'GUEST L1 L3 L4 SITE');

  world.link().tokens.set('GUEST', { status: 'Blocked' });
  await one.charger.start('GUEST');
  await world.clock.advance(seconds(40));
  for (const keeper of keepers) t.equal(keeper.held, 'L1 L3 L4 SITE', 'a blocked one leaves soon');
  await one.charger.end();

  const sent = keepers.map((keeper) => keeper.sent.length);
  await world.crash();
  await comeUp(world);
  await world.clock.advance(minutes(15));
  t.same(
    keepers.map((keeper) => keeper.sent.length),
    sent,
    'a restart sends nothing again',
  );
  two.version = 0;
  two.tags.clear();
  await two.charger.disconnect();
  await two.charger.connect();
  await two.charger.setUp();
  await world.clock.advance(minutes(2));
  t.match(two.sent.at(-1), { update: 'Full' }, 'one that has lost its list gets the whole');
  t.equal(two.held, 'L1 L3 L4 SITE');
});
const FLEET = { group: { idToken: 'FLEET' } };

void t.test('what is past its date leaves by itself, dates go along', async (t) => {
  const { world, keepers } = await open({ authorization: { cacheLifetime: minutes(30) } });
  const [one] = keepers as [ListKeeper];
  await comeUp(world);
  const date = timestamp(world.clock.now() + minutes(10));
  await send(world, 1, { DATED: { status: 'Accepted', cacheExpiry: date } });
  await one.charger.authorize('GUEST');
  await world.clock.advance(minutes(2));
  t.equal(one.held, 'DATED GUEST SITE');
  const sent = one.sent.flatMap(({ entries }) => entries).find(({ idToken }) => idToken.idToken === 'DATED');
  t.match(sent, { info: { cacheExpiry: date } });
  await world.clock.advance(minutes(9));
  t.equal(one.held, 'GUEST SITE');
  await world.clock.advance(minutes(25));
  t.equal(one.held, 'SITE', 'the lifetime of the cache');
});

void t.test('no more than fits, the most useful first; a charger on its own', async (t) => {
  const { world, keepers } = await open({}, 4);
  const [one, two] = keepers as [ListKeeper, ListKeeper];
  two.charger.abilities = { localList: false };
  await comeUp(world);
  await send(world, 1, { L1: ACCEPTED, L2: ACCEPTED, L3: ACCEPTED, L4: ACCEPTED, ['L'.repeat(25)]: ACCEPTED });
  for (const id of ['OLD', 'NEW']) {
    await one.charger.authorize(id);
    await world.clock.advance(seconds(1));
  }
  await world.clock.advance(minutes(2));
  t.equal(one.held, 'L1 L2 NEW SITE');
  t.same(
    two.charger.commands.filter(({ type }) => type.includes('LocalList')),
    [],
  );
});

void t.test('a refusal is remembered, over a restart too', async (t) => {
  const { world, keepers } = await open();
  const [one, two] = keepers as [ListKeeper, ListKeeper];
  one.refuses = 'NotSupported';
  two.refuses = 'Rejected';
  await comeUp(world);
  await world.clock.advance(minutes(30));
  t.same([one.sent.length, two.sent.length], [1, 1]);
  await world.crash();
  await comeUp(world);
  await world.clock.advance(minutes(20));
  t.same([one.sent.length, two.sent.length], [1, 1]);
  await world.clock.advance(minutes(20));
  t.same([one.sent.length, two.sent.length], [1, 2], 'after an hour once more');
  t.ok(world.log.lines.some(({ fields }) => fields.fault === 'FC-S07'));
});

void t.test('a charger that does not answer holds up no other one', async (t) => {
  const { world, keepers } = await open();
  const [one, two] = keepers as [ListKeeper, ListKeeper];
  one.charger.manner = 'silent';
  await comeUp(world);
  await world.clock.advance(minutes(2));
  t.equal(two.held, 'SITE');
  one.charger.manner = 'obeys';
  await world.clock.advance(minutes(6));
  t.equal(one.held, 'SITE');
});

void t.test('switched off, what was given is taken back', async (t) => {
  const { world, keepers } = await open();
  const [one] = keepers as [ListKeeper];
  await comeUp(world);
  await world.clock.advance(minutes(2));
  t.equal(one.held, 'SITE');
  await world.crash({ ...world.site, authorization: { ...world.site.authorization, listsInChargers: false } });
  await comeUp(world);
  await world.clock.advance(minutes(2));
  t.match(one.sent.at(-1), { update: 'Full', entries: [] });
  const { length } = one.charger.commands;
  await world.crash();
  await comeUp(world);
  await world.clock.advance(minutes(2));
  t.same(
    one.charger.commands.slice(length).filter(({ type }) => type.includes('LocalList')),
    [],
  );
});
