// A driver's visit over real sockets, with a strict CSMS of another maker (ocpp-rpc) in both versions.
import { once } from 'node:events';
import { RPCServer } from 'ocpp-rpc';
import t from 'tap';
import { openOcpp16Csms } from '../../../adapters/csms-ocpp16/link.js';
import { openOcpp201Csms } from '../../../adapters/csms-ocpp201/link.js';
import { dialCsms } from '../../../adapters/ocpp-j/csms-dial.js';
import { silentLog } from '../../../gateway/kernel/log.js';
import { timestamp, wattHour } from '../../../gateway/kernel/units.js';
import type { CsmsLink, CsmsMessage, ProjectionState } from '../../../gateway/ports/csms.js';
import { aliasTable, AT, csmsOf, energy, rememberingHost, TOKEN, transaction, view } from '../csms-ocpp16/rig.js';
import { realClock } from '../ocpp-j/rig.js';

interface Seen {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The part of an ocpp-rpc server-side client that the tests use. */
interface Peer {
  handle(handler: (call: { method: string; params: Record<string, unknown> }) => unknown): void;
  call(method: string, params: object): Promise<Record<string, unknown>>;
  close(options?: { code?: number }): Promise<unknown>;
}

async function startCsms(protocol: 'ocpp1.6' | 'ocpp2.0.1', answer: (method: string) => unknown) {
  const seen: Seen[] = [];
  const peers: Peer[] = [];
  const server = new RPCServer({ protocols: [protocol], strictMode: true });
  server.on('client', (client: Peer) => {
    peers.push(client);
    client.handle(({ method, params }) => {
      seen.push({ method, params });
      return answer(method);
    });
  });
  const http = await server.listen(0, '127.0.0.1');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, seen, peers, url: `ws://127.0.0.1:${address.port}/ocpp` };
}

const boot = { status: 'Accepted', interval: 300, currentTime: '2026-03-01T12:00:00.000Z' };

const answers16 = (method: string): unknown => {
  if (method === 'BootNotification') return boot;
  if (method === 'Authorize') return { idTagInfo: { status: 'Accepted' } };
  if (method === 'StartTransaction') return { transactionId: 4711, idTagInfo: { status: 'Accepted' } };
  return {};
};
const answers201 = (method: string): unknown => {
  if (method === 'BootNotification') return boot;
  if (method === 'Authorize' || method === 'TransactionEvent') return { idTokenInfo: { status: 'Accepted' } };
  return {};
};

/** The visit as the view tells it; the state travels along as the view keeps it. */
async function visit(link: CsmsLink): Promise<string[]> {
  let state: ProjectionState = {};
  const outcomes: string[] = [];
  const tell = async (message: CsmsMessage): Promise<void> => {
    const outcome = await link.deliver(message);
    outcomes.push(outcome.kind);
    if ('state' in outcome && outcome.state) state = outcome.state;
  };
  const later = timestamp(AT + 60_000);
  await tell({ type: 'stationStatus', status: 'Available', at: AT });
  await tell({ type: 'status', connector: view({ status: 'Occupied' }) });
  await tell({ type: 'authorize', idToken: TOKEN });
  await tell(transaction({ idToken: TOKEN }, state));
  await tell({
    type: 'status',
    connector: view({ status: 'Occupied', transaction: 'open', chargingState: 'Charging' }),
  });
  await tell(
    transaction({ kind: 'updated', at: later, trigger: 'MeterValuePeriodic', meterValues: [energy(1500)] }, state),
  );
  await tell(
    transaction(
      {
        kind: 'ended',
        at: later,
        trigger: 'StopAuthorized',
        stoppedReason: 'Local',
        idToken: TOKEN,
        register: wattHour(2000.9),
      },
      state,
    ),
  );
  await tell({ type: 'status', connector: view({ status: 'Occupied', transaction: 'ended' }) });
  await tell({ type: 'status', connector: view() });
  return outcomes;
}

/** Resolves when the n-th linkUp has come. */
function upCounter(host: ReturnType<typeof rememberingHost>) {
  const waiting: { readonly n: number; readonly resolve: () => void }[] = [];
  let ups = 0;
  const linkUp = host.linkUp.bind(host);
  host.linkUp = (booted) => {
    linkUp(booted);
    ups++;
    for (const { n, resolve } of waiting) if (n === ups) resolve();
  };
  return (n: number): Promise<void> =>
    ups >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }));
}

t.test('OCPP 1.6: the visit, a remote start, a lost socket', async (t) => {
  const csms = await startCsms('ocpp1.6', answers16);
  const host = rememberingHost();
  host.settings.set('RetryBackOffWaitMinimum', 0.02).set('RetryBackOffRandomRange', 0);
  const up = upCounter(host);
  const context = { clock: realClock, log: silentLog };
  const config = csmsOf('1.6', csms.url);
  const link = openOcpp16Csms(config, host, context, dialCsms(config, host, context), { aliases: aliasTable() });
  link.start();
  await up(1);
  t.strictSame(await visit(link), Array<string>(9).fill('answered'));
  t.strictSame(
    csms.seen.map(({ method, params }) => [method, params['status'] ?? params['transactionId']]),
    [
      ['BootNotification', undefined],
      ['StatusNotification', 'Available'],
      ['StatusNotification', 'Preparing'],
      ['Authorize', undefined],
      ['StartTransaction', undefined],
      ['StatusNotification', 'Charging'],
      ['MeterValues', 4711],
      ['StopTransaction', 4711],
      ['StatusNotification', 'Finishing'],
      ['StatusNotification', 'Available'],
    ],
  );
  const [peer] = csms.peers;
  if (!peer) throw new Error('nobody connected');
  t.strictSame(await peer.call('RemoteStartTransaction', { idTag: 'REMOTE', connectorId: 2 }), { status: 'Accepted' });
  t.match(host.commands, [{ type: 'requestStart', slotFlat: 2, idToken: { idToken: 'REMOTE' } }]);
  const refusal: unknown = await peer
    .call('UpdateFirmware', { location: 'ftp://x/y', retrieveDate: boot.currentTime })
    .catch((err: unknown) => err);
  t.match(refusal, { rpcErrorCode: 'NotSupported' });
  await peer.close({ code: 1001 });
  await up(2);
  t.equal((await link.deliver({ type: 'authorize', idToken: TOKEN })).kind, 'answered');
  t.equal(csms.seen.filter(({ method }) => method === 'BootNotification').length, 1, 'no boot on a reconnect');
  await link.stop();
  await csms.server.close({});
});

t.test('OCPP 2.0.1: the visit, variables and a report, a lost socket', async (t) => {
  const csms = await startCsms('ocpp2.0.1', answers201);
  const host = rememberingHost();
  host.settings.set('RetryBackOffWaitMinimum', 0.02).set('RetryBackOffRandomRange', 0);
  const up = upCounter(host);
  const context = { clock: realClock, log: silentLog };
  const config = csmsOf('2.0.1', csms.url);
  const link = openOcpp201Csms(config, host, context, dialCsms(config, host, context));
  link.start();
  await up(1);
  t.strictSame(await visit(link), ['nothing', ...Array<string>(8).fill('answered')]);
  t.strictSame(
    csms.seen.map(({ method, params }) => [method, params['connectorStatus'] ?? params['seqNo']]),
    [
      ['BootNotification', undefined],
      ['StatusNotification', 'Occupied'],
      ['Authorize', undefined],
      ['TransactionEvent', 0],
      ['StatusNotification', 'Occupied'],
      ['TransactionEvent', 1],
      ['TransactionEvent', 2],
      ['StatusNotification', 'Occupied'],
      ['StatusNotification', 'Available'],
    ],
  );
  const reported = new Promise<void>((resolve) => {
    host.answer = (command) =>
      command.type === 'getReport'
        ? {
            status: 'Accepted',
            afterwards: () => {
              const variables = [
                {
                  component: 'EVSE',
                  evse: 1,
                  variable: 'Power',
                  mutability: 'ReadOnly',
                  dataType: 'decimal',
                  max: 22000,
                },
              ] as const;
              void link.deliver({ type: 'report', requestId: command.requestId, variables }).then(() => resolve());
            },
          }
        : { status: 'Accepted', variables: [{ component: 'X', variable: 'Y', status: 'Accepted', value: '1' }] };
  });
  const [peer] = csms.peers;
  if (!peer) throw new Error('nobody connected');
  t.strictSame(await peer.call('GetBaseReport', { requestId: 9, reportBase: 'FullInventory' }), {
    status: 'Accepted',
  });
  await reported;
  t.match(csms.seen.at(-1), { method: 'NotifyReport', params: { requestId: 9, seqNo: 0, tbc: false } });
  t.match(
    await peer.call('GetVariables', { getVariableData: [{ component: { name: 'X' }, variable: { name: 'Y' } }] }),
    { getVariableResult: [{ attributeStatus: 'Accepted', attributeValue: '1' }] },
  );
  await peer.close({ code: 1001 });
  await up(2);
  t.equal(csms.seen.filter(({ method }) => method === 'BootNotification').length, 1, 'no boot on a reconnect');
  await link.stop();
  await csms.server.close({});
});

t.test('a CSMS that refuses the identity is an unreached CSMS, not a crash', async (t) => {
  const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
  server.auth((_accept, reject) => reject(401, 'no'));
  const http = await server.listen(0, '127.0.0.1');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const host = rememberingHost();
  const context = { clock: realClock, log: silentLog };
  const config = csmsOf('1.6', `ws://127.0.0.1:${address.port}`);
  const refused = await dialCsms(
    config,
    host,
    context,
  )(
    () => Promise.resolve({ kind: 'result', payload: {} }),
    () => undefined,
  );
  t.match(refused, { refused: /401/ });
  await server.close({});
  if (http.listening) await once(http, 'close');
});
