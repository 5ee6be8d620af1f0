// Checks payloads against the schemas of one OCPP version, with validators that were compiled at build time.
import type { OcppVersion, RpcErrorCode } from './contract.js';

/** One violation as the generated code reports it; only the first one of a payload is looked for. */
export interface SchemaError {
  /** JSON pointer to the offending value. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

export interface ValidateFunction {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Why a payload is not valid. */
export interface Violation {
  /** JSON pointer to the offending value; empty for the payload itself. */
  readonly path: string;
  readonly message: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export type MessageKind = 'request' | 'response';

export class Validators {
  readonly version: OcppVersion;
  readonly #of = new Map<string, { readonly request: ValidateFunction; readonly response: ValidateFunction }>();

  /** @param generated one function a schema, named <Action>Request or <Action>Response */
  constructor(version: OcppVersion, generated: ReadonlyMap<string, ValidateFunction>) {
    this.version = version;
    for (const [name, request] of generated) {
      const action = name.slice(0, -'Request'.length);
      const response = generated.get(`${action}Response`);
      if (name === `${action}Request` && response !== undefined) this.#of.set(action, { request, response });
    }
  }

  /** The actions that this version of OCPP has, security extension of 1.6 included. */
  get actions(): Iterable<string> {
    return this.#of.keys();
  }

  has(action: string): boolean {
    return this.#of.has(action);
  }

  /** @returns what is wrong first, or undefined when the payload is valid; an unknown action is a violation of keyword `action`. */
  validate(action: string, kind: MessageKind, payload: unknown): Violation | undefined {
    const pair = this.#of.get(action);
    if (pair === undefined) {
      return { path: '', keyword: 'action', message: `${this.version} has no action of this name`, params: {} };
    }
    const validator = pair[kind];
    if (validator(payload)) return undefined;
    const error = validator.errors?.[0];
    return error === undefined
      ? { path: '', keyword: 'unknown', message: 'not valid', params: {} }
      : {
          path: error.instancePath,
          keyword: error.keyword,
          message: error.message ?? error.keyword,
          params: error.params,
        };
  }
}

/** Loads the validators of one version (20-40 ms, 2-6 MB); the runtime keeps them for every later caller. */
export async function loadValidators(version: OcppVersion): Promise<Validators> {
  const generated: Readonly<Record<string, ValidateFunction>> =
    version === 'ocpp1.6' ? await import('./validators/ocpp16.js') : await import('./validators/ocpp201.js');
  return new Validators(version, new Map(Object.entries(generated)));
}

/**
 * The error that a violation is answered with (OCPP-J 1.6 section 4.2.3, 2.0.1 Part 4 section 4.3): counts are occurrence
 * constraints, values are property constraints, and what the schema has no place for is a format violation.
 */
export function errorCodeOf(violation: Violation): RpcErrorCode {
  switch (violation.keyword) {
    case 'type':
      return violation.path === '' ? 'FormatViolation' : 'TypeConstraintViolation';
    case 'required':
    case 'minItems':
    case 'maxItems':
      return 'OccurrenceConstraintViolation';
    case 'additionalProperties':
      return 'FormatViolation';
    case 'action':
      return 'NotImplemented';
    default:
      return 'PropertyConstraintViolation';
  }
}

/** One line for logs and error descriptions; names no value, so that no token can leak through it. */
export const describeViolation = (violation: Violation): string =>
  `${violation.path === '' ? 'payload' : violation.path} ${violation.message}`;
