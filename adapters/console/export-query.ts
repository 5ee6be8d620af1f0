// The query of an export: which entries, from where to where, and whether tokens are shown.
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { timeOf } from './query.js';
import type { Bound, ExportedType, ExportSelection } from '../../gateway/ports/console.js';

const KNOWN = ['from', 'to', 'types', 'full'];
const TYPES: readonly ExportedType[] = ['transaction', 'cdr'];

/** @returns the selection, or in words what is wrong with it */
export function exportSelection(query: URLSearchParams): Result<ExportSelection, string> {
  const unknown = [...query.keys()].find((key) => !KNOWN.includes(key));
  if (unknown !== undefined)
    return failed(`${unknown} is not something that an export knows; there are ${KNOWN.join(', ')}`);
  const from = bound(query.get('from'));
  const to = bound(query.get('to'));
  if (from === 'wrong' || to === 'wrong')
    return failed('from and to are a sequence number such as 1200, or a time such as 2025-03-01T00:00:00Z');
  const asked = query.get('types')?.split(',') ?? TYPES;
  const types = TYPES.filter((type) => asked.includes(type));
  if (types.length !== asked.length) return failed(`types are ${TYPES.join(' and ')}, joined by a comma`);
  const full = query.get('full');
  if (full !== null && full !== '' && full !== 'true' && full !== 'false')
    return failed('full is true or false: whether tokens are shown in full');
  return ok({
    types,
    ...(from && { from }),
    ...(to && { to }),
    tokens: full === null || full === 'false' ? 'masked' : 'full',
  });
}

function bound(text: string | null): Bound | undefined | 'wrong' {
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return { seq: Number(text) };
  const at = timeOf(text);
  return typeof at === 'number' ? { at } : 'wrong';
}
