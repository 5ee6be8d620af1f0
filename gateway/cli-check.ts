// `forecourt check site.yaml`: every finding as compilers print it, with its line and a caret under the place.
import type { Finding } from '../site-config/finding.js';
import type { DeviceShelf } from '../site-config/devices/shelf.js';
import { loadSite } from '../site-config/loader.js';

export interface CheckIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The text of a file; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The device profiles for the site of this file. */
  readonly devices: (siteFile: string) => DeviceShelf;
}

const USAGE = `usage: forecourt check [--strict] <site.yaml>

  --strict   warnings count as errors
  exit code  0 the site is good, 1 it has faults, 2 it could not be checked
`;

/** @returns the exit code: 0 good, 1 faults, 2 not checked */
export function runCheck(args: readonly string[], io: CheckIo): Promise<number> {
  return Promise.resolve(check(args, io));
}

function check(args: readonly string[], io: CheckIo): number {
  const strict = args.includes('--strict');
  const [path, ...more] = args.filter((argument) => argument !== '--strict');
  if (path === undefined || more.length > 0 || path.startsWith('-')) {
    io.err(USAGE);
    return path === '--help' || path === '-h' ? 0 : 2;
  }
  let source: string;
  try {
    source = io.readFile(path);
  } catch (error) {
    io.err(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const result = loadSite(path, {
    devices: io.devices(path),
    env: io.env,
    readFile: (file) => (file === path ? source : io.readFile(file)),
  });
  const findings = result.ok ? result.value.warnings : result.error;
  const lines = source.split(/\r?\n/);
  for (const finding of findings)
    io.out(`${renderFinding(finding, finding.file === path ? lines[finding.line - 1] : undefined)}\n`);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  io.out(`${summary(path, errors, warnings)}\n`);
  return errors > 0 || (strict && warnings > 0) ? 1 : 0;
}

const counted = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

const summary = (path: string, errors: number, warnings: number): string =>
  errors + warnings === 0
    ? `${path}: no faults`
    : `${path}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;

/** One finding: place, what is wrong, the line with a caret, and what to write instead. Secrets in the line are hidden. */
export function renderFinding(finding: Finding, line: string | undefined): string {
  const { file, line: at, column, severity, code, message, suggestion } = finding;
  const rows = [`${file}:${at}:${column}: ${severity}: ${message} [${code}]`];
  if (line !== undefined && line.trim() !== '') {
    const number = String(at).padStart(5);
    rows.push(`${number} | ${withoutSecrets(line)}`, `      | ${line.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`);
  }
  if (suggestion !== undefined) rows.push(`        ${suggestion}`);
  return `${rows.join('\n')}\n`;
}

/** A password that stands in the line itself is not for a log; its length stays, so that the caret does. */
const withoutSecrets = (line: string): string =>
  line.replace(
    /(\bpassword\s*:\s*)([^\s{#][^,}#]*)/g,
    (_, key: string, secret: string) => key + '*'.repeat(secret.length),
  );
