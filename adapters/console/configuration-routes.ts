// The addresses of the configuration: what is in force, what another text would change, and to change it.
import type { NotApplied, SiteConfiguration } from '../../gateway/ports/configuration.js';
import {
  answer as json,
  problem,
  type Asked,
  type ConsoleAnswer,
  type ConsoleRoute,
  type JsonObject,
} from '../../gateway/ports/console-routes.js';

/** Bytes of a body: a site.yaml with thousands of chargers. */
const LARGEST_TEXT = 2 * 1024 * 1024;
/** Seconds in which a change has to be kept: long enough to look at it, short enough to be remembered. */
const LEAST_TRIAL_S = 10;
const LONGEST_TRIAL_S = 24 * 3600;
const LONGEST_COMMENT = 500;

const STATUS = { faults: 422, conflict: 409, unwritable: 409, failed: 409, unknown: 404 } as const satisfies Record<
  NotApplied['why'],
  number
>;

export function configurationRoutes(site: string, configuration: SiteConfiguration): readonly ConsoleRoute[] {
  const withText = (
    answer: (text: string, body: JsonObject, caller: Asked['caller']) => ConsoleAnswer | Promise<ConsoleAnswer>,
  ): ConsoleRoute['answer'] =>
    command(({ text, ...rest }, caller) =>
      typeof text === 'string'
        ? answer(text, rest, caller)
        : problem(400, 'text is the whole of a site.yaml', 'send for example {"text":"site: ..."}'),
    );
  const refused = ({ why, message, action, findings }: NotApplied): ConsoleAnswer => ({
    kind: 'json',
    status: STATUS[why],
    body: { site, error: message, action, ...(findings && { faults: findings }) },
  });
  return [
    { method: 'GET', path: '/api/config', access: 'electrician', answer: () => json({ site, ...configuration.now() }) },
    { method: 'GET', path: '/api/config/schema', access: 'electrician', answer: () => json(configuration.schema) },
    {
      method: 'GET',
      path: '/api/config/history',
      access: 'electrician',
      answer: () => json({ site, changes: configuration.history() }),
    },
    {
      method: 'POST',
      path: '/api/config/check',
      access: 'electrician',
      largestBody: LARGEST_TEXT,
      answer: withText((text) => json({ site, ...asked(configuration.check(text)) })),
    },
    {
      method: 'POST',
      path: '/api/config/diff',
      access: 'electrician',
      largestBody: LARGEST_TEXT,
      answer: withText((text) => json({ site, ...configuration.difference(text) })),
    },
    {
      method: 'POST',
      path: '/api/config/apply',
      access: 'electrician',
      largestBody: LARGEST_TEXT,
      answer: withText(async (text, body, caller) => {
        const { confirmWithin_s: within, comment } = body;
        if (within !== undefined && !isBetween(within, LEAST_TRIAL_S, LONGEST_TRIAL_S))
          return problem(
            400,
            'confirmWithin_s is a number of seconds, from 10 to 86400',
            'leave it away to keep at once',
          );
        if (comment !== undefined && (typeof comment !== 'string' || comment.length > LONGEST_COMMENT))
          return problem(400, `comment is a text of at most ${LONGEST_COMMENT} characters`, 'say it in fewer words');
        const applied = await configuration.apply({
          text,
          by: nameIn(body, caller),
          ...(comment !== undefined && { comment }),
          ...(within !== undefined && { confirmWithin: within * 1000 }),
        });
        return applied.ok ? { kind: 'json', status: 202, body: { site, ...applied.value } } : refused(applied.error);
      }),
    },
    {
      method: 'POST',
      path: '/api/config/keep',
      access: 'electrician',
      largestBody: LARGEST_TEXT,
      answer: command(async ({ revision }) => {
        if (!isRevision(revision)) return NO_REVISION;
        const kept = await configuration.keep(revision);
        return kept.ok ? json({ site, ...kept.value }) : refused(kept.error);
      }),
    },
    {
      method: 'POST',
      path: '/api/config/revert',
      access: 'electrician',
      largestBody: LARGEST_TEXT,
      answer: command(async (body, caller) => {
        const { revision } = body;
        if (!isRevision(revision)) return NO_REVISION;
        const reverted = await configuration.revert(revision, nameIn(body, caller));
        return reverted.ok ? json({ site, ...reverted.value }) : refused(reverted.error);
      }),
    },
  ];
}

const NO_REVISION = problem(
  400,
  'revision is a text, as in /api/config/history',
  'leave it away for the newest change',
);

const isRevision = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';

const isBetween = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most;

/** Who signed in is that user, whatever his name; a program on the box may say for whom it asks. */
const nameIn = ({ by }: JsonObject, { name, session }: Asked['caller']): string =>
  session === undefined && typeof by === 'string' && /^[\w.@-]{1,64}$/.test(by) ? by : name;

function asked(findings: ReturnType<SiteConfiguration['check']>): object {
  // The electrical review speaks of a site that works; what keeps it from working comes first.
  const broken = findings.some(({ severity }) => severity === 'error');
  return {
    faults: findings,
    review: broken ? [] : findings.map(({ line, message }) => `line ${line}: ${message}`),
  };
}

const command =
  (
    answer: (body: JsonObject, caller: Asked['caller']) => ConsoleAnswer | Promise<ConsoleAnswer>,
  ): ConsoleRoute['answer'] =>
  ({ body, caller }) =>
    answer(body, caller);
