// A simulated cloud on a real socket, and the uplink to it, which can be taken down and brought back.
import { OcppServer } from '../adapters/ocpp-j/server.js';
import type { OcppVersion } from '../adapters/ocpp-j/contract.js';
import type { Clock } from '../gateway/kernel/clock.js';
import type { Log } from '../gateway/kernel/log.js';
import { SimulatedCsms } from './csms.js';

export interface CsmsServer {
  readonly csms: SimulatedCsms;
  /** ws:// without the identity. */
  readonly url: string;
  readonly up: boolean;
  /** The uplink is gone: the socket breaks without a word and nobody answers a new attempt. */
  cutUplink(): Promise<void>;
  restoreUplink(): Promise<void>;
  stop(): Promise<void>;
}

export interface CsmsServerSettings {
  readonly name: string;
  readonly version: OcppVersion;
  readonly clock: Clock;
  readonly log: Log;
  readonly knownTokens?: readonly string[];
}

const HOST = '127.0.0.1';

export async function startCsmsServer({ log, ...settings }: CsmsServerSettings): Promise<CsmsServer> {
  const csms = new SimulatedCsms(settings);
  const open = async (port: number): Promise<OcppServer<SimulatedCsms>> => {
    const server = new OcppServer<SimulatedCsms>({
      clock: settings.clock,
      log,
      admit: () => ({ ok: true, station: csms, proven: true }),
      accepted: ({ connection }) => {
        csms.attach(connection);
        return { handler: csms.handler, closed: () => csms.detach(connection) };
      },
    });
    await server.listen(port, HOST);
    return server;
  };

  let server: OcppServer<SimulatedCsms> | undefined = await open(0);
  const { port } = server.address();
  const close = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    csms.cut();
    await closing?.close();
  };
  return {
    csms,
    url: `ws://${HOST}:${port}`,
    get up() {
      return server !== undefined;
    },
    cutUplink: close,
    async restoreUplink() {
      server ??= await open(port);
    },
    stop: close,
  };
}
