// What each role may do; the gateway refuses the rest, and the page does not offer it.
import type { Role } from '../../../gateway/ports/console-users.js';

export type Act =
  | 'charge'
  | 'unlock'
  | 'availability'
  | 'needs'
  | 'reserve'
  | 'reset'
  | 'redrive'
  | 'trace'
  | 'configure'
  | 'commission'
  | 'users';

const ELECTRICIAN: readonly Act[] = [
  'charge',
  'unlock',
  'availability',
  'needs',
  'reset',
  'trace',
  'configure',
  'commission',
];
const OPERATOR: readonly Act[] = [...ELECTRICIAN, 'reserve', 'redrive', 'users'];
const ACTS: Readonly<Record<Role, readonly Act[]>> = { viewer: [], electrician: ELECTRICIAN, operator: OPERATOR };

export const may = (role: Role, act: Act): boolean => ACTS[role].includes(act);
