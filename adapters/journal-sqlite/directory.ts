// The data directory before it is used: what cannot work is said in words that tell what to do.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { JournalUnavailable } from '../../gateway/ports/journal.js';

export interface Mounts {
  /** Mount points that /etc/fstab knows, and those that are mounted. */
  readonly intended: readonly string[];
  readonly present: readonly string[];
}

/**
 * Makes sure that the directory of the journal's file is there and both are ours. Only its last part is created: a missing parent is a missing disk.
 * @throws JournalUnavailable with the fault FC-J09
 */
export function prepareDirectory(file: string, mounts: Mounts = readMounts()): void {
  const path = resolve(dirname(file));
  const missing = mounts.intended.find((point) => isBelow(path, point) && !mounts.present.includes(point));
  if (missing !== undefined)
    throw unusable(
      `the data directory ${path} belongs on ${missing}, which /etc/fstab knows but which is not mounted; mount it first`,
    );
  if (!existsSync(path)) create(path);
  if (!statSync(path).isDirectory())
    throw unusable(`the data directory ${path} is a file; remove it or write another data-directory in site.yaml`);
  ours(path, constants.R_OK | constants.W_OK | constants.X_OK);
  if (existsSync(file)) ours(resolve(file), constants.R_OK | constants.W_OK);
}

function ours(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (cause) {
    // A disk that is read-only is told by the journal itself.
    if (codeOf(cause) === 'EROFS') return;
    const { uid } = statSync(path);
    const user = process.getuid?.() ?? '?';
    throw unusable(
      `${path} belongs to user ${uid}, and this process (user ${user}) may not write it; give the data directory to the user that runs the gateway: chown -R`,
      cause,
    );
  }
}

function create(path: string): void {
  try {
    mkdirSync(path);
  } catch (cause) {
    const parent = dirname(path);
    if (codeOf(cause) === 'ENOENT')
      throw unusable(
        `${parent}, where the data directory ${path} belongs, does not exist; is its disk mounted?`,
        cause,
      );
    if (codeOf(cause) === 'ENOTDIR')
      throw unusable(`the data directory ${path} cannot be made: ${parent} is not a folder`, cause);
    throw unusable(`the data directory ${path} cannot be made in ${parent}: ${wordsOf(cause)}`, cause);
  }
}

const isBelow = (path: string, point: string): boolean => path === point || path.startsWith(point + sep);

/** Linux only; elsewhere nothing is known. */
function readMounts(): Mounts {
  return {
    intended: points('/etc/fstab', 1).filter((point) => point.startsWith('/') && point !== '/'),
    present: points('/proc/self/mountinfo', 4),
  };
}

function points(file: string, column: number): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => line.trim().split(/\s+/)[column]?.replaceAll(/\\040/g, ' ') ?? []);
}

const unusable = (words: string, cause?: unknown): JournalUnavailable =>
  new JournalUnavailable(words, { cause, fault: FAULTS.dataDirectory.code });

const codeOf = (cause: unknown): unknown => (cause instanceof Error && 'code' in cause ? cause.code : undefined);
const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
