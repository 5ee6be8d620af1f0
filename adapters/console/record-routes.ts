// The addresses of what was: transactions as a list and as a table, and what flowed in the last hours.
import { answer, problem, type ConsoleAnswer, type ConsoleRoute } from '../../gateway/ports/console-routes.js';
import type { ListedTransaction, SiteConsole, TransactionSelection } from '../../gateway/ports/console.js';
import { mayAs } from '../../gateway/ports/console-users.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { timeOf, wholeNumber } from './query.js';

const MOST_LISTED = 5000;

export function recordRoutes(console: SiteConsole): readonly ConsoleRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/transactions',
      access: 'viewer',
      answer: async ({ query, caller }) => {
        const selection = selectionOf(query, mayAs(caller.role, 'operator'));
        const limit = wholeNumber(query.get('limit'), 200, MOST_LISTED);
        if (!selection.ok) return selection.error;
        if (limit === undefined) return problem(400, `limit is from 1 to ${MOST_LISTED}`, 'leave it away for 200');
        const transactions: ListedTransaction[] = [];
        for await (const one of console.transactions(selection.value)) {
          if (transactions.push(one) >= limit) break;
        }
        return answer({ site: console.site, transactions });
      },
    },
    {
      method: 'GET',
      path: '/api/transactions.csv',
      access: 'viewer',
      answer: ({ query, caller }) => {
        const selection = selectionOf(query, mayAs(caller.role, 'operator'));
        if (!selection.ok) return selection.error;
        return {
          kind: 'pieces',
          contentType: 'text/csv; charset=utf-8; header=present',
          pieces: table(console.transactions(selection.value)),
          headers: { 'content-disposition': 'attachment; filename="transactions.csv"' },
        };
      },
    },
    {
      method: 'GET',
      path: '/api/evses/*/history',
      access: 'viewer',
      answer: ({ parts: [number = ''], query }) => {
        const minutes = wholeNumber(query.get('minutes'), 60, 360);
        if (minutes === undefined) return badMinutes;
        const known = /^\d{1,6}$/.test(number) ? console.evseHistory(Number(number), minutes) : undefined;
        return known === undefined
          ? problem(404, `there is no EVSE ${number} in site.yaml`, 'forecourt status lists the EVSEs')
          : answer(known);
      },
    },
    {
      method: 'GET',
      path: '/api/circuits/*/history',
      access: 'viewer',
      answer: ({ parts: [circuit = ''], query }) => {
        const minutes = wholeNumber(query.get('minutes'), 60, 360);
        if (minutes === undefined) return badMinutes;
        const known = console.circuitHistory(circuit, minutes);
        return known === undefined
          ? problem(404, `there is no circuit ${circuit} in site.yaml`, 'forecourt status lists the circuits')
          : answer(known);
      },
    },
  ];
}

const badMinutes = problem(400, 'minutes is from 1 to 360', 'leave it away for the last hour');

function selectionOf(query: URLSearchParams, mayAll: boolean): Result<TransactionSelection, ConsoleAnswer> {
  const from = timeOf(query.get('from'));
  const to = timeOf(query.get('to'));
  const evse = query.get('evse') === null ? undefined : wholeNumber(query.get('evse'), 0, 999_999);
  if (from === 'wrong' || to === 'wrong')
    return failed(problem(400, 'from and to are times such as 2025-03-01T00:00:00Z', 'write the offset, too'));
  if (query.get('evse') !== null && evse === undefined)
    return failed(problem(400, 'evse is a number', 'forecourt status lists the EVSEs'));
  const full = query.get('full') === 'true';
  if (full && !mayAll)
    return failed(problem(403, 'whole tokens are for operators', 'leave full=true away, or ask an operator'));
  return ok({
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(evse !== undefined && { evse }),
    tokens: full ? 'full' : 'masked',
  });
}

type Column = readonly [title: string, value: (of: ListedTransaction) => string | number | undefined];

const COLUMNS: readonly Column[] = [
  ['transaction', ({ transaction }) => transaction],
  ['station', ({ station }) => station],
  ['evse', ({ evse }) => evse],
  ['startedAt', ({ startedAt }) => startedAt],
  ['endedAt', ({ endedAt }) => endedAt],
  ['idToken', ({ idToken }) => idToken],
  ['energy_Wh', ({ energy_Wh: energy }) => energy],
  ['cost', ({ cost }) => cost?.amount.toFixed(2)],
  ['currency', ({ cost }) => cost?.currency],
  ['reason', ({ reason }) => reason],
  ['estimated', ({ estimated }) => (estimated === true ? 'estimated' : undefined)],
  ['open', ({ open }) => (open ? 'open' : undefined)],
];

/** RFC 4180. */
async function* table(rows: AsyncIterable<ListedTransaction>): AsyncGenerator<string> {
  yield `${COLUMNS.map(([title]) => title).join(',')}\r\n`;
  for await (const row of rows) yield `${COLUMNS.map(([, value]) => cell(value(row))).join(',')}\r\n`;
}

function cell(value: string | number | undefined): string {
  const text = String(value ?? '');
  // A spreadsheet would take such a card for a formula.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
