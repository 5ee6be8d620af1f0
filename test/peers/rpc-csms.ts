// A CSMS of another make on a real socket: strict about every frame, with a book, and scripted where a test wants it otherwise.
import type { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { RPCServer } from 'ocpp-rpc';
import type { Changes } from './changes.js';
import { CsmsBook } from './csms-book.js';
import { freePort } from './free-port.js';
import { answer, carryOut, Scripts, type Reaction } from './reactions.js';
import { WireRecord, type OcppVersion, type Payload, type ReceivedCall } from './wire-record.js';

/** What the package's `client` event gives; its own types leave most of it out. */
interface RpcClient extends EventEmitter {
  call(action: string, payload: Payload): Promise<unknown>;
  close(options: { readonly force?: boolean }): Promise<unknown>;
  handle(
    handler: (call: { readonly method: string; readonly params: Payload }) => Promise<Record<string, unknown>>,
  ): void;
}

export interface CsmsOptions {
  readonly name: string;
  readonly version: OcppVersion;
  readonly changes: Changes;
  /** A free one unless given. */
  readonly port?: number;
  /** Of the transactions that a 1.6 CSMS numbers. */
  readonly firstTransactionId?: number;
  /** Seconds, in the answer to BootNotification. */
  readonly heartbeatInterval?: number;
}

/** How the answer to a command ended. */
export type CommandResult =
  | { readonly kind: 'result'; readonly payload: Payload }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export class RpcCsms {
  readonly record: WireRecord;
  readonly book: CsmsBook;
  /** Reactions to the gateway's CALLs that differ from taking everything. */
  readonly scripts: Scripts;
  /** Status of each token in Authorize and at the start; Accepted unless said otherwise. */
  readonly tokens = new Map<string, string>();
  /** The group of a token. */
  readonly groups = new Map<string, string>();
  readonly #options: CsmsOptions;
  #server: RPCServer | undefined;
  #http: Server | undefined;
  #client: RpcClient | undefined;

  private constructor(
    options: CsmsOptions,
    readonly port: number,
  ) {
    this.#options = options;
    this.record = new WireRecord(options.name, options.changes);
    this.book = new CsmsBook(options.version, options.firstTransactionId ?? 500);
    this.scripts = new Scripts((payload, action) => this.#usual(action, payload));
  }

  static async listen(options: CsmsOptions): Promise<RpcCsms> {
    const csms = new RpcCsms(options, options.port ?? (await freePort()));
    await csms.start();
    return csms;
  }

  get version(): OcppVersion {
    return this.#options.version;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ocpp`;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  get calls(): readonly ReceivedCall[] {
    return this.record.calls;
  }

  /** BootNotifications so far. */
  get boots(): number {
    return this.record.of('BootNotification').length;
  }

  /** Listens (again) on the same port. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = new RPCServer({
      protocols: [this.version],
      strictMode: true,
      pingIntervalMs: 0,
      callTimeoutMs: 15_000,
    });
    server.auth((accept) => accept());
    server.on('client', (client: RpcClient) => this.#accept(client));
    this.#http = await server.listen(this.port, '127.0.0.1');
    this.#server = server;
  }

  /** The uplink is cut: sockets die without a word, and nobody listens any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    const http = this.#http;
    if (server === undefined || http === undefined) return;
    this.#server = undefined;
    this.#http = undefined;
    const closed = new Promise<void>((resolve) => http.once('close', () => resolve()));
    await server.close({ force: true });
    await closed;
    this.#options.changes.happened();
  }

  /** Resolves when every call heard so far has been answered: what is sent now, the gateway reads after it. */
  async answered(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when the gateway has read every answer that was given to it so far. */
  async settle(): Promise<void> {
    await this.answered();
    await this.ask('GetLocalListVersion');
  }

  /** Cuts the socket and goes on listening. */
  async dropSocket(): Promise<void> {
    await this.#client?.close({ force: true });
  }

  /** @throws Error when the gateway is not connected or does not answer in time */
  async command(action: string, payload: Payload = {}): Promise<CommandResult> {
    if (this.#client === undefined) throw new Error(`${this.#options.name}: the gateway is not connected`);
    try {
      return { kind: 'result', payload: (await this.#client.call(action, payload)) as Payload };
    } catch (err) {
      const { rpcErrorCode, message } = err as { rpcErrorCode?: string; message: string };
      if (rpcErrorCode === undefined) throw new Error(`${action}: ${message}`, { cause: err });
      return { kind: 'error', code: rpcErrorCode, message };
    }
  }

  /** The payload of the answer. @throws Error when it is a CALLERROR */
  async ask(action: string, payload: Payload = {}): Promise<Payload> {
    const result = await this.command(action, payload);
    if (result.kind === 'error') throw new Error(`${action} was answered with ${result.code}: ${result.message}`);
    return result.payload;
  }

  #accept(client: RpcClient): void {
    this.#client = client;
    this.record.listen(client);
    client.on('close', () => {
      if (this.#client === client) this.#client = undefined;
      this.#options.changes.happened();
    });
    client.handle(async ({ method, params }) => {
      const reaction = await this.scripts.react(method, params);
      return carryOut(reaction, () => void client.close({ force: true }));
    });
    this.#options.changes.happened();
  }

  /** What this CSMS does with a CALL when nothing else is scripted; usable from a script that wants the usual, later. */
  usual(action: string, payload: Payload): Reaction {
    return this.#usual(action, payload);
  }

  #usual(action: string, payload: Payload): Reaction {
    const transactionId = this.book.take(action, payload);
    this.#options.changes.happened();
    const currentTime = new Date().toISOString();
    switch (action) {
      case 'BootNotification':
        return answer({ currentTime, interval: this.#options.heartbeatInterval ?? 300, status: 'Accepted' });
      case 'Heartbeat':
        return answer({ currentTime });
      case 'DataTransfer':
        return answer({ status: 'Accepted' });
      case 'SignCertificate':
        return answer({ status: 'Rejected' });
      case 'Authorize':
        return answer(this.#tokenInfo(payload));
      case 'StartTransaction':
        return answer({ transactionId: transactionId ?? 0, ...this.#tokenInfo(payload) });
      case 'StopTransaction':
        return answer(payload['idTag'] === undefined ? {} : this.#tokenInfo(payload));
      case 'TransactionEvent':
        return answer(payload['idToken'] === undefined ? {} : this.#tokenInfo(payload));
      default:
        return answer({});
    }
  }

  #tokenInfo(payload: Payload): Payload {
    if (this.version === 'ocpp1.6') {
      const idTag = String(payload['idTag']);
      const parentIdTag = this.groups.get(idTag);
      return {
        idTagInfo: { status: this.tokens.get(idTag) ?? 'Accepted', ...(parentIdTag !== undefined && { parentIdTag }) },
      };
    }
    const { idToken } = payload['idToken'] as { idToken: string };
    const group = this.groups.get(idToken);
    return {
      idTokenInfo: {
        status: this.tokens.get(idToken) ?? 'Accepted',
        ...(group !== undefined && { groupIdToken: { idToken: group, type: 'Central' } }),
      },
    };
  }
}
