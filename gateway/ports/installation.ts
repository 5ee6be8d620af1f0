// What an upgrade needs of the machine it happens on: releases beside each other, a course that outlives a loss of power, the
// journal's file, and the service.

/** The folder of a release: version and the beginning of its manifest's digest, such as `0.2.0+1a2b3c4d`. */
export type ReleaseName = string;
/** What the distribution's package brought along: it is always there, and gone back to when nothing else is. */
export const PACKAGED = 'packaged';

/**
 * - `prepared`: unpacked and checked; nothing else has changed.
 * - `switching`: being put into use; the former release is still the whole truth.
 * - `trial`: in use, and watched.
 * - `returning`: the former release is being put back.
 * - `returned`: it is back, and has to be started.
 * - `keeping`: it stays; what only the way back needed is being removed.
 */
export type Stage = 'prepared' | 'switching' | 'trial' | 'returning' | 'returned' | 'keeping';

/** What was there before, and has to come back. */
export interface Baseline {
  readonly stations: readonly string[];
  readonly csms: readonly string[];
}

/** An upgrade under way, as it is on disk. */
export interface Course {
  readonly stage: Stage;
  readonly to: ReleaseName;
  readonly toVersion: string;
  readonly from: ReleaseName;
  /** The form in which the new release writes the journal. */
  readonly store: number;
  readonly siteFile: string;
  readonly dataDirectory: string;
  readonly baseline: Baseline;
  /** How long the new release may take to become healthy, in minutes. */
  readonly trial_min: number;
  /** Why it is gone back. */
  readonly reason?: string;
}

export interface Outcome {
  readonly version: string;
  readonly from: ReleaseName;
  readonly outcome: 'kept' | 'returned';
  readonly reason?: string;
  /** RFC 3339. */
  readonly at: string;
}

/** Nothing has been changed, or everything is as it was before; the message is for the operator. */
export class UpgradeRefused extends Error {
  constructor(
    message: string,
    /** A code of the error catalogue. */
    readonly fault: string,
  ) {
    super(message);
    this.name = 'UpgradeRefused';
  }
}

/**
 * Every method is on disk when it returns, may be called again after a cut in its middle, and throws Error in words for the
 * operator.
 */
export interface Installation {
  course(): Course | undefined;
  writeCourse(course: Course): void;
  /** The course is over. */
  endCourse(outcome: Outcome): void;
  /** Starts of the release on trial. */
  starts(): number;
  countStart(): void;
  forgetStarts(): void;
  putIntoUse(release: ReleaseName): void;
  /** Removes every release but these, and what was unpacked half. */
  keepOnly(releases: readonly ReleaseName[]): void;
}

/** The journal's file, of a gateway that does not run. Every method may be called again after a cut in its middle. */
export interface StoredJournal {
  /** In which form it is; undefined: there is none yet. Behind what is in its log, which an end in order has emptied. */
  form(): number | undefined;
  /** A copy beside it, in the form of the new release. @throws Error when that release cannot make it */
  migrateCopy(from: ReleaseName, to: ReleaseName): void;
  /** The copy takes the place of the file, which is kept. */
  exchange(): void;
  /** The former file is back; the newer one, which the new release may have written to, is kept under another name. */
  restore(): void;
  /** There is no way back any more. */
  forgetFormer(): void;
}

/** The service that runs the gateway. */
export interface ServiceControl {
  /** Resolves when it has ended. @throws Error when it cannot be stopped */
  stop(): Promise<void>;
  /** Does not wait until it is up. */
  start(): Promise<void>;
}

/** What the running gateway says of itself. */
export interface Observation {
  readonly version: string;
  /** Checks of its health that fail, with the reason. */
  readonly failing: readonly string[];
  readonly stations: readonly string[];
  readonly csms: readonly string[];
}
