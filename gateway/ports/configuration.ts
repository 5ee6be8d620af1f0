// What may be asked of the configuration of a running gateway: what is in force, what another would change, and to change it.
import type { Result } from '../kernel/result.js';
import type { SiteEffect } from '../site/site-change.js';
import type { RevisionState } from './site-files.js';

/** One finding in a text, with its place. */
export interface TextFinding {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write instead. */
  readonly action?: string;
}

export interface ConfigurationNow {
  readonly revision: string;
  /** With the passwords that stand in it. */
  readonly text: string;
  readonly path: string;
  /** What waits for a restart. */
  readonly waiting?: readonly SiteEffect[];
  readonly pending?: { readonly revision: string; readonly by: string; readonly until: string; readonly kept: false };
}

export interface ConfigurationChange {
  readonly revision: string;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
  readonly comment?: string;
  readonly state: RevisionState;
  /** Unified, passwords masked. */
  readonly diff: string;
}

export interface Wish {
  readonly text: string;
  readonly by: string;
  readonly comment?: string;
  /** Milliseconds in which it has to be kept; absent: it is kept at once. */
  readonly confirmWithin?: number;
}

export interface Applied {
  readonly revision: string;
  /** RFC 3339: until then it has to be kept. */
  readonly until?: string;
  readonly effects: readonly SiteEffect[];
}

export interface NotApplied {
  /**
   * - `faults`: the text describes no site that works.
   * - `conflict`: something else has to be done first.
   * - `unwritable`: the file cannot be written.
   * - `failed`: it could not be put in force.
   * - `unknown`: there is no such revision.
   */
  readonly why: 'faults' | 'conflict' | 'unwritable' | 'failed' | 'unknown';
  readonly message: string;
  /** What to do. */
  readonly action: string;
  readonly findings?: readonly TextFinding[];
}

export interface SiteConfiguration {
  /** JSON Schema of the file. */
  readonly schema: Readonly<Record<string, unknown>>;
  now(): ConfigurationNow;
  check(text: string): readonly TextFinding[];
  /** Of a text with faults: nothing of its effects can be told. */
  difference(text: string): { readonly diff: string; readonly effects: readonly SiteEffect[] };
  apply(wish: Wish): Promise<Result<Applied, NotApplied>>;
  /** @param revision absent: the one that waits */
  keep(revision: string | undefined): Promise<Result<{ readonly revision: string }, NotApplied>>;
  /** @param revision absent: the one that waits goes, or the one before the last comes back */
  revert(revision: string | undefined, by: string): Promise<Result<Applied, NotApplied>>;
  /** The newest first. */
  history(): readonly ConfigurationChange[];
}
