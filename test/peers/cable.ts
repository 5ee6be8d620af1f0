// A TCP cable between a gateway and its cloud that can be pulled, or go dead without a word.
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Connections so far. */
  connections = 0;
  #dead = false;

  private constructor(
    server: Server,
    readonly port: number,
  ) {
    this.#server = server;
  }

  /** @param target port on this machine */
  static async lay(target: number): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const cable = new Cable(server, address.port);
    server.on('connection', (near) => cable.#join(near, connect(target, '127.0.0.1')));
    return cable;
  }

  /** Nothing passes any more on what is connected now, and no end is told: what is called a half-open link. */
  goDead(): void {
    this.#dead = true;
    for (const pair of this.#pairs)
      for (const end of pair) {
        end.pause();
        end.removeAllListeners('data');
      }
  }

  /** New connections pass again; dead ones stay dead. */
  mend(): void {
    this.#dead = false;
  }

  async remove(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const pair of this.#pairs) for (const end of pair) end.destroy();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    this.connections++;
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('error', () => undefined);
      from.on('data', (data) => to.write(data));
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
    if (this.#dead) this.goDead();
  }
}
