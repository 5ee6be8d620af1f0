// Changes site.yaml under the running gateway: checked, put in force, kept with who and when, and taken back by itself if nobody keeps it.
import type { CancelTimer, Clock } from '../kernel/clock.js';
import { FAULTS } from '../kernel/faults.js';
import type { Log } from '../kernel/log.js';
import { failed, ok, type Result } from '../kernel/result.js';
import { milliseconds, minutes, timestamp, toRfc3339 } from '../kernel/units.js';
import type {
  Applied,
  ConfigurationChange,
  ConfigurationNow,
  NotApplied,
  SiteConfiguration,
  TextFinding,
  Wish,
} from '../ports/configuration.js';
import type { ConsoleEvent } from '../ports/console.js';
import type { Revision, RevisionLog, SiteFiles, Trial } from '../ports/site-files.js';
import { effectsOf, type SiteEffect } from '../site/site-change.js';
import type { Site } from '../site/topology.js';
import { EDITED, faulty, MOVED, notInForce, unknown, unwritable, waits } from './refused-changes.js';
import { currentOf, ended, formerOf, withRevision } from './revisions.js';

/** What keeps a change from being taken back may be over by then, such as a disk without room. */
const TRY_AGAIN = minutes(1);

/** What became of a text. */
export interface CheckedText {
  readonly findings: readonly TextFinding[];
  /** Absent where it has an error. */
  readonly candidate?: {
    readonly site: Site;
    /** @throws Error when it cannot be put in force: nothing has changed */
    putInForce(): Promise<void>;
  };
}

export interface ConfigurationDependencies {
  readonly files: SiteFiles;
  /** As it is in force. */
  readonly site: Site;
  readonly check: (text: string) => CheckedText;
  /** Unified, passwords masked. */
  readonly diff: (before: string, after: string) => string;
  readonly schema: SiteConfiguration['schema'];
  /** Called once what it says is in force and on disk. */
  readonly told: (event: Pick<ConsoleEvent, 'severity' | 'text' | 'fault'>) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class Configuration implements SiteConfiguration {
  readonly #deps: ConfigurationDependencies;
  #log: RevisionLog;
  /** The text that is in force. */
  #text: string;
  #cancel: CancelTimer = () => undefined;
  /** What of the text waits for a restart. */
  #waiting: readonly SiteEffect[] = [];
  /** When the trial is over, by the monotonic clock. */
  #until = 0;
  /** One change at a time, in the order in which they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(deps: ConfigurationDependencies, text: string, log: RevisionLog) {
    this.#deps = deps;
    this.#text = text;
    this.#log = log;
  }

  /**
   * @param text of the file that the gateway has started with, after `takeBack`
   * @throws Error when the log of revisions cannot be read
   */
  static async open(deps: ConfigurationDependencies, text: string): Promise<Configuration> {
    const configuration = new Configuration(deps, text, await deps.files.log());
    await configuration.#found(text);
    const { trial } = configuration.#log;
    if (trial !== undefined) await configuration.#begin(trial);
    return configuration;
  }

  /** A trial goes on with the next start. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#turn;
    this.#cancel();
    const { trial } = this.#log;
    if (trial === undefined) return;
    const left = Math.max(0, this.#until - this.#deps.clock.monotonic());
    await this.#save({ ...this.#log, trial: { ...trial, left, suspended: true } });
  }

  get schema(): SiteConfiguration['schema'] {
    return this.#deps.schema;
  }

  now(): ConfigurationNow {
    const { trial } = this.#log;
    const tried = trial && this.#revision(trial.revision);
    return {
      revision: currentOf(this.#log),
      text: this.#text,
      path: this.#deps.files.path,
      ...(this.#waiting.length > 0 && { waiting: this.#waiting }),
      ...(tried && {
        pending: { revision: tried.revision, by: tried.by, until: this.#untilInWords(), kept: false },
      }),
    };
  }

  check(text: string): readonly TextFinding[] {
    return this.#deps.check(text).findings;
  }

  difference(text: string): { readonly diff: string; readonly effects: readonly SiteEffect[] } {
    const { check, diff, site } = this.#deps;
    const { candidate } = check(text);
    return {
      diff: diff(this.#text, text),
      effects: candidate === undefined ? [] : effectsOf(site, candidate.site),
    };
  }

  history(): readonly ConfigurationChange[] {
    return this.#log.revisions.map(({ at, ...rest }) => ({ ...rest, at: toRfc3339(at) })).toReversed();
  }

  apply(wish: Wish): Promise<Result<Applied, NotApplied>> {
    return this.#inTurn(async () => {
      const { trial } = this.#log;
      if (trial !== undefined) return failed(waits(trial));
      const onDisk = await this.#deps.files.read();
      if (onDisk !== this.#text && onDisk !== wish.text) return failed(EDITED);
      return this.#apply(wish, onDisk === wish.text);
    });
  }

  /** The file on the disk is put in force: somebody has edited it. */
  reload(by: string): Promise<Result<Applied, NotApplied>> {
    return this.#inTurn(async () => {
      const text = await this.#deps.files.read();
      const { trial } = this.#log;
      if (text === this.#text) return ok({ revision: currentOf(this.#log), effects: [] });
      return trial === undefined ? this.#apply({ text, by }, true) : failed(waits(trial));
    });
  }

  keep(revision: string | undefined): Promise<Result<{ readonly revision: string }, NotApplied>> {
    return this.#inTurn(async () => {
      const { trial } = this.#log;
      if (trial === undefined || (revision !== undefined && revision !== trial.revision))
        return failed(unknown(revision, 'no change waits to be kept', 'it was kept, or has been taken back'));
      try {
        await this.#save(ended(this.#log, 'kept'));
      } catch (err) {
        return failed(unwritable(err));
      }
      this.#cancel();
      this.#deps.log.info({ revision: trial.revision }, 'the change of site.yaml is kept');
      this.#deps.told({ severity: 'info', text: `revision ${trial.revision} of site.yaml is kept` });
      return ok({ revision: trial.revision });
    });
  }

  revert(revision: string | undefined, by: string): Promise<Result<Applied, NotApplied>> {
    return this.#inTurn(async () => {
      const { trial } = this.#log;
      if (trial !== undefined) {
        if (revision === undefined || revision === trial.revision || revision === trial.former)
          return this.#takeBack(trial, by);
        return failed(waits(trial));
      }
      const wanted = revision ?? formerOf(this.#log);
      const text = wanted === undefined ? undefined : await this.#deps.files.text(wanted);
      if (wanted === undefined || text === undefined)
        return failed(unknown(revision, 'there is no such revision', 'forecourt history lists those that are kept'));
      if ((await this.#deps.files.read()) !== this.#text) return failed(EDITED);
      return this.#apply({ text, by, comment: `back to revision ${wanted}` }, false);
    });
  }

  /** @param there the file holds the text already */
  async #apply({ text, by, comment, confirmWithin }: Wish, there: boolean): Promise<Result<Applied, NotApplied>> {
    const { files, check, diff, site, told, clock, log } = this.#deps;
    const { findings, candidate } = check(text);
    if (candidate === undefined) return failed(faulty(files.path, findings));
    if (candidate.site.dataDirectory !== site.dataDirectory) return failed(MOVED);
    const effects = effectsOf(site, candidate.site);
    // What a trial goes back to is on disk before it, even where the disk had no room for it at the start.
    if (confirmWithin !== undefined) await this.#found(this.#text);
    const former = currentOf(this.#log);
    if (text === this.#text) return ok({ revision: former, effects });
    const before = this.#log;
    const { revision, revisions } = withRevision(before, {
      at: clock.now(),
      by,
      ...(comment !== undefined && { comment }),
      state: confirmWithin === undefined ? 'kept' : 'pending',
      diff: diff(this.#text, text),
    });
    const trial = confirmWithin === undefined ? undefined : { revision, former, left: confirmWithin };
    try {
      await files.saveText(revision, text);
      // A trial is on disk before its text: whatever happens then, the next start knows what to go back to.
      await this.#save({ revisions, ...(trial && { trial }) });
      if (!there || trial !== undefined) await files.write(text);
    } catch (err) {
      await this.#undo(before);
      return failed(unwritable(err));
    }
    try {
      await candidate.putInForce();
    } catch (err) {
      log.error(
        { err, fault: FAULTS.siteNotInForce.code, revision },
        'the change of site.yaml could not be put in force',
      );
      if (!there) await files.write(this.#text).catch((cause: unknown) => this.#unwritten(cause));
      await this.#undo(before);
      return failed(notInForce(err, 'the log says why; nothing has changed'));
    }
    this.#now(text, effects);
    if (trial !== undefined) this.#await(trial);
    log.info(
      { revision, by, effects, ...(trial && { confirmWithin }) },
      trial === undefined ? 'site.yaml has changed' : 'site.yaml has changed, until somebody keeps it',
    );
    const how = trial === undefined ? 'in force' : 'on trial';
    told({ severity: 'info', text: `${by}: revision ${revision} of site.yaml is ${how}` });
    return ok({ revision, ...(trial && { until: this.#untilInWords() }), effects });
  }

  async #takeBack(trial: Trial, by: string): Promise<Result<Applied, NotApplied>> {
    const { files, check, site, told, log } = this.#deps;
    const text = await files.text(trial.former);
    const { candidate, findings } = text === undefined ? { findings: [] } : check(text);
    if (text === undefined || candidate === undefined) {
      log.error(
        { fault: FAULTS.siteNotInForce.code, findings },
        'the former site.yaml cannot be put in force any more',
      );
      return failed({
        why: 'failed',
        message: 'the former site.yaml cannot be put in force any more: something that it names is gone',
        action: 'forecourt keep what is in force, or apply another one',
      });
    }
    const effects = effectsOf(site, candidate.site);
    try {
      await candidate.putInForce();
    } catch (err) {
      log.error({ err, fault: FAULTS.siteNotInForce.code }, 'the former site.yaml could not be put in force');
      return failed(notInForce(err, 'the log says why'));
    }
    this.#now(text, effects);
    try {
      await keepEdited(files, trial);
      await files.write(text);
      await this.#save(ended(this.#log, 'reverted'));
    } catch (err) {
      this.#unwritten(err);
      return failed(unwritable(err));
    }
    this.#cancel();
    log.warn(
      { revision: trial.revision, by, fault: FAULTS.siteTakenBack.code },
      'the change of site.yaml was taken back',
    );
    told({
      severity: 'warning',
      text: `${by}: revision ${trial.revision} of site.yaml was taken back`,
      fault: FAULTS.siteTakenBack.code,
    });
    return ok({ revision: trial.former, effects });
  }

  /** The file may have been edited while nobody looked. */
  async #found(text: string): Promise<void> {
    const { files, clock, diff, log } = this.#deps;
    const last = await files.text(currentOf(this.#log));
    if (last === text) return;
    const { revision, ...more } = withRevision(this.#log, {
      at: clock.now(),
      by: 'file',
      state: 'kept',
      diff: last === undefined ? '' : diff(last, text),
    });
    try {
      await files.saveText(revision, text);
      await this.#save(more);
    } catch (err) {
      log.warn({ err, fault: FAULTS.siteFileUnwritable.code }, 'the revisions of site.yaml cannot be kept');
    }
  }

  /** A trial that was suspended goes on. */
  async #begin(trial: Trial): Promise<void> {
    const { suspended: _, ...running } = trial;
    await this.#save({ ...this.#log, trial: running });
    this.#await(running);
  }

  #await(trial: Trial): void {
    const { clock, log } = this.#deps;
    this.#cancel();
    this.#until = clock.monotonic() + trial.left;
    this.#cancel = clock.after(milliseconds(trial.left), () => {
      this.#inTurn(async () => {
        if (this.#log.trial?.revision !== trial.revision) return;
        this.#await({ ...trial, left: TRY_AGAIN });
        await this.#takeBack(trial, 'nobody kept it');
      }).catch((err: unknown) =>
        log.error({ err, fault: FAULTS.siteNotInForce.code }, 'a change could not be taken back'),
      );
    });
  }

  async #save(log: RevisionLog): Promise<void> {
    await this.#deps.files.saveLog(log);
    this.#log = log;
  }

  async #undo(before: RevisionLog): Promise<void> {
    await this.#save(before).catch((err: unknown) => this.#unwritten(err));
    this.#log = before;
  }

  #now(text: string, effects: readonly SiteEffect[]): void {
    this.#text = text;
    this.#waiting = effects.filter(({ effect }) => effect === 'restart');
  }

  #unwritten(err: unknown): void {
    this.#deps.log.error(
      { err, fault: FAULTS.siteFileUnwritable.code },
      'site.yaml or its revisions could not be written',
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    const over = (): void => undefined;
    this.#turn = turn.then(over, over);
    return turn;
  }

  #revision(revision: string): Revision | undefined {
    return this.#log.revisions.find((each) => each.revision === revision);
  }

  #untilInWords(): string {
    const { clock } = this.#deps;
    return toRfc3339(timestamp(clock.now() + Math.max(0, this.#until - clock.monotonic())));
  }
}

/**
 * Before the gateway starts: a change that nobody has kept goes, unless the gateway was stopped in order while it was on trial.
 * @returns the revision that was taken back
 * @throws SiteFileUnwritable; Error when a file cannot be read
 */
export async function takeBack(files: SiteFiles): Promise<string | undefined> {
  const log = await files.log();
  const { trial } = log;
  if (trial === undefined) return undefined;
  const [onDisk, tried, former] = [
    await files.read(),
    await files.text(trial.revision),
    await files.text(trial.former),
  ];
  if (onDisk === tried && trial.suspended === true && trial.left > 0) return undefined;
  // Somebody else's edit stays; what never came as far as the file needs nothing.
  if (onDisk === tried && former !== undefined) await files.write(former);
  await files.saveLog(ended(log, 'reverted'));
  return onDisk === tried ? trial.revision : undefined;
}

/** An edit that was made by hand during a trial is not lost with it. */
async function keepEdited(files: SiteFiles, { revision, former }: Trial): Promise<void> {
  const onDisk = await files.read();
  const known = await Promise.all([files.text(revision), files.text(former)]);
  if (!known.includes(onDisk)) await files.saveText('edited', onDisk);
}
