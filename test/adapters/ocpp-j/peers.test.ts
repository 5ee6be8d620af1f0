// The wire against another implementation of OCPP-J in its strict mode, in both roles and both versions.
import t from 'tap';
import { RPCClient, RPCServer } from 'ocpp-rpc';
import type { OcppVersion } from '../../../adapters/ocpp-j/contract.js';
import { bootAnswer, dialTest, startServer } from './rig.js';

const boots: Readonly<Record<OcppVersion, Record<string, unknown>>> = {
  'ocpp1.6': { chargePointVendor: 'Forecourt', chargePointModel: 'Test' },
  'ocpp2.0.1': { reason: 'PowerUp', chargingStation: { vendorName: 'Forecourt', model: 'Test' } },
};

for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
  void t.test(`a strict ${version} charger boots at our server and takes a CALL`, async (t) => {
    const rig = await startServer();
    const options = {
      endpoint: rig.url,
      identity: 'CP 01',
      protocols: [version],
      strictMode: true,
      reconnect: false,
    };
    // The package's types ask for every option, although each has a default.
    const charger = new RPCClient(options as ConstructorParameters<typeof RPCClient>[0]);
    t.teardown(async () => {
      await charger.close();
      await rig.server.close();
    });
    charger.handle('ClearCache', () => Promise.resolve({ status: 'Accepted' }));
    await charger.connect();
    t.equal(charger.protocol, version);
    t.match(await charger.call('BootNotification', boots[version]), { status: 'Accepted', interval: 300 });
    const { connection, identity } = await rig.nth(0);
    t.equal(identity, 'CP 01');
    t.same(await connection.call('ClearCache', {}, { timeout: 5000 }), {
      kind: 'result',
      payload: { status: 'Accepted' },
    });
    t.match(await connection.call('GetLocalListVersion', {}, { timeout: 5000 }), {
      kind: 'error',
      code: 'NotImplemented',
    });
  });

  void t.test(`our ${version} client boots at a strict server and takes a CALL`, async (t) => {
    const server = new RPCServer({ protocols: [version], strictMode: true });
    const calls: string[] = [];
    const answered = new Promise<unknown>((resolve, reject) => {
      server.on('client', (client) => {
        client.handle('BootNotification', () => {
          calls.push(client.identity ?? '');
          client.call('ClearCache', {}).then(resolve, reject);
          return Promise.resolve(bootAnswer);
        });
      });
    });
    const http = await server.listen(0);
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const dialled = await dialTest({
      url: `ws://127.0.0.1:${address.port}/csms/`,
      identity: 'SITE 01',
      version,
      handler: () => Promise.resolve({ kind: 'result', payload: { status: 'Accepted' } }),
    });
    t.teardown(() => server.close({ code: 1001, reason: 'done', awaitPending: false, force: false }));
    if (!dialled.ok) throw new Error(dialled.detail);
    const outcome = await dialled.connection.call('BootNotification', boots[version], { timeout: 5000 });
    t.match(outcome, { kind: 'result', payload: bootAnswer });
    t.same(await answered, { status: 'Accepted' });
    t.same(calls, ['SITE 01']);
    dialled.connection.close(1000, 'done');
  });
}
