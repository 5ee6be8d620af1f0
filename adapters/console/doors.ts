// The addresses that the console listens at: the box itself, and that of site.yaml once there are users.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdapterContext } from '../../gateway/ports/station.js';
import { Door } from './door.js';
import { isLoopbackAddress } from './guard.js';

interface At {
  readonly host: string;
  readonly port: number;
}

const ALL_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export class Doors {
  readonly #door: (at: At) => Door;
  /** Beyond the box; undefined: nowhere. */
  readonly #beyond: At | undefined;
  readonly #inner: Door;
  #outer: Door | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(
    { host, port }: At,
    handle: (request: IncomingMessage, response: ServerResponse) => void,
    context: AdapterContext,
  ) {
    this.#door = (at) => new Door(at, handle, context);
    const local = host === 'localhost' || isLoopbackAddress(host);
    this.#beyond = local ? undefined : { host, port };
    this.#inner = this.#door({ host: local ? host : '127.0.0.1', port });
  }

  /** Of the box itself, while it is open. */
  get port(): number | undefined {
    return this.#inner.port ?? this.#outer?.port;
  }

  /** Resolves when it listens, or could not for the first time. Never throws. */
  async open(toTheNetwork: boolean): Promise<void> {
    if (!toTheNetwork || this.#beyond === undefined || !ALL_ADDRESSES.has(this.#beyond.host)) await this.#inner.open();
    this.widen(toTheNetwork);
    await this.#work;
  }

  /** Opens the address beyond the box; one that stands for all takes the place of the box's own. */
  widen(toTheNetwork: boolean): void {
    const at = this.#beyond;
    if (!toTheNetwork || at === undefined || this.#outer !== undefined) return;
    const outer = (this.#outer = this.#door(at));
    this.#work = (async () => {
      if (ALL_ADDRESSES.has(at.host)) this.#inner.shut();
      await outer.open();
    })();
  }

  async close(): Promise<void> {
    await this.#work;
    await Promise.all([this.#inner.close(), this.#outer?.close()]);
  }
}
