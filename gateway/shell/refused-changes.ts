// Why a change of site.yaml does not happen, in words that say what to do.
import type { NotApplied, TextFinding } from '../ports/configuration.js';
import { SiteFileUnwritable, type Trial } from '../ports/site-files.js';

const wordsOf = (err: unknown): string => (err instanceof Error ? err.message : String(err));

export const unwritable = (err: unknown): NotApplied => ({
  why: 'unwritable',
  message: wordsOf(err),
  action: err instanceof SiteFileUnwritable ? err.action : 'the log says why; nothing has changed',
});

/** Nothing of it is in force. */
export const notInForce = (err: unknown, action: string): NotApplied => ({
  why: 'failed',
  message: `it could not be put in force: ${wordsOf(err)}`,
  action,
});

export const EDITED: NotApplied = {
  why: 'conflict',
  message: 'site.yaml was edited since it was read, and the edit would be lost',
  action: 'put the edit in force (systemctl reload forecourt), apply that very file, or put the file back as it was',
};

export const MOVED: NotApplied = {
  why: 'conflict',
  message:
    'data-directory cannot be changed while the gateway runs: the journal and the revisions of site.yaml are in it',
  action: 'stop the gateway, move the folder, write the new place in site.yaml, and start it again',
};

export const waits = ({ revision }: Trial): NotApplied => ({
  why: 'conflict',
  message: `revision ${revision} waits to be kept`,
  action: 'forecourt keep, or forecourt revert, before another change',
});

export const unknown = (revision: string | undefined, message: string, action: string): NotApplied => ({
  why: 'unknown',
  message: revision === undefined ? message : `revision ${revision}: ${message}`,
  action,
});

export function faulty(path: string, findings: readonly TextFinding[]): NotApplied {
  const first = findings.find(({ severity }) => severity === 'error');
  const where = first === undefined ? path : `${path}:${first.line}:${first.column}: ${first.message}`;
  return {
    why: 'faults',
    message: where,
    action: first?.action ?? 'forecourt check shows every fault; nothing has changed',
    findings,
  };
}
