// The addresses of the site itself: what is, what was, and the journal.
import { createHash } from 'node:crypto';
import type { SiteConsole } from '../../gateway/ports/console.js';
import {
  answer,
  problem,
  type ConsoleAnswer,
  type ConsoleRoute,
  type JsonObject,
} from '../../gateway/ports/console-routes.js';
import { mayAs } from '../../gateway/ports/console-users.js';
import { exportSelection } from './export-query.js';
import type { LiveFeed } from './live.js';
import type { Metrics } from './metrics.js';
import { wholeNumber } from './query.js';

/*
 * How a capability adds addresses of its own: it exports a list of ConsoleRoute (gateway/ports/console-routes.ts) and compose
 * hands it to openConsole in `routes`. An entry says method, path (`*` for an open part) and who may use it; its `answer` is
 * called only for those, with the body read and checked to be a JSON object. It needs an entry in deploy/openapi.yaml.
 */

/** @param metrics opened by the first who asks: measuring the event loop costs a little, and many a site is never scraped */
export function siteRoutes(console: SiteConsole, metrics: () => Metrics, live: LiveFeed): readonly ConsoleRoute[] {
  const noCsms = (csms: string): ConsoleAnswer =>
    problem(404, `there is no CSMS ${csms} in site.yaml`, 'forecourt journal lists the CSMSs');
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: 'local',
      answer: async () => ({ kind: 'text', contentType: metrics().contentType, body: await metrics().text() }),
    },
    {
      method: 'GET',
      path: '/health',
      access: 'open',
      answer: () => {
        const body = console.health();
        return { kind: 'json', status: body.status === 'failing' ? 503 : 200, body };
      },
    },
    { method: 'GET', path: '/api/status', access: 'viewer', answer: () => answer(console.status()) },
    { method: 'GET', path: '/api/site', access: 'viewer', answer: () => answer(drawing(console)) },
    {
      method: 'GET',
      path: '/api/live',
      access: 'viewer',
      answer: () => ({ kind: 'events', join: (reader) => live.join(reader) }),
    },
    {
      method: 'GET',
      path: '/api/events',
      access: 'viewer',
      answer: ({ query }) => {
        const limit = wholeNumber(query.get('limit'), 200, 1000);
        return limit === undefined
          ? problem(400, 'limit is a number from 1 to 1000', 'leave it away for the newest 200')
          : answer({ events: console.events.newest(limit) });
      },
    },
    {
      method: 'GET',
      path: '/api/evses/*/explain',
      access: 'viewer',
      answer: ({ parts: [number = ''] }) => {
        const body = /^\d{1,6}$/.test(number) ? console.explain(Number(number)) : undefined;
        return body === undefined
          ? problem(404, `there is no EVSE ${number} in site.yaml`, 'forecourt status lists the EVSEs')
          : answer({ site: console.site, ...body });
      },
    },
    {
      method: 'GET',
      path: '/api/journal',
      access: 'viewer',
      answer: async () => answer(await console.journal()),
    },
    {
      method: 'GET',
      path: '/api/journal/export',
      access: 'viewer',
      answer: ({ query, caller }) => {
        const selection = exportSelection(query);
        if (selection.ok && selection.value.tokens === 'full' && !mayAs(caller.role, 'operator'))
          return problem(403, 'whole tokens are for operators', 'leave full=true away, or ask an operator');
        return selection.ok
          ? { kind: 'lines', lines: console.export(selection.value) }
          : problem(400, selection.error, 'see deploy/CONSOLE.md');
      },
    },
    {
      method: 'GET',
      path: '/api/journal/*/dead',
      access: 'viewer',
      answer: ({ parts: [csms = ''] }) => {
        const deadLetters = console.deadLetters(csms);
        return deadLetters === undefined ? noCsms(csms) : answer({ site: console.site, csms, deadLetters });
      },
    },
    {
      method: 'POST',
      path: '/api/journal/*/redrive',
      access: 'operator',
      answer: ({ parts: [csms = ''], body }) => {
        const seqs = wantedSeqs(body);
        if (seqs === 'wrong')
          return problem(400, 'seqs is a list of sequence numbers', 'send {} for all, or for example {"seqs":[17]}');
        const done = console.redrive(csms, seqs);
        return done === undefined ? noCsms(csms) : answer({ site: console.site, ...done });
      },
    },
  ];
}

/** With what tells one drawing from the next. */
function drawing(console: SiteConsole): object {
  const drawn = console.drawing();
  const revision = createHash('sha256').update(JSON.stringify(drawn)).digest('hex').slice(0, 12);
  return { ...drawn, revision };
}

function wantedSeqs({ seqs }: JsonObject): readonly number[] | undefined | 'wrong' {
  if (seqs === undefined) return undefined;
  if (!Array.isArray(seqs) || !seqs.every((seq): seq is number => Number.isSafeInteger(seq))) return 'wrong';
  return seqs;
}
