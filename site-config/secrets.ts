// Passwords and certificates that site.yaml names: read from their files or the environment, never shown.
import { isAbsolute, join } from 'node:path';
import { errorAtValue, warningAtValue, type Fault } from './fault.js';
import { inWords, type Path } from './place.js';
import { isSection, text, type Section } from './written.js';

export interface SecretSource {
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start: the folder of site.yaml. */
  readonly folder: string;
}

export interface Secrets {
  /** By pointer-like path, parts joined with a line feed, which no key contains. */
  readonly values: ReadonlyMap<string, string>;
  readonly faults: readonly Fault[];
}

export const secretKey = (path: Path): string => path.join('\n');

/** Below this a password of OCPP is guessed (2.0.1 asks for 16 at least). */
const SHORTEST_PASSWORD = 16;

/** Every place of a site where a secret or a PEM file may stand. */
function secretPaths(site: Section): { readonly passwords: readonly Path[]; readonly files: readonly Path[] } {
  const under = (key: string, ...rest: readonly string[]): readonly Path[] =>
    isSection(site[key]) ? Object.keys(site[key]).map((name) => [key, name, ...rest]) : [];
  return {
    passwords: [
      ...under('stations', 'password'),
      ...under('csms', 'password'),
      ['telemetry', 'broker', 'password'],
      ['telemetry', 'local-broker', 'password'],
    ],
    files: [...under('csms', 'certificate-authority'), ['listen', 'tls', 'certificate'], ['listen', 'tls', 'key']],
  };
}

export function readSecrets(site: Section, source: SecretSource): Secrets {
  const values = new Map<string, string>();
  const faults: Fault[] = [];
  const { passwords, files } = secretPaths(site);
  const take = (path: Path, whole: boolean): void => {
    const written = path.reduce<unknown>(
      (at, key) => (isSection(at) && Object.hasOwn(at, key) ? at[String(key)] : undefined),
      site,
    );
    if (written === undefined || written === null) return;
    const what = inWords(path, site);
    const found = readOne(written, path, what, source);
    if (found === undefined) return;
    if (typeof found !== 'string') {
      faults.push(found);
      return;
    }
    values.set(secretKey(path), whole ? found : firstLine(found));
    if (typeof written === 'string')
      faults.push(
        warningAtValue(
          'secret-in-the-open',
          path,
          `${what} stands in the file itself`,
          'put it in a file that only the gateway reads: { file: secrets/<name> }',
        ),
      );
    // A broker has rules of its own; a charger's or a cloud's password guards money.
    if (!whole && path[0] !== 'telemetry' && firstLine(found).length < SHORTEST_PASSWORD) {
      faults.push(
        warningAtValue(
          'weak-password',
          path,
          `${what} has fewer than ${SHORTEST_PASSWORD} characters`,
          'let a password generator write 16 to 40 characters',
        ),
      );
    }
  };
  for (const path of passwords) take(path, false);
  for (const path of files) take(path, true);
  return { values, faults };
}

function readOne(written: unknown, path: Path, what: string, source: SecretSource): string | Fault | undefined {
  if (typeof written === 'string') return written;
  if (!isSection(written)) return undefined;
  const variable = text(written, 'env');
  if (variable !== undefined) {
    const value = source.env[variable];
    if (value !== undefined && value !== '') return value;
    return errorAtValue(
      'secret-missing',
      [...path, 'env'],
      `${what}: the environment has no ${variable}`,
      `set ${variable} for the service, or write { file: ... }`,
    );
  }
  const file = text(written, 'file');
  if (file === undefined) return undefined;
  const at = isAbsolute(file) ? file : join(source.folder, file);
  let content: string;
  try {
    content = source.readFile(at);
  } catch {
    return errorAtValue(
      'secret-missing',
      [...path, 'file'],
      `${what}: the file ${file} cannot be read`,
      `put the secret in ${at}, readable for the gateway`,
    );
  }
  if (firstLine(content) !== '') return content;
  return errorAtValue(
    'secret-missing',
    [...path, 'file'],
    `${what}: the file ${file} is empty`,
    `put the secret in the first line of ${at}`,
  );
}

const firstLine = (content: string): string => content.split(/\r?\n/, 1)[0]?.trim() ?? '';
