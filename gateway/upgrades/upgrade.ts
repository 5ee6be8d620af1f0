// An upgrade from the prepared release to the verdict. Each step is on disk before the next one, so that whoever comes after a
// loss of power finds a release that starts, and finishes what was begun.
import type { Clock } from '../kernel/clock.js';
import { milliseconds, seconds, toRfc3339, type Milliseconds } from '../kernel/units.js';
import type {
  Course,
  Installation,
  Observation,
  Outcome,
  ServiceControl,
  StoredJournal,
} from '../ports/installation.js';
import { DOES_NOT_STAY_UP, judge, MOST_STARTS } from './verdict.js';

const LOOK_EVERY = seconds(2);

export interface UpgradeDependencies {
  readonly installation: Installation;
  readonly journal: (course: Course) => StoredJournal;
  readonly service: ServiceControl;
  /** What the running gateway says; undefined: nothing. */
  readonly observe: (course: Course) => Promise<Observation | undefined>;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

export class Upgrade {
  readonly #is: UpgradeDependencies;

  constructor(dependencies: UpgradeDependencies) {
    this.#is = dependencies;
  }

  /** Takes the course up where the disk says it is. Whoever calls it is the only one to do so. */
  async carryOn(course: Course): Promise<Outcome> {
    switch (course.stage) {
      case 'prepared':
        return this.#begin({ ...course, stage: 'switching' });
      case 'switching':
        return this.#goBack(course, 'it was interrupted before the new release was in use');
      case 'trial':
        // The cut may have come just before its start.
        await this.#is.service.start();
        return this.#watch(course);
      case 'returning':
        return this.#goBack(course, course.reason ?? 'it was interrupted');
      case 'returned':
        return this.#restart(course);
      case 'keeping':
        return this.#keep(course);
    }
  }

  async #begin(course: Course): Promise<Outcome> {
    this.#is.installation.writeCourse(course);
    try {
      await this.#switch(course);
    } catch (err) {
      return this.#goBack(course, err instanceof Error ? err.message : String(err));
    }
    return this.#watch({ ...course, stage: 'trial' });
  }

  async #switch(course: Course): Promise<void> {
    const { installation, service, say } = this.#is;
    installation.forgetStarts();
    say('stopping the gateway: cars go on at the last limit of their chargers, or at the fall-back current');
    await service.stop();
    const journal = this.#is.journal(course);
    const form = journal.form();
    // In the same form nothing is copied, so that nothing has to be put back: what comes in during the trial stays.
    if (form !== undefined && form !== course.store) {
      say('migrating a copy of the journal');
      journal.migrateCopy(course.from, course.to);
      journal.exchange();
    }
    installation.putIntoUse(course.to);
    installation.writeCourse({ ...course, stage: 'trial' });
    await service.start();
    say(`release ${course.toVersion} is on trial for at most ${course.trial_min} min`);
  }

  async #watch(course: Course): Promise<Outcome> {
    const { installation, clock, say, observe } = this.#is;
    const begun = clock.monotonic();
    let wellSince: Milliseconds | undefined;
    let told = '';
    for (;;) {
      const seen = await observe(course);
      const now = clock.monotonic();
      const since = (moment: Milliseconds): Milliseconds => milliseconds(now - moment);
      const verdict = judge({
        course,
        seen,
        starts: installation.starts(),
        elapsed: since(begun),
        wellFor: since(wellSince ?? now),
      });
      if (verdict.kind === 'keep') return this.#keep(course);
      if (verdict.kind === 'return') return this.#goBack(course, verdict.reason);
      wellSince = verdict.missing.length === 0 ? (wellSince ?? now) : undefined;
      const words =
        verdict.missing.length === 0 ? 'everything is back; watching a little longer' : verdict.missing.join('; ');
      if (words !== told) say(words);
      told = words;
      await new Promise<void>((resolve) => void clock.after(LOOK_EVERY, resolve));
    }
  }

  async #keep(course: Course): Promise<Outcome> {
    const { installation } = this.#is;
    installation.writeCourse({ ...course, stage: 'keeping' });
    this.#is.journal(course).forgetFormer();
    installation.keepOnly([course.to, course.from]);
    installation.forgetStarts();
    return this.#end(course, 'kept');
  }

  async #goBack(course: Course, reason: string): Promise<Outcome> {
    const { installation, service, say } = this.#is;
    say(`going back to ${course.from}: ${reason}`);
    installation.writeCourse({ ...course, stage: 'returning', reason });
    await service.stop();
    this.#is.journal(course).restore();
    installation.putIntoUse(course.from);
    installation.keepOnly([course.from]);
    installation.forgetStarts();
    const returned: Course = { ...course, stage: 'returned', reason };
    installation.writeCourse(returned);
    return this.#restart(returned);
  }

  /** While the course is still on disk: whoever is ended before this is followed by one who does it. */
  async #restart(course: Course): Promise<Outcome> {
    await this.#is.service.start();
    return this.#end(course, 'returned');
  }

  #end({ toVersion, from, reason }: Course, outcome: Outcome['outcome']): Outcome {
    const at = toRfc3339(this.#is.clock.now());
    const ended = { version: toVersion, from, outcome, at, ...(reason !== undefined && { reason }) };
    this.#is.installation.endCourse(ended);
    return ended;
  }
}

/**
 * Before each start of the service, whether the power was lost, the release fell, or somebody asked for it.
 * @param alone nobody else carries the course out at this moment, and nobody begins to while this runs
 * @param upgrade with a service whose `stop` and `start` do nothing: it is starting at this moment
 * @returns `wait`: whoever carries the course out is not ready for a start
 */
export async function settle(installation: Installation, alone: boolean, upgrade: Upgrade): Promise<'start' | 'wait'> {
  const course = installation.course();
  if (course === undefined || course.stage === 'prepared') return 'start';
  if (course.stage === 'trial') {
    installation.countStart();
    if (installation.starts() <= MOST_STARTS) return 'start';
    if (!alone) return 'wait';
    await upgrade.carryOn({ ...course, stage: 'returning', reason: DOES_NOT_STAY_UP });
    return 'start';
  }
  if (alone) await upgrade.carryOn(course);
  else if (course.stage === 'switching' || course.stage === 'returning') return 'wait';
  return 'start';
}
