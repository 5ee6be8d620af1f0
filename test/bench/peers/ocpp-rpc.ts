// Baseline `ocpp-rpc`: the library's own server and client in strict mode, wired to a proxy the way its README shows.
// Arguments: the port of the CSMS.
import type { AddressInfo } from 'node:net';
import { RPCClient, RPCServer } from 'ocpp-rpc';

/** The part of the library that a proxy uses; its own types leave it open. */
interface Peer {
  readonly identity: string;
  call(method: string, params: unknown): Promise<unknown>;
  handle(handler: (request: { method: string; params: unknown }) => Promise<unknown>): void;
  close(options: { force: boolean }): Promise<unknown>;
  once(event: 'close', listener: () => void): unknown;
}

const common = { protocols: ['ocpp1.6'], strictMode: true, pingIntervalMs: 60_000 };
const server = new RPCServer(common);

server.on('client', (client: unknown) => {
  const charger = client as Peer;
  const endpoint = `ws://127.0.0.1:${process.argv[2]}`;
  // Its types call for every option, its documentation and code do not.
  const options = { ...common, endpoint, identity: charger.identity, reconnect: false } as ConstructorParameters<
    typeof RPCClient
  >[0];
  const dialled = new RPCClient(options);
  const csms = dialled as unknown as Peer;
  const end = (peer: Peer) => (): void => {
    peer.close({ force: true }).catch(() => undefined);
  };
  const ready = dialled.connect();
  ready.catch(end(charger));
  charger.handle(async ({ method, params }) => {
    await ready;
    return csms.call(method, params);
  });
  csms.handle(({ method, params }) => charger.call(method, params));
  charger.once('close', end(csms));
  csms.once('close', end(charger));
});

const listening = await server.listen(0, '127.0.0.1');
process.send?.({ port: (listening.address() as AddressInfo).port });
process.on('disconnect', () => process.exit(0));
