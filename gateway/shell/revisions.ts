// The log of what site.yaml was: which revision is in force, which was before it, and how the log goes on.
import type { Revision, RevisionLog } from '../ports/site-files.js';

/** So many changes are remembered. */
const MOST_REVISIONS = 100;
/** Characters of one difference that are remembered. */
const LONGEST_DIFF = 64 * 1024;

const wereInForce = ({ revisions }: RevisionLog): readonly Revision[] =>
  revisions.filter(({ state }) => state !== 'reverted');

/** The revision that is in force; 0 where none is known. */
export const currentOf = (log: RevisionLog): string => wereInForce(log).at(-1)?.revision ?? '0';

/** The one before it. */
export const formerOf = (log: RevisionLog): string | undefined => wereInForce(log).at(-2)?.revision;

/** The log with one more, and the oldest forgotten, but not the one in force, to which a trial goes back. */
export function withRevision(
  log: RevisionLog,
  entry: Omit<Revision, 'revision'>,
): RevisionLog & { readonly revision: string } {
  const revision = String(Number(log.revisions.at(-1)?.revision ?? 0) + 1);
  const added: Revision = { revision, ...entry, diff: shortened(entry.diff) };
  const standing = log.revisions.find((each) => each.revision === currentOf(log));
  const newest = [...log.revisions, added].slice(-MOST_REVISIONS);
  const revisions = standing === undefined || newest.includes(standing) ? newest : [standing, ...newest.slice(1)];
  return { ...log, revisions, revision };
}

/** The log after a trial. */
export const ended = ({ revisions, trial }: RevisionLog, state: 'kept' | 'reverted'): RevisionLog => ({
  revisions: revisions.map((each) => (each.revision === trial?.revision ? { ...each, state } : each)),
});

const shortened = (diff: string): string =>
  diff.length <= LONGEST_DIFF ? diff : `${diff.slice(0, LONGEST_DIFF)}\n... and more\n`;
