// What a station reports of its transactions, odd cases one by one, through the whole shell: what is recorded, answered and shown.
import t from 'tap';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { minutes, seconds, timestamp } from '../../../gateway/kernel/units.js';
import type { Capabilities } from '../../../gateway/site/capabilities.js';
import type { ConnectorStatus, StationEvent, TransactionReported } from '../../../gateway/site/station-event.js';
import type { ChargeDetailRecord, TransactionRecord } from '../../../gateway/site/transaction.js';
import { InnerWorld, token } from '../../crash/inner-world.js';

type Protocol = Capabilities['protocol'];
type Told = Partial<TransactionReported> & { readonly register?: number };

/** One station with one EVSE, of which every message is written out. */
class Case {
  /** When the case begins. */
  readonly since: number;

  private constructor(
    readonly world: InnerWorld,
    readonly protocol: Protocol,
  ) {
    this.since = world.clock.now();
  }

  static async open(protocol: Protocol, status: ConnectorStatus | undefined = 'Available'): Promise<Case> {
    const world = await InnerWorld.open({
      csmss: [{ ocpp: '2.0.1' }, { ocpp: '1.6', role: 'observer' }],
      authorization: { offline: 'accept-unknown' },
    });
    await world.online();
    await world.online(1);
    const the = new Case(world, protocol);
    await the.connect();
    if (status !== undefined) await the.status(status);
    return the;
  }

  get station() {
    return this.world.charger().id;
  }

  async connect(): Promise<void> {
    const charger = this.world.charger();
    await charger.connect();
    const capabilities = this.world.gateway.live.station(charger.id)?.capabilities;
    if (capabilities === undefined) throw new Error('the station is not connected');
    await this.world.report({
      type: 'capabilities',
      station: charger.id,
      capabilities: { ...capabilities, protocol: this.protocol },
    });
  }

  /** @param at seconds since the case began */
  status(status: ConnectorStatus, at = 0, more: Partial<Extract<StationEvent, { type: 'status' }>> = {}) {
    return this.world.report({
      type: 'status',
      station: this.station,
      evse: evseNumber(1),
      connector: 1,
      status,
      at: this.at(at),
      ...more,
    });
  }

  at(second: number) {
    return timestamp(this.since + seconds(second));
  }

  /** @param at seconds since the case began; minus: before */
  async tell(kind: TransactionReported['kind'], at: number, { register, ...more }: Told = {}) {
    const context = { started: 'Transaction.Begin', updated: 'Trigger', ended: 'Transaction.End' } as const;
    const answer = await this.world.report({
      type: 'transaction',
      kind,
      station: this.station,
      at: this.at(at),
      trigger: kind === 'updated' ? 'Trigger' : 'Authorized',
      offline: false,
      meterValues:
        register === undefined ? [] : [{ at: this.at(at), sampled: [{ value: register, context: context[kind] }] }],
      ...more,
    });
    await this.world.clock.settle(20);
    return answer;
  }

  /** What the journal holds of transactions: `kind register` in order. */
  get records(): string[] {
    return this.world.journal.commits
      .flatMap(({ commit }) => commit.records ?? [])
      .filter((record): record is TransactionRecord => record.type === 'transaction')
      .map(({ kind, register }) => `${kind} ${register ?? '-'}`);
  }

  get bills(): ChargeDetailRecord[] {
    return this.world.journal.commits
      .flatMap(({ commit }) => commit.records ?? [])
      .filter((record): record is ChargeDetailRecord => record.type === 'cdr');
  }

  /** What the 1.6 CSMS was told of the connector since the last look. */
  seen(): string[] {
    const { sent } = this.world.link(1);
    const fresh = sent.slice(this.#looked);
    this.#looked = sent.length;
    return fresh.flatMap((message) =>
      message.type === 'status' ? [`${message.connector.status} ${message.connector.transaction}`] : [],
    );
  }
  #looked = 0;
}

const HERE = { evse: evseNumber(1), connector: 1 } as const;
const id = (text: string) => ({ stationTransactionId: stationTransactionId(text) });
const card = (text: string) => ({ idToken: token(text) });

interface Row {
  readonly name: string;
  readonly protocol: Protocol;
  readonly play: (the: Case) => Promise<unknown>;
  readonly records: readonly string[];
  /** Energy in Wh of each bill. */
  readonly bills?: readonly number[];
  readonly open?: number;
}

const start16 = (the: Case, at = 1, more: Told = {}) =>
  the.tell('started', at, { ...HERE, ...card('A'), register: 100, ...more });

const ROWS: readonly Row[] = [
  {
    name: 'a 1.6 start twice, the card in other letters: one transaction, the same id',
    protocol: 'ocpp1.6',
    play: async (the) => {
      const first = await start16(the, 1, card('abc'));
      const again = await start16(the, 1, card('ABC'));
      t.equal(again.stationTransactionId, first.stationTransactionId);
      t.same(again.idTokenInfo, first.idTokenInfo);
    },
    records: ['started 100'],
    open: 1,
  },
  {
    name: 'a 1.6 stop twice: one end, one bill',
    protocol: 'ocpp1.6',
    play: async (the) => {
      const { stationTransactionId: of } = await start16(the);
      for (let times = 0; times < 2; times++) await the.tell('ended', 60, { stationTransactionId: of, register: 900 });
    },
    records: ['started 100', 'ended 900'],
    bills: [800],
  },
  {
    name: 'values twice: one record; other values of the same moment: another',
    protocol: 'ocpp1.6',
    play: async (the) => {
      const { stationTransactionId: of } = await start16(the);
      for (const register of [200, 200, 210])
        await the.tell('updated', 30, { ...HERE, stationTransactionId: of, register });
    },
    records: ['started 100', 'updated 200', 'updated 210'],
    open: 1,
  },
  {
    name: 'a 2.0.1 event twice is known by its number',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      for (let times = 0; times < 2; times++)
        await the.tell('started', 1, { ...HERE, ...id('T1'), ...card('A'), seqNo: 0, register: 100 });
      for (let times = 0; times < 2; times++) await the.tell('updated', 2, { ...id('T1'), seqNo: 1, register: 150 });
      for (let times = 0; times < 2; times++) await the.tell('ended', 3, { ...id('T1'), seqNo: 2, register: 200 });
    },
    records: ['started 100', 'updated 150', 'ended 200'],
    bills: [100],
  },
  {
    name: 'a 2.0.1 station that numbers on over its transactions',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      for (const [transaction, seqNo] of [
        ['T1', 41],
        ['T2', 43],
      ] as const) {
        await the.tell('started', seqNo, { ...HERE, ...id(transaction), ...card('A'), seqNo, register: seqNo });
        await the.tell('ended', seqNo + 1, { ...HERE, ...id(transaction), seqNo: seqNo + 1, register: seqNo + 1 });
      }
    },
    records: ['started 41', 'ended 42', 'started 43', 'ended 44'],
    bills: [1, 1],
  },
  ...['-1', '0', '4711'].map((odd): Row => ({
    name: `a stop with the id ${odd} is that of the only open transaction`,
    protocol: 'ocpp1.6',
    play: async (the) => {
      await start16(the);
      await the.tell('ended', 60, { ...id(odd), register: 900 });
    },
    records: ['started 100', 'ended 900'],
    bills: [800],
  })),
  {
    name: 'a stop of nothing known is answered, and told with a start of its own',
    protocol: 'ocpp1.6',
    play: async (the) => {
      const answer = await the.tell('ended', 60, { ...id('-1'), ...card('A'), register: 900 });
      t.ok(answer.stationTransactionId);
    },
    records: ['started 900', 'ended 900'],
    bills: [0],
  },
  {
    name: 'a stop below the start is not that of the open transaction',
    protocol: 'ocpp1.6',
    play: async (the) => {
      await start16(the);
      await the.tell('ended', 60, { ...id('-1'), register: 50 });
    },
    records: ['started 100', 'started 50', 'ended 50'],
    bills: [0],
    open: 1,
  },
  {
    name: 'a start while one is open ends that one by inference',
    protocol: 'ocpp1.6',
    play: async (the) => {
      await start16(the);
      await start16(the, 60, { ...card('B'), register: 700 });
      t.match(the.bills, [{ estimated: true, stoppedReason: 'Other' }]);
    },
    records: ['started 100', 'ended 100', 'started 700'],
    bills: [0],
    open: 1,
  },
  {
    name: 'a 2.0.1 station with one EVSE does not say which, and means it all the same',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      await the.tell('started', 1, { ...id('T1'), ...card('A'), seqNo: 0, register: 100 });
      await the.tell('started', 60, { ...id('T2'), ...card('B'), seqNo: 0, register: 700 });
    },
    records: ['started 100', 'ended 100', 'started 700'],
    bills: [0],
    open: 1,
  },
  {
    name: 'a start of earlier than the open one is a replay and ends nothing',
    protocol: 'ocpp1.6',
    play: async (the) => {
      await start16(the, 1, { register: 500 });
      const { stationTransactionId: of } = await start16(the, -3600, { ...card('B'), register: 100 });
      await the.tell('ended', -1800, { stationTransactionId: of, register: 400 });
    },
    records: ['started 500', 'started 100', 'ended 400'],
    bills: [300],
    open: 1,
  },
  {
    name: 'the start is missing: one is told before what came, and the card may come later',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      await the.tell('updated', 10, { ...HERE, ...id('T1'), seqNo: 1, register: 120 });
      await the.tell('updated', 20, { ...id('T1'), ...card('A'), seqNo: 2, register: 130 });
      await the.tell('ended', 30, { ...id('T1'), seqNo: 3, register: 200 });
      t.match(the.bills, [{ idToken: token('A') }]);
    },
    records: ['started 120', 'updated 120', 'updated 130', 'ended 200'],
    bills: [80],
  },
  {
    name: 'the start comes after the values: it completes them',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      await the.tell('updated', 10, { ...HERE, ...id('T1'), seqNo: 1, register: 120 });
      await the.tell('started', 5, { ...HERE, ...id('T1'), ...card('A'), seqNo: 0, register: 100 });
      await the.tell('ended', 30, { ...id('T1'), seqNo: 2, register: 200 });
    },
    records: ['started 120', 'updated 120', 'updated 120', 'ended 200'],
    bills: [100],
  },
  {
    name: 'a start without a register begins with the first that is told',
    protocol: 'ocpp1.6',
    play: async (the) => {
      const { stationTransactionId: of } = await the.tell('started', 1, { ...HERE, ...card('A') });
      await the.tell('updated', 20, { ...HERE, stationTransactionId: of, register: 300 });
      await the.tell('ended', 60, { stationTransactionId: of, register: 900 });
      const told = the.world.link(1).transactions();
      t.match(told[0]?.record, { kind: 'started' });
    },
    records: ['started -', 'updated 300', 'ended 900'],
    bills: [600],
  },
  {
    name: 'events before the station has booted are taken in',
    protocol: 'ocpp2.0.1',
    play: async (the) => {
      t.equal(the.world.gateway.live.station(the.station)?.booted, false);
      await the.tell('started', 1, { ...HERE, ...id('T1'), ...card('A'), seqNo: 0, register: 100 });
    },
    records: ['started 100'],
    open: 1,
  },
  {
    name: 'a Modbus charger, whose messages are made from its registers, has no numbers and no ids',
    protocol: 'modbus',
    play: async (the) => {
      const { stationTransactionId: of } = await the.tell('started', 1, { ...HERE, ...card('A'), register: 100 });
      for (let times = 0; times < 2; times++)
        await the.tell('updated', 10, { ...HERE, stationTransactionId: of, register: 150 });
      await the.tell('ended', 20, {
        ...HERE,
        stationTransactionId: of,
        register: 200,
        stoppedReason: 'EVDisconnected',
      });
    },
    records: ['started 100', 'updated 150', 'ended 200'],
    bills: [100],
  },
];

for (const { name, protocol, play, records, bills = [], open = 0 } of ROWS) {
  void t.test(`${protocol}: ${name}`, async (t) => {
    const the = await Case.open(protocol);
    await play(the);
    t.same(the.records, records, 'the journal');
    t.same(
      the.bills.map(({ energy }) => energy),
      bills,
      'the bills',
    );
    t.equal(the.world.gateway.openTransactions(the.station).length, open, 'still open');
    const told = (link: number) =>
      the.world
        .link(link)
        .transactions()
        .map(({ record }) => `${record.kind} ${record.register ?? '-'}`);
    t.same(told(0), records, 'the CSMS was told the same');
    t.same(told(0), told(1), 'and so was the other one');
  });
}

void t.test(
  'a whole transaction of before the connection is told with its own times and moves no connector',
  async (t) => {
    for (const status of ['Available', 'Occupied'] as const) {
      const the = await Case.open('ocpp1.6', undefined);
      await the.status(status, 0, status === 'Occupied' ? { chargingState: 'EVConnected' } : {});
      await the.world.clock.advance(100);
      the.seen();
      const { stationTransactionId: of } = await start16(the, -7200);
      await the.tell('updated', -5000, { ...HERE, stationTransactionId: of, register: 500 });
      await the.tell('ended', -3600, { stationTransactionId: of, register: 900 });
      await the.world.clock.advance(100);
      t.same(the.seen(), [], `nothing moved while the connector is ${status}`);
      t.same(
        the.world
          .link(1)
          .transactions()
          .map(({ record }) => record.at),
        [the.at(-7200), the.at(-5000), the.at(-3600)],
      );
    }
  },
);

void t.test('what was taken for the past goes on after all: it is shown when the charger says so', async (t) => {
  const the = await Case.open('ocpp1.6');
  await start16(the, -7200);
  t.equal(the.world.gateway.live.evse(evseNumber(1))?.transaction, undefined);
  the.seen();
  await the.status('Occupied', 5, { chargingState: 'Charging' });
  await the.world.clock.advance(100);
  t.match(the.world.gateway.live.evse(evseNumber(1)), { transaction: { idToken: token('A') } });
  t.same(the.seen(), ['Occupied open']);
});

void t.test('the stop of a transaction of the past never comes: it is estimated', async (t) => {
  const the = await Case.open('ocpp1.6');
  await start16(the, -7200);
  await the.world.clock.advance(minutes(16));
  t.equal(the.world.gateway.openTransactions(the.station).length, 0);
  t.match(the.bills, [{ estimated: true }]);
});
