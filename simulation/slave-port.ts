// The TCP port of a simulated slave: connections, and what of a request has come so far on each.
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SlavePort {
  readonly port: number;
  /** Connections accepted since the start. */
  readonly connections: number;
  /** Bytes to everybody who is connected. */
  say(bytes: Buffer): void;
  /** Closes every connection, the port stays open. */
  disconnect(): void;
  stop(): Promise<void>;
}

export interface SlavePortOptions {
  /** Absent: any free port. */
  readonly port?: number;
  /** Absent: 127.0.0.1. */
  readonly host?: string;
}

/** Serves the whole requests that the bytes begin with. @returns the bytes that are none yet */
export type TakeRequests = (received: Buffer, socket: Socket, say: SlavePort['say']) => Buffer;

export async function openSlavePort({ port, host }: SlavePortOptions, take: TakeRequests): Promise<SlavePort> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const say = (bytes: Buffer): void => {
    for (const socket of sockets) if (!socket.destroyed) socket.write(bytes);
  };
  const disconnect = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // A master that goes away without closing is no concern of a slave.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = take(Buffer.concat([received, chunk]), socket, say);
    });
  });
  server.listen(port ?? 0, host ?? '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    get connections() {
      return connections;
    },
    say,
    disconnect,
    async stop() {
      disconnect();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
