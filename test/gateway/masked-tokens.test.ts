// Whatever happens to a card, its number is in no log line: journeys through the whole core, every level listened to.
import t from 'tap';
import { Gateway } from '../../gateway/gateway.js';
import {
  csmsId,
  evseNumber,
  meterId,
  stationId,
  stationTransactionId,
  type StationId,
} from '../../gateway/kernel/ids.js';
import { ampere, milliseconds, timestamp } from '../../gateway/kernel/units.js';
import type { StationDriver } from '../../gateway/ports/station.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { TransactionReported } from '../../gateway/site/station-event.js';
import type { IdToken } from '../../gateway/site/tokens.js';
import { perPhase } from '../../gateway/site/topology.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { knowing } from '../fakes/fake-machine.js';
import { MemoryJournal } from '../fakes/memory-journal.js';
import { recordingLog, type LogLine } from '../fakes/recording-log.js';
import { csms, evse, site } from './views/fixture.js';

const CARD = 'C0FFEE42ABCD99';
const STRANGER = '5TRANGERCARD77';
const MASTER = 'GR0UPMASTER123';
const SECRETS = [CARD, STRANGER, MASTER];
const card = (idToken: string): IdToken => ({ idToken, type: 'ISO14443' });
const CP1 = stationId('CP1');
const ONE = evseNumber(1);
const OPERATOR = csmsId('operator');

interface World {
  readonly gateway: Gateway;
  readonly journal: MemoryJournal;
  readonly clock: FakeClock;
  readonly lines: readonly LogLine[];
  /** What the charger answers to commands. */
  outcome: CommandOutcome;
  readonly event: (kind: TransactionReported['kind'], over?: Partial<TransactionReported>) => TransactionReported;
}

async function world(): Promise<World> {
  const journal = new MemoryJournal();
  const clock = new FakeClock();
  const log = recordingLog();
  const plan = site([evse(1), evse(2)]);
  const drivers = new Map<StationId, StationDriver>();
  const gateway = await Gateway.open({
    site: {
      ...plan,
      csms: [csms()],
      authorization: { ...plan.authorization, localTokens: [{ idToken: CARD, group: MASTER }] },
    },
    journal,
    drivers,
    clock,
    machine: knowing(clock),
    log,
    randomBytes: (count) => new Uint8Array(count).fill(7),
    firmwareVersion: '0',
  });
  const the: World = {
    gateway,
    journal,
    clock,
    lines: log.lines,
    outcome: { status: 'Accepted' },
    event: (kind, over = {}) => ({
      type: 'transaction',
      station: CP1,
      kind,
      evse: ONE,
      connector: 1,
      stationTransactionId: stationTransactionId('77'),
      at: clock.now(),
      trigger: kind === 'ended' ? 'StopAuthorized' : 'Authorized',
      meterValues: [],
      offline: false,
      idToken: card(CARD),
      ...over,
    }),
  };
  for (const station of plan.stations) {
    drivers.set(station.id, {
      station,
      execute: () => Promise.resolve(the.outcome),
      stop: () => Promise.resolve(),
    });
  }
  gateway.start();
  // Right after its start the gateway waits for its CSMS before it refuses anybody.
  await clock.advance(300_000);
  await gateway.stations.report({
    type: 'connected',
    station: CP1,
    capabilities: {
      protocol: 'ocpp2.0.1',
      currentLimit: true,
      fallback: true,
      reservation: true,
      remoteStart: true,
      unlock: true,
      localList: true,
      phaseSwitching: false,
      trigger: true,
      reader: true,
    },
  });
  await gateway.stations.report({
    type: 'status',
    station: CP1,
    evse: ONE,
    connector: 1,
    status: 'Available',
    at: clock.now(),
  });
  return the;
}

/** Log lines with everything in them, errors too, as a logger would write them out. */
const written = (lines: readonly LogLine[]): string =>
  lines
    .map(({ message, fields }) => {
      const err = fields.err instanceof Error ? `${fields.err.message} ${fields.err.stack ?? ''}` : '';
      return `${message} ${JSON.stringify(fields)} ${err}`;
    })
    .join('\n');

const journeys: Record<string, (world: World) => Promise<void>> = {
  async 'a visit with a known card'({ gateway, clock, event }) {
    await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(CARD) });
    await gateway.stations.report(event('started'));
    await clock.advance(60_000);
    await gateway.stations.report(event('updated', { trigger: 'ChargingStateChanged', chargingState: 'Charging' }));
    await gateway.stations.report(event('ended', { stoppedReason: 'Local' }));
    await clock.advance(60_000);
  },
  async 'a stranger, refused, who starts all the same'({ gateway, clock, event }) {
    await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(STRANGER) });
    await gateway.stations.report(event('started', { idToken: card(STRANGER) }));
    await clock.advance(60_000);
    await gateway.stations.report(event('ended', { idToken: card(STRANGER) }));
  },
  async 'the middle and the end of a transaction that nobody saw begin'({ gateway, event }) {
    await gateway.stations.report(event('updated', { stationTransactionId: stationTransactionId('orphan') }));
    await gateway.stations.report(event('ended', { stationTransactionId: stationTransactionId('orphan') }));
  },
  async 'a disk that refuses in the middle of a visit'({ gateway, journal, clock, event }) {
    await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(CARD) });
    journal.failNext(3);
    await gateway.stations.report(event('started')).catch(() => undefined);
    await clock.advance(2_000);
    journal.failNext(1);
    await gateway.stations.report(event('started')).catch(() => undefined);
  },
  async 'reservation and remote start, taken and refused by the charger'(world) {
    const { gateway, clock } = world;
    for (const outcome of [{ status: 'Accepted' }, { status: 'Rejected', detail: 'no' }] as const) {
      world.outcome = outcome;
      await gateway.operations.reserve(OPERATOR, {
        reservationId: 5,
        target: { evse: ONE },
        evses: [ONE],
        idToken: card(CARD),
        expiry: timestamp(clock.now() + 5_000),
      });
      await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(STRANGER) });
      await gateway.operations.requestStart(OPERATOR, {
        idToken: card(STRANGER),
        group: card(MASTER),
        target: { evse: ONE },
        remoteStartId: 9,
        evses: [ONE],
      });
      await clock.advance(120_000);
    }
  },
  async 'a list of cards'({ gateway, clock }) {
    await gateway.operations.sendLocalList(OPERATOR, 1, 'Full', [
      { idToken: card(CARD), info: { status: 'Blocked' } },
      { idToken: card(STRANGER), info: { status: 'Accepted', group: card(MASTER) } },
    ]);
    await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(CARD) });
    await gateway.stations.report({ type: 'authorize', station: CP1, idToken: card(STRANGER) });
    await clock.advance(1_000);
  },
  async 'a lost charger, a lost meter and an overload while a card charges'({ gateway, clock, event }) {
    await gateway.stations.report(event('started'));
    gateway.meters.reading({ meter: meterId('grid'), at: clock.now(), current: perPhase(() => ampere(500)) });
    await gateway.stations.report({ type: 'disconnected', station: CP1, reason: 'gone' });
    await clock.advance(milliseconds(3_600_000));
  },
};

void t.test('no card number in any log line', async (t) => {
  const told: LogLine[] = [];
  for (const [name, journey] of Object.entries(journeys)) {
    const the = await world();
    await journey(the);
    await the.gateway.stop().catch(() => undefined);
    const text = written(the.lines);
    for (const secret of SECRETS) t.notOk(text.toLowerCase().includes(secret.toLowerCase()), `${name}: ${secret}`);
    told.push(...the.lines);
  }
  // The scan would also pass if nothing had been told of cards at all.
  const text = written(told);
  t.ok(text.includes('C0***(14)'), 'the known card is there, masked');
  t.ok(text.includes('5T***(14)'), 'and so is the stranger');
  t.ok(told.length > 10, `${told.length} lines`);
});
