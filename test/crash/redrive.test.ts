// The gateway dies while dead letters are sent again: every one is either delivered or still there, and none is delivered under another number.
import t from 'tap';
import { seconds } from '../../gateway/kernel/units.js';
import type { CsmsMessage, DeliveryOutcome } from '../../gateway/ports/csms.js';
import { InnerWorld } from './inner-world.js';

const REFUSED: DeliveryOutcome = { kind: 'refused', reason: 'InternalError: the database is down' };
const VISITS = 3;

/** A CSMS that took nothing of three visits. */
async function withDeadLetters(ocpp: '1.6' | '2.0.1'): Promise<InnerWorld> {
  const world = await InnerWorld.open({ csmss: [{ ocpp }], authorization: { offline: 'accept-unknown' } });
  const charger = world.charger();
  await charger.connect();
  await world.online();
  world.link().behave = (message) => (message.type === 'transaction' ? REFUSED : undefined);
  for (let visit = 1; visit <= VISITS; visit++) {
    await charger.start(`DRIVER-${visit}`);
    charger.register += 500;
    await charger.end(`DRIVER-${visit}`);
  }
  // Each message three times, 60 and 120 s apart.
  await world.clock.advance(seconds(200 * 2 * VISITS));
  return world;
}

const dead = (world: InnerWorld): number => world.gateway.views[0]?.deadLetters().length ?? 0;

/** What the CSMS has taken: transaction, kind, and the seqNo under which it came (2.0.1). */
function taken(messages: readonly CsmsMessage[]): string[] {
  return messages.flatMap((message) => {
    if (message.type !== 'transaction') return [];
    const { record, state } = message;
    return [`${record.uid} ${record.kind} ${JSON.stringify(state['seqNo'])}`];
  });
}

for (const ocpp of ['1.6', '2.0.1'] as const) {
  // Where it dies: so many letters were answered, and the last answer was or was not written down.
  for (let answered = 0; answered < 2 * VISITS; answered++) {
    for (const written of [true, false]) {
      const where = `${answered} answered, the next answer ${written ? 'written' : 'not written'}`;
      void t.test(`${ocpp}: killed after ${where}`, async (t) => {
        const world = await withDeadLetters(ocpp);
        const letters = dead(world);
        t.equal(letters, 2 * VISITS);
        const before = world.link().sent.length;
        let heard = 0;
        world.link().behave = (message) => {
          if (message.type !== 'transaction') return undefined;
          if (heard++ < answered) return undefined;
          if (heard > answered + 1) return 'silent';
          // This answer comes, and what is made of it reaches the disk or does not.
          if (!written) world.journal.hold();
          return undefined;
        };
        t.equal(world.gateway.views[0]?.redrive().length, letters);
        await world.clock.advance(seconds(1));
        const first = taken(world.link().sent.slice(before)).slice(0, answered + 1);
        world.link().behave = () => undefined;
        await world.crash();
        await world.online();
        const left = dead(world);
        t.equal(left, letters - answered - (written ? 1 : 0), 'what was not written is still there');
        const again = world.link().sent.length;
        t.equal(world.gateway.views[0]?.redrive().length, left);
        await world.clock.advance(seconds(5));
        t.equal(dead(world), 0);
        const second = taken(world.link().sent.slice(again));
        t.equal(second.length, left);
        const both = [...first, ...second];
        t.equal(new Set(both).size, letters, 'all of them');
        t.equal(both.length - letters, written ? 0 : 1, 'one of them twice at most, the same');
      });
    }
  }
}
