// A charger of another make on a real socket: strict about every frame, with a meter, and scripted where a test wants it otherwise.
import { RPCClient } from 'ocpp-rpc';
import type { Changes } from './changes.js';
import type { ChargerDialect } from './charger-dialect.js';
import { Ocpp16Charger } from './charger-ocpp16.js';
import { Ocpp201Charger } from './charger-ocpp201.js';
import { carryOut, Scripts } from './reactions.js';
import { WireRecord, type OcppVersion, type Payload, type ReceivedCall } from './wire-record.js';

export interface ChargerOptions {
  readonly identity: string;
  readonly version: OcppVersion;
  /** Of the gateway. */
  readonly port: number;
  readonly changes: Changes;
  /** Security profile 1: text, or the bytes of a hexadecimal key. */
  readonly password?: string | Buffer;
  /** Offered instead of the version alone. */
  readonly protocols?: readonly string[];
  /** Wh that the meter has counted before the test. */
  readonly register?: number;
  /** Refuses to know smart charging at all. */
  readonly smartCharging?: boolean;
  /** Can go on with one phase, and be told which. */
  readonly phaseSwitching?: boolean;
  /** A start asked for from afar happens by itself as soon as it is accepted (a car is plugged in); true unless said. */
  readonly obeysRemoteStart?: boolean;
}

export class RpcCharger {
  readonly record: WireRecord;
  readonly scripts: Scripts;
  readonly #options: ChargerOptions;
  readonly #dialect: ChargerDialect;
  #client: RPCClient | undefined;

  constructor(options: ChargerOptions) {
    this.#options = options;
    this.record = new WireRecord(options.identity, options.changes);
    const wiring = {
      call: (action: string, payload: Payload) => this.call(action, payload),
      register: options.register ?? 1000,
      smartCharging: options.smartCharging ?? true,
      phaseSwitching: options.phaseSwitching ?? false,
      obeysRemoteStart: options.obeysRemoteStart ?? true,
      changes: options.changes,
    };
    this.#dialect = options.version === 'ocpp1.6' ? new Ocpp16Charger(wiring) : new Ocpp201Charger(wiring);
    this.scripts = new Scripts((payload, action) => this.#dialect.react(action, payload));
  }

  get identity(): string {
    return this.#options.identity;
  }

  get version(): OcppVersion {
    return this.#options.version;
  }

  /** CALLs of the gateway. */
  get received(): readonly ReceivedCall[] {
    return this.record.calls;
  }

  /** What the charger does and is, in words that do not depend on its version. */
  get act(): ChargerDialect {
    return this.#dialect;
  }

  get connected(): boolean {
    return this.#client?.state === RPCClient.OPEN;
  }

  /** Opens the socket; BootNotification is a step of its own. @throws UnexpectedHttpResponse when refused */
  async connect(): Promise<void> {
    const options = {
      endpoint: `ws://127.0.0.1:${this.#options.port}/ocpp`,
      identity: this.identity,
      protocols: [...(this.#options.protocols ?? [this.version])],
      strictMode: true,
      reconnect: false,
      pingIntervalMs: 0,
      callTimeoutMs: 20_000,
      password: this.#options.password,
    };
    // The package's types ask for every option, although each has a default.
    const client = new RPCClient(options as unknown as ConstructorParameters<typeof RPCClient>[0]);
    this.record.listen(client);
    const react = async ({ method = '', params = {} }: { method?: string; params?: Record<string, unknown> }) => {
      const reaction = await this.scripts.react(method, params);
      return carryOut(reaction, () => void client.close({ force: true }));
    };
    // The package's types allow a name or a handler's own argument only.
    (client as unknown as { handle(handler: typeof react): void }).handle(react);
    await client.connect();
    this.#client = client;
  }

  /** Connects and boots. */
  async powerUp(): Promise<void> {
    await this.connect();
    await this.#dialect.boot();
  }

  async call(action: string, payload: Payload): Promise<Payload> {
    if (this.#client === undefined) throw new Error(`${this.identity} is not connected`);
    return (await this.#client.call(action, payload)) as Payload;
  }

  /** Sends a text as it is: what firmware makes of JSON now and then. */
  sendText(text: string): void {
    if (this.#client === undefined) throw new Error(`${this.identity} is not connected`);
    this.#client.sendRaw(text);
  }

  /** The other end of the socket notices nothing but the end of TCP. */
  async drop(): Promise<void> {
    await this.#client?.close({ force: true });
    this.#client = undefined;
  }

  async close(): Promise<void> {
    await this.#client?.close({});
    this.#client = undefined;
  }
}
