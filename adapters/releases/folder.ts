// Where releases lie: beside each other in one folder, the one in use behind a link.
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  PACKAGED,
  type Course,
  type Installation,
  type Outcome,
  type ReleaseName,
} from '../../gateway/ports/installation.js';
import { linkDurably, linkTarget, removeDurably, sync, writeDurably } from './durable.js';

/** Folders of a machine. */
export interface Places {
  /** Releases, links and the course: root's alone. */
  readonly home: string;
  /** The release of the distribution's package. */
  readonly packaged: string;
}

export class ReleaseFolder implements Installation {
  readonly #places: Places;
  readonly #course: string;
  readonly #starts: string;
  readonly #last: string;
  readonly #current: string;
  readonly #former: string;

  constructor(places: Places) {
    this.#places = places;
    this.#course = join(places.home, 'upgrade.json');
    this.#starts = join(places.home, 'upgrade-starts');
    this.#last = join(places.home, 'last-upgrade.json');
    this.#current = join(places.home, 'current');
    this.#former = join(places.home, 'former');
  }

  /** The release in use; undefined: none is installed. */
  current(): ReleaseName | undefined {
    const target = linkTarget(this.#current);
    if (target !== undefined && this.#runs(basename(target))) return basename(target);
    return this.#runs(PACKAGED) ? PACKAGED : undefined;
  }

  /** The release before it, if it is still there. */
  former(): ReleaseName | undefined {
    const target = linkTarget(this.#former);
    if (target === undefined) return undefined;
    const release = target === this.#places.packaged ? PACKAGED : basename(target);
    return this.#runs(release) ? release : undefined;
  }

  folder(release: ReleaseName): string {
    return release === PACKAGED ? this.#places.packaged : join(this.#places.home, 'releases', release);
  }

  /** What an installed release says of itself. @throws Error where it cannot be read */
  describe(release: ReleaseName): { readonly version: string; readonly store: number } {
    const text = readFileSync(join(this.folder(release), 'package.json'), 'utf8');
    return JSON.parse(text) as { readonly version: string; readonly store: number };
  }

  /** For whoever unpacks: made where it is not there yet. */
  releases(): string {
    const folder = join(this.#places.home, 'releases');
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  course(): Course | undefined {
    return read<Course>(this.#course);
  }

  last(): Outcome | undefined {
    return read<Outcome>(this.#last);
  }

  writeCourse(course: Course): void {
    // Its program carries the course out, and must be found before there is one.
    linkDurably(this.#former, this.#target(course.from));
    writeDurably(this.#course, `${JSON.stringify(course)}\n`);
  }

  endCourse(outcome: Outcome): void {
    writeDurably(this.#last, `${JSON.stringify(outcome)}\n`);
    if (outcome.outcome === 'returned') removeDurably(this.#former);
    removeDurably(this.#course);
  }

  starts(): number {
    return existsSync(this.#starts) ? statSync(this.#starts).size : 0;
  }

  countStart(): void {
    appendFileSync(this.#starts, '.');
    sync(this.#starts);
    sync(this.#places.home);
  }

  forgetStarts(): void {
    removeDurably(this.#starts);
  }

  putIntoUse(release: ReleaseName): void {
    if (release === PACKAGED) removeDurably(this.#current);
    else linkDurably(this.#current, this.#target(release));
  }

  keepOnly(releases: readonly ReleaseName[]): void {
    const folder = join(this.#places.home, 'releases');
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) if (!releases.includes(name)) removeDurably(join(folder, name));
  }

  #runs(release: ReleaseName): boolean {
    return existsSync(join(this.folder(release), 'bin/forecourt'));
  }

  #target(release: ReleaseName): string {
    return release === PACKAGED ? this.#places.packaged : join('releases', release);
  }
}

/** Root wrote it, whole: what cannot be read is not there. */
function read<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
