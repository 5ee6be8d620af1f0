// The files of the page that people look at, out of one folder; without it, a plain page that says so.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { problem, type AnswerHeaders, type ConsoleAnswer } from '../../gateway/ports/console-routes.js';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Everything comes from the gateway itself; nothing is run that is not a file of the page. */
const PAGE_POLICY: AnswerHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
};

const WITHOUT_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Forecourt</title>
<h1>Forecourt runs</h1>
<p>This installation came without the files of its page. The command line works: <code>forecourt status</code>.
The addresses are those of <code>deploy/CONSOLE.md</code>; see <a href="/api/status">/api/status</a>.</p>
</html>
`;

interface PageFile {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly tag: string;
  /** Its name holds a digest of what is in it: it never changes. */
  readonly forEver: boolean;
}

export interface Page {
  /** The file at a path, or the page itself for an address that only the page knows; undefined: neither. */
  answer(pathname: string, ifNoneMatch: string | undefined): ConsoleAnswer | undefined;
}

/** Names as build tools write them: `index-DkH2xS1a.js`. */
const WITH_DIGEST = /-[A-Za-z0-9_-]{8,}\.\w+$/;

/**
 * Reads the folder once: it changes only with the program, and nothing that is asked can name a file outside.
 * @param folder absent or empty: the plain page
 */
export function openPage(folder: string | undefined): Page {
  const files = new Map<string, PageFile>();
  for (const path of folder === undefined ? [] : filesOf(folder)) {
    const contentType = TYPES[extname(path).toLowerCase()];
    if (contentType === undefined) continue;
    const body = readFileSync(join(folder ?? '', path));
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
    const name = `/${path.split(sep).join('/')}`;
    files.set(name, { body, contentType, tag, forEver: WITH_DIGEST.test(name) });
  }
  return {
    answer(pathname, ifNoneMatch) {
      const file = files.get(pathname) ?? (isOfThePage(pathname) ? files.get('/index.html') : undefined);
      if (file !== undefined) return answered(file, ifNoneMatch);
      if (!isOfThePage(pathname)) return undefined;
      return { kind: 'text', contentType: TYPES['.html'] ?? '', body: WITHOUT_PAGE, headers: PAGE_POLICY };
    },
  };
}

/** What the page shows under an address of its own has no dot in it, and is none of the gateway's. */
const isOfThePage = (pathname: string): boolean =>
  !pathname.includes('.') && !pathname.startsWith('/api/') && !pathname.includes('%');

function answered({ body, contentType, tag, forEver }: PageFile, ifNoneMatch: string | undefined): ConsoleAnswer {
  const headers: AnswerHeaders = {
    ...PAGE_POLICY,
    etag: tag,
    'cache-control': forEver ? 'max-age=31536000, immutable' : 'no-cache',
  };
  if (ifNoneMatch?.split(',').some((each) => each.trim() === tag) === true)
    return { kind: 'text', status: 304, contentType, body: '', headers };
  return { kind: 'text', contentType, body, headers };
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    // Without the folder there is the plain page, which says so.
    return [];
  }
}

export const noSuchAddress = (pathname: string): ConsoleAnswer =>
  problem(404, `there is nothing at ${pathname.slice(0, 200)}`, 'deploy/CONSOLE.md lists the addresses');
