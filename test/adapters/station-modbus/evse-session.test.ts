// The session's rules as properties: whatever happens, transactions nest properly and energy follows the record.
import t from 'tap';
import fc from 'fast-check';
import type { EvseState } from '../../../adapters/modbus/charger-behaviour.js';
import { isPlausible } from '../../../adapters/station-modbus/energy-register.js';
import { stepSession, type Session, type SessionEvent } from '../../../adapters/station-modbus/evse-session.js';
import type { StartPolicy } from '../../../gateway/site/topology.js';

const TOKEN = { idToken: 'CAFE01', type: 'ISO14443' } as const;
const states = fc.constantFrom<EvseState>('A', 'B', 'C', 'E', 'F', 'starting');
const policies = fc.constantFrom<StartPolicy>({ kind: 'authorized' }, { kind: 'free', idToken: 'FREE' });

const event: fc.Arbitrary<SessionEvent> = fc.oneof(
  fc.record({
    type: fc.constant('polled' as const),
    state: states,
    now: fc.nat(100),
    operative: fc.boolean(),
  }),
  fc.record({ type: fc.constant('presented' as const), idToken: fc.constant(TOKEN) }),
  fc.record({
    type: fc.constant('judged' as const),
    accepted: fc.boolean(),
    plugged: fc.boolean(),
    until: fc.nat(100),
  }),
  fc.record({
    type: fc.constant('requestStart' as const),
    idToken: fc.constant(TOKEN),
    remoteStartId: fc.nat(9),
    plugged: fc.boolean(),
    until: fc.nat(100),
  }),
  fc.record({ type: fc.constant('recorded' as const), accepted: fc.boolean() }),
  fc.record({ type: fc.constant('stop' as const), by: fc.constantFrom('remote' as const, 'card' as const) }),
);

t.test('starts and ends take turns, and energy is allowed only between a recorded start and the end', (test) => {
  fc.assert(
    fc.property(policies, fc.array(event, { maxLength: 40 }), (policy, events) => {
      let session: Session = { phase: 'idle' };
      let running = false;
      for (const one of events) {
        const { session: next, action } = stepSession(session, one, policy);
        session = next;
        if (action?.do === 'start') {
          if (running) return false;
          running = true;
        }
        if (action?.do === 'deliver' && !(running && one.type === 'recorded' && one.accepted)) return false;
        const byCard = one.type === 'presented';
        if (action?.do === 'authorize' && (running || byCard !== (policy.kind === 'authorized'))) return false;
        if (action?.do === 'end') {
          if (!running) return false;
          running = false;
        }
        if (running !== (session.phase === 'starting' || session.phase === 'open')) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  test.end();
});

t.test('whatever came before, an unplugged car leaves no transaction behind', (test) => {
  fc.assert(
    fc.property(policies, fc.array(event, { maxLength: 40 }), (policy, events) => {
      const before = events.reduce<Session>((session, one) => stepSession(session, one, policy).session, {
        phase: 'idle',
      });
      const { session } = stepSession(before, { type: 'polled', state: 'A', now: 101, operative: true }, policy);
      return session.phase === 'idle' || session.phase === 'asking';
    }),
    { numRuns: 300 },
  );
  test.end();
});

t.test('without a remote start and without a card an "authorized" EVSE never starts', (test) => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let session: Session = { phase: 'idle' };
      for (const one of events.filter(({ type }) => type !== 'requestStart' && type !== 'presented')) {
        const step = stepSession(session, one, { kind: 'authorized' });
        if (step.action !== undefined) return false;
        session = step.session;
      }
      return true;
    }),
    { numRuns: 200 },
  );
  test.end();
});

t.test('what an energy register may do in a time', (test) => {
  const kilowatts22 = 22_000;
  const minute = 60_000;
  test.ok(isPlausible(undefined, 5, 0, kilowatts22));
  test.ok(isPlausible({ energy: 1000, at: 0 }, 1366, minute, kilowatts22), '22 kW for a minute');
  test.notOk(isPlausible({ energy: 1000, at: 0 }, 999.9, minute, kilowatts22), 'a fall');
  test.notOk(isPlausible({ energy: 1000, at: 0 }, 5000, minute, kilowatts22), 'a spike');
  test.ok(isPlausible({ energy: 1000 }, 90_000, minute, kilowatts22), 'nothing is known of the time before a restart');
  test.end();
});
