// Asks the console of a running gateway on this box, for the commands of the command line.
import { request, type IncomingMessage } from 'node:http';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';

export type Refusal =
  /** Nobody listens at the address. */
  | { readonly kind: 'nobody' }
  /** Somebody answered, and not with what was asked for. */
  | { readonly kind: 'refused'; readonly message: string };

/** Milliseconds without an answer, or between two pieces of one. */
const PATIENCE = 10_000;
/** Bytes: more than the dead letters of any site. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

const NOT_KNOWN =
  'the console has users, and this command could not prove that it runs on the box: run it as root, or as the user of the gateway';

export class ConsoleClient {
  /** @param token what this box proves itself with, where there are users */
  constructor(
    readonly address: { readonly host: string; readonly port: number },
    readonly token?: string,
  ) {}

  /** What the gateway of `site` answers. The other program on the port, or another site's gateway, is not believed. */
  async ask(
    site: string,
    path: string,
    command?: object,
    method?: string,
  ): Promise<Result<Readonly<Record<string, unknown>>, Refusal>> {
    const response = await this.#response(path, command, method);
    if (!response.ok) return response;
    const whole = await this.#text(response.value);
    if (!whole.ok) return whole;
    const body = parsed(whole.value);
    const { statusCode = 0 } = response.value;
    if (body === undefined) return failed(this.#stranger());
    // The status of a gateway in trouble is an answer all the same.
    if (statusCode === 401) return failed({ kind: 'refused', message: NOT_KNOWN });
    if ((statusCode < 200 || statusCode >= 300) && statusCode !== 503) return failed(refused(body));
    if (body['site'] === site) return ok(body);
    if (typeof body['site'] !== 'string') return failed(this.#stranger());
    return failed({
      kind: 'refused',
      message: `at ${this.#where()} answers the gateway of another site, ${body['site']}: give each its own console address`,
    });
  }

  /** The lines of an export or a trace, as they come. @param patience in ms without one */
  async lines(path: string, patience = PATIENCE): Promise<Result<AsyncIterable<Buffer>, Refusal>> {
    const response = await this.#response(path, undefined, undefined, patience);
    if (!response.ok) return response;
    const { statusCode, headers } = response.value;
    if (statusCode === 200 && /^(application\/x-ndjson|text\/event-stream)/.test(headers['content-type'] ?? ''))
      return ok(response.value as AsyncIterable<Buffer>);
    const whole = await this.#text(response.value);
    if (!whole.ok) return whole;
    const body = parsed(whole.value);
    if (statusCode === 401) return failed({ kind: 'refused', message: NOT_KNOWN });
    return failed(body === undefined ? this.#stranger() : refused(body));
  }

  #response(
    path: string,
    command?: object,
    method?: string,
    patience = PATIENCE,
  ): Promise<Result<IncomingMessage, Refusal>> {
    const body = command === undefined ? undefined : JSON.stringify(command);
    return new Promise((resolve) => {
      const asked = request({
        ...this.address,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        timeout: patience,
        agent: false,
        headers: {
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
          ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      asked.once('response', (response) => resolve(ok(response)));
      asked.once('timeout', () => asked.destroy(new Error(`no answer within ${patience / 1000} s`)));
      asked.on('error', (err: Error & { readonly code?: string }) => {
        if (err.code === 'ECONNREFUSED') resolve(failed({ kind: 'nobody' }));
        else resolve(failed({ kind: 'refused', message: `${this.#where()}: ${err.message}` }));
      });
      asked.end(body);
    });
  }

  async #text(response: IncomingMessage): Promise<Result<string, Refusal>> {
    try {
      return ok(await text(response));
    } catch (err) {
      const words = err instanceof Error ? err.message : String(err);
      return failed({ kind: 'refused', message: `the answer of ${this.#where()} broke off: ${words}` });
    }
  }

  #where(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  #stranger(): Refusal {
    return {
      kind: 'refused',
      message: `what listens at ${this.#where()} is no gateway: look which program has the port`,
    };
  }
}

function refused({ error, action }: Readonly<Record<string, unknown>>): Refusal {
  const words = [error, action].filter((word) => typeof word === 'string');
  return { kind: 'refused', message: words.length === 0 ? 'the gateway refused without a reason' : words.join('; ') };
}

/** @throws Error when the answer breaks off or is too large */
async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
