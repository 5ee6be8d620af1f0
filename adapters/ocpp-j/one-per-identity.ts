// One connection an identity: who yields when a second one comes (a half-open socket, a copied configuration, an impostor).
import type { Milliseconds } from '../../gateway/kernel/units.js';
import type { Connection } from './connection.js';

export class OnePerIdentity {
  readonly #connections = new Map<string, Connection>();
  readonly #probing = new Set<string>();

  get(identity: string): Connection | undefined {
    return this.#connections.get(identity);
  }

  all(): Iterable<Connection> {
    return this.#connections.values();
  }

  /**
   * Whether a newcomer may have the identity. One that proved it may, always; one that did not only when the connection that
   * has it leaves a ping unanswered. While that is found out, further newcomers are turned away.
   * @returns also the connection that was judged: another one in its place since then was not
   */
  async mayTake(
    identity: string,
    proven: boolean,
    probeTimeout: Milliseconds,
  ): Promise<{ readonly allowed: boolean; readonly older: Connection | undefined }> {
    const older = this.#connections.get(identity);
    if (proven || older === undefined) return { allowed: true, older };
    if (this.#probing.has(identity)) return { allowed: false, older };
    this.#probing.add(identity);
    const alive = await older.probe(probeTimeout);
    this.#probing.delete(identity);
    return { allowed: !alive, older };
  }

  /** Puts a connection in place and closes the older one; its CALLs end as sent, so nobody takes them for undone. */
  take(identity: string, connection: Connection): 'first' | 'replaced' {
    const older = this.#connections.get(identity);
    this.#connections.set(identity, connection);
    if (older === undefined) return 'first';
    older.close(1008, 'replaced by a newer connection');
    return 'replaced';
  }

  /** Forgets a connection that has ended, unless a newer one is already in its place. */
  ended(identity: string, connection: Connection): void {
    if (this.#connections.get(identity) === connection) this.#connections.delete(identity);
  }
}
