// A CSMS that takes the connection and then says nothing at all: no answer, no pong, no farewell.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';

export class MuteCsms {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    version: string,
  ) {
    this.#server = createServer();
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    });
    this.#server.on('upgrade', (request, socket) => {
      const key = `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${version}\r\n\r\n`,
      );
      socket.resume();
    });
  }

  static async listen(port: number, version: string): Promise<MuteCsms> {
    const csms = new MuteCsms(port, version);
    await new Promise<void>((resolve) => csms.#server.listen(port, '127.0.0.1', resolve));
    return csms;
  }

  /** Connections that it has taken. */
  get taken(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
