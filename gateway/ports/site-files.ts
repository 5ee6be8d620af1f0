// Where site.yaml lies and what became of it: the file itself, and the revisions of it that were in force.
import type { Timestamp } from '../kernel/units.js';

/**
 * - `kept`: it was, or is, in force.
 * - `pending`: in force for now, and taken back unless somebody keeps it.
 * - `reverted`: taken back, or put aside for an older one.
 */
export type RevisionState = 'kept' | 'pending' | 'reverted';

/** One site.yaml that was put in force, or tried. */
export interface Revision {
  /** A number, counted from 1. */
  readonly revision: string;
  readonly at: Timestamp;
  /** A user, `SIGHUP`, or `file` for what was found in the file. */
  readonly by: string;
  readonly comment?: string;
  readonly state: RevisionState;
  /** Unified, from what was in force before, passwords masked. */
  readonly diff: string;
}

/** A revision that somebody has to keep. */
export interface Trial {
  readonly revision: string;
  /** What comes back otherwise. */
  readonly former: string;
  /** Milliseconds that are left of it, while the gateway runs, as last written. */
  readonly left: number;
  /** The gateway was stopped in order since: the trial goes on with the next start. Otherwise the change may be why it fell. */
  readonly suspended?: true;
}

/** Replaced as a whole, or not at all. */
export interface RevisionLog {
  /** The newest last. */
  readonly revisions: readonly Revision[];
  readonly trial?: Trial;
}

export interface SiteFiles {
  /** Of site.yaml, as the gateway was given it. */
  readonly path: string;
  /** @throws Error when it cannot be read */
  read(): Promise<string>;
  /**
   * Puts a text in the place of site.yaml, whole and durable, or leaves it as it was.
   * @throws SiteFileUnwritable
   */
  write(text: string): Promise<void>;
  /** An empty log where there is none. @throws Error when there is one that cannot be read */
  log(): Promise<RevisionLog>;
  /** Durable when it resolves. Texts of revisions that are no longer in it are deleted. @throws SiteFileUnwritable */
  saveLog(log: RevisionLog): Promise<void>;
  /** The whole text of a revision; undefined where it is not there any more. */
  text(revision: string): Promise<string | undefined>;
  /** Durable when it resolves. @throws SiteFileUnwritable */
  saveText(revision: string, text: string): Promise<void>;
}

/** Why a file could not be written, in words that say what to do. */
export class SiteFileUnwritable extends Error {
  constructor(
    message: string,
    readonly action: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SiteFileUnwritable';
  }
}
