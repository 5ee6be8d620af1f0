// Accepts chargers: checks identity, credentials and subprotocol, keeps one connection an identity.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../../gateway/kernel/clock.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import { milliseconds, type Milliseconds } from '../../gateway/kernel/units.js';
import { AttemptLimit, type AttemptLimits } from './attempt-limit.js';
import { Connection, type ConnectionOptions, type Trace } from './connection.js';
import type { CallHandler, OcppVersion } from './contract.js';
import { credentialsFrom, type Credentials } from './credentials.js';
import { defaultFrameLimits, type FrameLimits } from './frame.js';
import { OnePerIdentity } from './one-per-identity.js';
import { QuirkTally } from './quirk-tally.js';
import { chooseSubprotocol } from './subprotocol.js';
import { refuseUpgrade, requestedIdentity } from './upgrade.js';
import { loadValidators, type Validators } from './validation.js';

export interface AdmissionRequest {
  readonly identity: string;
  /** To be compared with credentialsMatch. */
  readonly credentials: Credentials | undefined;
  readonly remoteAddress: string;
}

export type Admission<Station> =
  | {
      readonly ok: true;
      readonly station: Station;
      /** A password or certificate was checked: a second connection then replaces the first one without asking it. */
      readonly proven: boolean;
      /** The version to speak when the charger offers no subprotocol that we know. */
      readonly assumeProtocol?: OcppVersion;
      /** False: no repair of this station's frames. */
      readonly repair?: boolean;
    }
  /** 404: no such station; 401: wrong credentials; 429: not now. */
  | { readonly ok: false; readonly status: 401 | 404 | 429 };

export interface Accepted<Station> {
  readonly identity: string;
  readonly station: Station;
  readonly version: OcppVersion;
  readonly remoteAddress: string;
  readonly connection: Connection;
}

/** What the owner gives a connection at the moment it opens. */
export interface ConnectionOwner {
  readonly handler: CallHandler;
  closed(code: number, reason: string): void;
}

export type ServerSecurityEvent =
  | { readonly type: 'connectionReplaced'; readonly identity: string; readonly remoteAddress: string }
  | { readonly type: 'duplicateRefused'; readonly identity: string; readonly remoteAddress: string }
  | {
      readonly type: 'attemptFailed';
      readonly identity: string;
      readonly remoteAddress: string;
      readonly status: number;
    }
  /** Once for each address and window, not for each attempt. */
  | { readonly type: 'attemptsLimited'; readonly identity: string; readonly remoteAddress: string };

export interface OcppServerOptions<Station> {
  readonly clock: Clock;
  readonly log: Log;
  readonly admit: (request: AdmissionRequest) => Admission<Station> | Promise<Admission<Station>>;
  /** Called for each open connection before any of its frames; `closed` of an older one of the same identity came before. */
  readonly accepted: (accepted: Accepted<Station>) => ConnectionOwner;
  readonly securityEvent?: (event: ServerSecurityEvent) => void;
  /** Certificate and key in PEM: listens with TLS. */
  readonly tls?: SecureContextOptions & TlsOptions;
  readonly limits?: FrameLimits;
  readonly attempts?: AttemptLimits;
  /** Default 30 s; 0 never pings. */
  readonly pingInterval?: Milliseconds;
  /** How long an unproven identity's older connection has to answer a ping before it yields; default 5 s. */
  readonly probeTimeout?: Milliseconds;
  readonly trace?: (identity: string) => Trace | undefined;
}

export class OcppServer<Station> {
  readonly #options: OcppServerOptions<Station>;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #attempts: AttemptLimit;
  readonly #connections = new OnePerIdentity();
  readonly #quirks = new Map<string, QuirkTally>();
  readonly #validators = new Map<OcppVersion, Promise<Validators>>();
  #closing = false;

  constructor(options: OcppServerOptions<Station>) {
    this.#options = options;
    this.#attempts = new AttemptLimit(options.clock, options.attempts);
    this.#http = options.tls === undefined ? createHttpServer() : createHttpsServer(options.tls);
    this.#http.headersTimeout = 10_000;
    this.#http.on('request', answerPlainHttp);
    this.#http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', () => stream.destroy());
      this.#upgrade(request, stream, head).catch((err: unknown) => {
        options.log.error({ err }, 'connection attempt could not be handled');
        refuseUpgrade(stream, 500);
      });
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: (options.limits ?? defaultFrameLimits).length,
    });
  }

  /** @param port 0: any free one */
  listen(port: number, host?: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, host, () => {
        this.#http.off('error', reject);
        this.#http.on('error', (err) => this.#options.log.error({ err }, 'listening for chargers failed'));
        resolve(this.address());
      });
    });
  }

  /** @throws when it does not listen */
  address(): AddressInfo {
    const address = this.#http.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address;
  }

  connection(identity: string): Connection | undefined {
    return this.#connections.get(identity);
  }

  /** How often each repair was needed since the start, by station identity. */
  get quirks(): ReadonlyMap<string, QuirkTally> {
    return this.#quirks;
  }

  /** Stops listening and closes every connection (1001); resolves when all of them are gone. */
  close(): Promise<void> {
    this.#closing = true;
    for (const connection of this.#connections.all()) connection.close(1001, 'going away');
    return new Promise((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeIdleConnections();
    });
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const { admit, log } = this.#options;
    const identity = requestedIdentity(request.url);
    const remoteAddress = request.socket.remoteAddress ?? '';
    if (identity === undefined || this.#closing) return refuseUpgrade(stream, this.#closing ? 503 : 404);

    const credentials = credentialsFrom(request.headers.authorization);
    const admission = await admit({ identity, credentials, remoteAddress });
    if (!admission.ok) return this.#refuse(stream, identity, remoteAddress, admission.status);

    const offers = request.headers['sec-websocket-protocol']?.split(',') ?? [];
    const chosen = chooseSubprotocol(offers);
    // The handshake sees the one entry that counts: a list with faults would end it with 400.
    if (chosen === undefined) delete request.headers['sec-websocket-protocol'];
    else request.headers['sec-websocket-protocol'] = chosen.offered;
    const version = chosen?.version ?? admission.assumeProtocol;
    if (version === undefined) {
      log.warn({ station: identity, offers: offers.length }, 'charger offers no version of OCPP that we speak');
      return this.#handshake(request, stream, head, (socket) => socket.close(1002, 'no common subprotocol'));
    }
    const validators = await this.#validatorsOf(version);
    const probeTimeout = this.#options.probeTimeout ?? milliseconds(5000);
    const { allowed, older } = await this.#connections.mayTake(identity, admission.proven, probeTimeout);
    const present = this.#connections.get(identity);
    if (!allowed || (!admission.proven && present !== undefined && present !== older)) {
      const fault = FAULTS.duplicateIdentity.code;
      log.warn({ station: identity, remoteAddress, fault }, 'a second connection of a connected charger refused');
      this.#options.securityEvent?.({ type: 'duplicateRefused', identity, remoteAddress });
      return refuseUpgrade(stream, 409);
    }
    if (this.#closing) return refuseUpgrade(stream, 503);

    const { station, repair } = admission;
    this.#handshake(request, stream, head, (socket) => {
      this.#opened({ identity, station, version, remoteAddress }, { socket, stream, validators, repair });
    });
  }

  /** Runs inside the handshake: the owner is there before the first frame can be. */
  #opened(
    charger: Omit<Accepted<Station>, 'connection'>,
    wire: Pick<ConnectionOptions, 'socket' | 'stream' | 'validators' | 'repair'>,
  ): void {
    const { identity, remoteAddress } = charger;
    const { clock, log, limits, pingInterval, trace, securityEvent, accepted } = this.#options;
    const quirks = this.#quirksOf(identity);
    let owner: ConnectionOwner | undefined;
    const connection: Connection = new Connection({
      clock,
      log,
      about: { station: identity },
      handler: (call) =>
        owner?.handler(call) ?? Promise.resolve({ kind: 'error', code: 'InternalError', description: 'not ready' }),
      closed: (code, reason) => {
        this.#connections.ended(identity, connection);
        owner?.closed(code, reason);
      },
      quirk: (name) => quirks.note(name),
      limits,
      pingInterval,
      trace: trace?.(identity),
      ...wire,
    });
    if (this.#connections.take(identity, connection) === 'replaced') {
      const fault = FAULTS.duplicateIdentity.code;
      log.warn({ station: identity, remoteAddress, fault }, 'a newer connection has taken the place of this one');
      securityEvent?.({ type: 'connectionReplaced', identity, remoteAddress });
    }
    owner = accepted({ ...charger, connection });
  }

  #refuse(stream: Duplex, identity: string, remoteAddress: string, status: number): void {
    // Right credentials always get in: a flood, or one misconfigured charger behind the same router, locks nobody out.
    const allowed = this.#attempts.allows(remoteAddress, identity);
    if (!allowed) return refuseUpgrade(stream, 429);
    this.#attempts.failed(remoteAddress, identity);
    this.#options.securityEvent?.({ type: 'attemptFailed', identity, remoteAddress, status });
    if (!this.#attempts.allows(remoteAddress, identity)) {
      this.#options.securityEvent?.({ type: 'attemptsLimited', identity, remoteAddress });
    }
    refuseUpgrade(stream, status);
  }

  #handshake(request: IncomingMessage, stream: Duplex, head: Buffer, opened: (socket: WebSocket) => void): void {
    if (stream.destroyed) return;
    this.#sockets.handleUpgrade(request, stream, head, opened);
  }

  #validatorsOf(version: OcppVersion): Promise<Validators> {
    let validators = this.#validators.get(version);
    if (validators === undefined) this.#validators.set(version, (validators = loadValidators(version)));
    return validators;
  }

  #quirksOf(identity: string): QuirkTally {
    let tally = this.#quirks.get(identity);
    if (tally === undefined) this.#quirks.set(identity, (tally = new QuirkTally()));
    return tally;
  }
}

function answerPlainHttp(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'Content-Type': 'text/plain', Connection: 'close', Upgrade: 'websocket' });
  response.end('Forecourt: chargers connect here with OCPP-J over WebSocket.\n');
}
