// A frame of a wire as people may see it: without tokens and passwords, whatever else it holds.
import { maskToken } from '../kernel/log.js';

/** Fields of OCPP 1.6 and 2.0.1 that name a driver, or hold what proves somebody; of 2.0.1 tokens what is inside is masked. */
const SECRET: ReadonlySet<string> = new Set([
  'idtag',
  'idtoken',
  'parentidtag',
  'groupidtoken',
  'parentid',
  'emaid',
  'password',
  'authorizationkey',
  'basicauthpassword',
  'signedmeterdata',
  'certificatehashdata',
  'iso15118certificatehashdata',
]);
/** Variables and keys whose value is a secret (1.6 ChangeConfiguration, 2.0.1 SetVariables and NotifyReport). */
const SECRET_VARIABLE = /^(AuthorizationKey|BasicAuthPassword)$/i;
const VALUES: ReadonlySet<string> = new Set(['value', 'attributevalue', 'variableattribute']);
/** Who signs in at the address of a file or a log, with his password (1.6 GetDiagnostics, 2.0.1 GetLog). */
const USER_OF_ADDRESS = /:\/\/[^\s/?#]*@/g;
/** Deeper than any message of OCPP. */
const DEEPEST = 20;

export function maskedFrame(text: string): string {
  try {
    return JSON.stringify(masked(JSON.parse(text), 0));
  } catch {
    // What is no JSON may hold anything.
    return `(${text.length} characters that are no JSON)`;
  }
}

function masked(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) return '***';
  if (Array.isArray(value)) return value.map((each) => masked(each, depth + 1));
  if (typeof value === 'string') return nested(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  const secretValue = namesSecret(value) || ('format' in value && value.format === 'SignedData');
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const name = key.toLowerCase();
      if (SECRET.has(name)) return [key, hidden(each, depth)];
      return [key, secretValue && VALUES.has(name) ? hidden(each, depth) : masked(each, depth + 1)];
    }),
  );
}

/** `{key: "AuthorizationKey", value}` or `{variable: {name: "BasicAuthPassword"}, attributeValue}`. */
function namesSecret(of: object): boolean {
  const { key, variable } = of as { readonly key?: unknown; readonly variable?: unknown };
  const name = typeof variable === 'object' && variable !== null && 'name' in variable ? variable.name : key;
  return typeof name === 'string' && SECRET_VARIABLE.test(name);
}

/** A 2.0.1 token keeps its type, all else is masked. */
function hidden(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskToken(value);
  if (typeof value !== 'object' || value === null) return value === null ? null : '***';
  if (Array.isArray(value)) return value.map((each) => hidden(each, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === 'type' ? each : hidden(each, depth + 1)]),
  );
}

/** DataTransfer carries JSON inside a text. */
function nested(text: string, depth: number): string {
  if (!/^\s*[[{]/.test(text)) return withoutUser(text);
  try {
    return JSON.stringify(masked(JSON.parse(text), depth + 1));
  } catch {
    return withoutUser(text);
  }
}

const withoutUser = (text: string): string => text.replace(USER_OF_ADDRESS, '://***@');
