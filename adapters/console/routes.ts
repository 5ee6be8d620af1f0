// The addresses of the console: what can be asked, and what becomes of it.
import type { IncomingMessage } from 'node:http';
import type { SiteConsole } from '../../gateway/ports/console.js';
import { readBody, type JsonObject } from './body.js';
import { exportSelection } from './export-query.js';
import type { Metrics } from './metrics.js';
import { json, problem, type Reply } from './reply.js';

interface Asked {
  /** The parts of the path that the pattern leaves open. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
}

interface Route {
  readonly method: 'GET' | 'POST';
  /** `*` stands for one part of the path. */
  readonly path: string;
  readonly answer: (asked: Asked) => Reply | Promise<Reply>;
}

/** @param metrics opened by the first who asks: measuring the event loop costs a little, and many a site is never scraped */
export function routes(console: SiteConsole, metrics: () => Metrics): readonly Route[] {
  const noCsms = (csms: string): Reply =>
    problem(404, `there is no CSMS ${csms} in site.yaml`, 'forecourt journal lists the CSMSs');
  return [
    {
      method: 'GET',
      path: '/metrics',
      answer: async () => ({ kind: 'text', contentType: metrics().contentType, body: await metrics().text() }),
    },
    {
      method: 'GET',
      path: '/health',
      answer: () => {
        const body = console.health();
        return { kind: 'json', status: body.status === 'failing' ? 503 : 200, body };
      },
    },
    { method: 'GET', path: '/api/status', answer: () => json(console.status()) },
    {
      method: 'GET',
      path: '/api/evses/*/explain',
      answer: ({ parts: [number = ''] }) => {
        const body = /^\d{1,6}$/.test(number) ? console.explain(Number(number)) : undefined;
        return body === undefined
          ? problem(404, `there is no EVSE ${number} in site.yaml`, 'forecourt status lists the EVSEs')
          : json({ site: console.site, ...body });
      },
    },
    { method: 'GET', path: '/api/journal', answer: async () => json(await console.journal()) },
    {
      method: 'GET',
      path: '/api/journal/export',
      answer: ({ query }) => {
        const selection = exportSelection(query);
        return selection.ok
          ? { kind: 'lines', lines: console.export(selection.value) }
          : problem(400, selection.error, 'see deploy/CONSOLE.md');
      },
    },
    {
      method: 'GET',
      path: '/api/journal/*/dead',
      answer: ({ parts: [csms = ''] }) => {
        const deadLetters = console.deadLetters(csms);
        return deadLetters === undefined ? noCsms(csms) : json({ site: console.site, csms, deadLetters });
      },
    },
    {
      method: 'POST',
      path: '/api/journal/*/redrive',
      answer: async ({ parts: [csms = ''], request }) => {
        const body = await readBody(request);
        if (!body.ok) return body.error;
        const seqs = wantedSeqs(body.value);
        if (seqs === 'wrong')
          return problem(400, 'seqs is a list of sequence numbers', 'send {} for all, or for example {"seqs":[17]}');
        const done = console.redrive(csms, seqs);
        return done === undefined ? noCsms(csms) : json({ site: console.site, ...done });
      },
    },
  ];
}

/** The answer to a request: of its route, or why there is none. */
export async function route(all: readonly Route[], request: IncomingMessage): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
  const here = all.flatMap((each) => {
    const parts = matched(each.path, pathname);
    return parts === undefined ? [] : [{ each, parts }];
  });
  const found = here.find(({ each }) => each.method === request.method);
  if (found !== undefined) return found.each.answer({ parts: found.parts, query: searchParams, request });
  if (here.length === 0)
    return problem(
      404,
      `there is nothing at ${pathname.slice(0, 200)}`,
      `there are ${all.map(({ path }) => path).join(', ')}`,
    );
  const allow = here.map(({ each }) => each.method).join(', ');
  return problem(405, `${request.method} is not done here`, `use ${allow}`, { allow });
}

function matched(pattern: string, pathname: string): readonly string[] | undefined {
  const wanted = pattern.split('/');
  const given = pathname.split('/');
  if (wanted.length !== given.length) return undefined;
  const open: string[] = [];
  for (const [index, part] of wanted.entries()) {
    const text = decoded(given[index] ?? '');
    if (part === '*' && text !== undefined && text !== '') open.push(text);
    else if (part !== text) return undefined;
  }
  return open;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function wantedSeqs({ seqs }: JsonObject): readonly number[] | undefined | 'wrong' {
  if (seqs === undefined) return undefined;
  if (!Array.isArray(seqs) || !seqs.every((seq): seq is number => Number.isSafeInteger(seq))) return 'wrong';
  return seqs;
}
