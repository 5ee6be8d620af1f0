// Whatever befalls a box without a clock battery: what the clouds are told is in order, and true wherever it can be known.
import fc from 'fast-check';
import t from 'tap';
import { minutes, seconds, timestamp, type Timestamp } from '../../gateway/kernel/units.js';
import { FakeBox } from '../fakes/fake-box.js';
import { InnerWorld, type StringCharger } from './inner-world.js';

const CHARGERS = [1, 2] as const;
const RELEASED = timestamp(Date.parse('2025-01-01T00:00:00Z'));

type Step =
  | { readonly do: 'drive'; readonly charger: number }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'crash' }
  | { readonly do: 'powerCut'; readonly minutes: number }
  | { readonly do: 'reach'; readonly csms: number }
  | { readonly do: 'lose'; readonly csms: number }
  | { readonly do: 'ntp'; readonly told: boolean };

/** What the box's clock shows when power comes back: nothing, what was saved at the last shutdown, or the time. */
type Kind = '1970' | 'saved' | 'battery';
const kind = fc.constantFrom<Kind>('1970', 'saved', 'battery');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('drive' as const), charger: fc.constantFrom(...CHARGERS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('powerCut' as const),
      minutes: fc.integer({ min: 30, max: 600 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reach' as const), csms: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), csms: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ntp' as const), told: fc.boolean() }) },
);

interface Happened {
  readonly at: Timestamp;
  readonly boot: number;
}

/** The site with what really happened, by the register that only one event of each charger has. */
class TimedWorld {
  readonly happened = new Map<string, Happened>();
  readonly #errors = new Map<StringCharger, number>();
  /** Boots in which an authority or a time server has told the time. */
  readonly known = new Set<number>();
  #boot = 0;

  private constructor(
    readonly world: InnerWorld,
    readonly box: FakeBox,
    readonly kind: Kind,
  ) {
    for (const charger of world.chargers.values()) {
      charger.now = () => timestamp(world.clock.now() + (this.#errors.get(charger) ?? 0));
      const execute = charger.execute.bind(charger);
      charger.execute = (command) => {
        if (command.type === 'trigger') this.#hear(charger);
        return execute(command);
      };
    }
  }

  static async open(kind: Kind): Promise<TimedWorld> {
    const made: { box?: FakeBox } = {};
    const world = await InnerWorld.open({
      chargers: CHARGERS.length,
      csmss: [{}, { ocpp: '1.6', role: 'observer' }],
      authorization: { offline: 'accept-unknown' },
      box: (clock) => {
        const box = (made.box = new FakeBox(clock, RELEASED));
        return { clock: box, machine: box.machine };
      },
    });
    if (made.box === undefined) throw new Error('the world has made no box');
    const timed = new TimedWorld(world, made.box, kind);
    await timed.#chargersBack();
    await timed.take({ do: 'reach', csms: 0 });
    await timed.take({ do: 'lose', csms: 0 });
    await world.clock.advance(minutes(2));
    return timed;
  }

  async take(step: Step): Promise<void> {
    const { world, box } = this;
    switch (step.do) {
      case 'drive':
        return this.#drive(world.charger(step.charger));
      case 'wait':
        return world.clock.advance(minutes(step.minutes));
      case 'crash':
        await world.crash();
        return this.#chargersBack();
      case 'powerCut': {
        const saved = box.now();
        world.die();
        await world.clock.advance(minutes(step.minutes));
        this.#boot++;
        box.powerOn(this.kind === '1970' ? 0 : this.kind === 'saved' ? saved : world.clock.now());
        await world.clock.advance(seconds(15));
        if (this.kind === 'battery') this.known.add(this.#boot);
        await world.begin();
        return this.#chargersBack();
      }
      case 'reach':
        if (world.link(step.csms).accepted) return;
        if (step.csms === 0) this.known.add(this.#boot);
        return world.online(step.csms, true, () => world.clock.now());
      case 'lose':
        return world.offline(step.csms);
      case 'ntp':
        this.known.add(this.#boot);
        box.ntp(step.told);
        return world.clock.advance(seconds(2));
    }
  }

  /** The next thing that a driver does there: a start, a sample, an end, one after the other. */
  async #drive(charger: StringCharger): Promise<void> {
    charger.register += 1;
    this.happened.set(`${charger.number} ${charger.register}`, { at: this.world.clock.now(), boot: this.#boot });
    if (charger.transaction === undefined) await charger.start('DRIVER');
    else if (charger.register % 3 === 0) await charger.end();
    else await charger.sample();
    await this.world.clock.advance(seconds(10));
  }

  async #chargersBack(): Promise<void> {
    for (const charger of this.world.chargers.values()) {
      this.#hear(charger);
      await charger.connect(charger.transaction === undefined ? 'Available' : 'Occupied');
    }
  }

  #hear(charger: StringCharger): void {
    this.#errors.set(charger, this.world.gateway.clock.now() - this.world.clock.now());
  }
}

t.setTimeout(120_000);
void t.test('order always, truth wherever the time was learned in the same boot', async (t) => {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(kind, fc.array(step, { minLength: 5, maxLength: 30 }), async (kind, steps) => {
      const timed = await TimedWorld.open(kind);
      const { world } = timed;
      for (const each of steps) await timed.take(each);
      for (const csms of [0, 1]) {
        await timed.take({ do: 'lose', csms });
        await timed.take({ do: 'reach', csms });
      }
      await world.clock.advance(seconds(30));
      if (world.gateway.clock.now() !== world.clock.now()) throw new Error('the time is not known in the end');
      const told = world.link(0).transactions();
      const last = new Map<string, Timestamp>();
      for (const { record } of told) {
        const before = last.get(record.uid) ?? 0;
        if (record.at < before) throw new Error(`${record.kind} ${record.at} comes before ${before}`);
        last.set(record.uid, record.at);
        const true_ = timed.happened.get(`${record.evse} ${record.register}`);
        if (true_ === undefined || record.trigger === 'AbnormalCondition' || !timed.known.has(true_.boot)) continue;
        checked++;
        if (record.at !== true_.at) throw new Error(`${record.kind}: ${record.at - true_.at} ms off the true time`);
      }
      const bills = [...(await world.gateway.journal.load('cdr')).values()] as { startedAt: number; endedAt: number }[];
      for (const { startedAt, endedAt } of bills) if (endedAt < startedAt) throw new Error('a negative duration');
    }),
    { numRuns: 16 },
  );
  t.ok(checked > 20, `${checked} times compared`);
});
