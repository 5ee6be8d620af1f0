// Both station drivers behind the real server, with an independent OCPP-J implementation in strict mode as the charger.
import t from 'tap';
import { memoryAliases } from '../../fakes/memory-aliases.js';
import { RPCClient } from 'ocpp-rpc';
import type { OcppVersion, Payload } from '../../../adapters/ocpp-j/contract.js';
import { OcppServer } from '../../../adapters/ocpp-j/server.js';
import type { OcppStationDriver } from '../../../adapters/ocpp-j/station-driver.js';
import { openOcpp16Station } from '../../../adapters/station-ocpp16/driver.js';
import { openOcpp201Station } from '../../../adapters/station-ocpp201/driver.js';
import { evseNumber, stationTransactionId } from '../../../gateway/kernel/ids.js';
import { ampere, volt } from '../../../gateway/kernel/units.js';
import { realClock, rememberingLog } from '../ocpp-j/rig.js';
import { evse, FakeHost, stationOf } from '../station-ocpp16/rig.js';

const station = stationOf(evse(1, 1), evse(2, 2));
const settings = {
  nominalVoltage: volt(230),
  heartbeatInterval: 300,
  meterInterval: 10,
  offlineTxForUnknownId: false,
  localList: true,
  aliases: memoryAliases(),
};
const AT = '2026-06-01T12:00:00Z';

interface Life {
  readonly open: typeof openOcpp16Station;
  readonly boot: Payload;
  /** What the charger does before its transaction is on; answers the transaction's id. */
  readonly begin: (call: (action: string, payload: Payload) => Promise<Record<string, unknown>>) => Promise<string>;
  readonly end: readonly [action: string, payload: Payload];
  /** The last request of the set-up. */
  readonly last: (action: string, payload: Record<string, unknown>) => boolean;
}

const lives: Readonly<Record<OcppVersion, Life>> = {
  'ocpp1.6': {
    open: openOcpp16Station,
    boot: { chargePointVendor: 'Acme', chargePointModel: 'One' },
    begin: async (call) => {
      await call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp: AT });
      await call('Authorize', { idTag: 'CAFE' });
      const start = { connectorId: 1, idTag: 'CAFE', meterStart: 7, timestamp: AT };
      return String((await call('StartTransaction', start))['transactionId']);
    },
    end: ['StopTransaction', { transactionId: 41, meterStop: 9, timestamp: AT, reason: 'EVDisconnected' }],
    last: (action, payload) => action === 'ChangeConfiguration' && payload['key'] === 'MeterValuesSampledData',
  },
  'ocpp2.0.1': {
    open: openOcpp201Station,
    boot: { reason: 'PowerUp', chargingStation: { vendorName: 'Acme', model: 'Two' } },
    begin: async (call) => {
      await call('StatusNotification', { timestamp: AT, connectorStatus: 'Occupied', evseId: 1, connectorId: 1 });
      await call('TransactionEvent', {
        eventType: 'Started',
        timestamp: AT,
        triggerReason: 'Authorized',
        seqNo: 0,
        evse: { id: 1, connectorId: 1 },
        idToken: { idToken: 'CAFE', type: 'ISO14443' },
        transactionInfo: { transactionId: 'abc' },
      });
      return 'abc';
    },
    end: [
      'TransactionEvent',
      {
        eventType: 'Ended',
        timestamp: AT,
        triggerReason: 'EVDeparted',
        seqNo: 1,
        transactionInfo: { transactionId: 'abc' },
      },
    ],
    last: (action, payload) => action === 'SetVariables' && JSON.stringify(payload).includes('TxUpdatedMeasurands'),
  },
};

type Item = { component: object; variable: object };

/** A charger's own answers, good enough for a strict client. */
function chargerAnswer(action: string, payload: Record<string, unknown>): Record<string, unknown> {
  const echo = (name: string, status: string) =>
    (payload[name] as Item[]).map(({ component, variable }) => ({ attributeStatus: status, component, variable }));
  if (action === 'GetConfiguration')
    return { configurationKey: [{ key: 'NumberOfConnectors', readonly: true, value: '2' }] };
  if (action === 'GetVariables') return { getVariableResult: echo('getVariableData', 'UnknownVariable') };
  if (action === 'SetVariables') return { setVariableResult: echo('setVariableData', 'Accepted') };
  return { status: 'Accepted' };
}

for (const [version, life] of Object.entries(lives)) {
  void t.test(`a ${version} charger on a socket: boot, set-up, transaction, limit, loss`, async (t) => {
    const host = new FakeHost();
    const log = rememberingLog();
    const driver = life.open(station, host, { clock: realClock, log }, settings);
    let gone = (): void => undefined;
    const disconnected = new Promise<void>((resolve) => (gone = resolve));
    const server = new OcppServer<OcppStationDriver>({
      clock: realClock,
      log,
      admit: () => ({ ok: true, station: driver, proven: true }),
      accepted: ({ station, connection }) => {
        station.attach(connection);
        return {
          handler: station.handler,
          closed: (_, reason) => {
            station.detach(reason);
            gone();
          },
        };
      },
    });
    const { port } = await server.listen(0, '127.0.0.1');
    const options = {
      endpoint: `ws://127.0.0.1:${port}/ocpp`,
      identity: 'CP1',
      protocols: [version],
      strictMode: true,
      reconnect: false,
    };
    // The package's types ask for every option, although each has a default.
    const charger = new RPCClient(options as ConstructorParameters<typeof RPCClient>[0]);
    const asked: string[] = [];
    const setUp = new Promise<void>((resolve) => {
      charger.handle(({ method = '', params = {} }: { method?: string; params?: Record<string, unknown> }) => {
        asked.push(method);
        if (life.last(method, params)) resolve();
        return Promise.resolve(chargerAnswer(method, params));
      });
    });
    t.teardown(async () => {
      await charger.close();
      await driver.stop();
      await server.close();
    });
    await charger.connect();
    const call = async (action: string, payload: Payload) =>
      (await charger.call(action, payload)) as Record<string, unknown>;
    t.match(await call('BootNotification', life.boot), { status: 'Accepted', interval: 300 });
    await setUp;
    t.equal(host.of('capabilities').at(-1)?.capabilities.fallback, true);
    const id = await life.begin(call);
    t.match(host.of('transaction')[0], { kind: 'started', evse: 1, idToken: { idToken: 'CAFE' } });
    t.same(
      await driver.execute({
        type: 'setLimit',
        evse: evseNumber(1),
        current: ampere(12.34),
        stationTransactionId: stationTransactionId(id),
      }),
      { status: 'Accepted' },
    );
    t.equal(asked.at(-1), 'SetChargingProfile');
    await call(...life.end);
    t.match(host.of('transaction').at(-1), { kind: 'ended', stationTransactionId: id });
    await charger.close();
    await disconnected;
    t.same(await driver.execute({ type: 'cancelReservation', reservationId: 1 }), { status: 'Offline' });
    t.same(
      host.events.filter(({ type }) => type === 'connected' || type === 'disconnected').map(({ type }) => type),
      ['connected', 'disconnected'],
    );
    t.same(
      log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
}
