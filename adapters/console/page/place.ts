// The places of the page and their addresses: what stands behind the # in the browser's address.
import type { Act } from './roles.js';

export type Place =
  | { readonly page: 'site' }
  | { readonly page: 'evse'; readonly evse: number }
  | { readonly page: 'circuit'; readonly circuit: string }
  | { readonly page: 'transactions' }
  | { readonly page: 'uplink' }
  | { readonly page: 'events' }
  | { readonly page: 'trace'; readonly peer?: string }
  | { readonly page: 'configuration' }
  | { readonly page: 'commissioning' }
  | { readonly page: 'users' };

export type PageName = Place['page'];

/** The way through the page, in the order of the menu; `needs` is what one must be allowed to be offered it. */
export const MENU: readonly { readonly page: PageName; readonly title: string; readonly needs?: Act }[] = [
  { page: 'site', title: 'Site' },
  { page: 'transactions', title: 'Charges' },
  { page: 'events', title: 'Events' },
  { page: 'uplink', title: 'Uplink' },
  { page: 'trace', title: 'Trace', needs: 'trace' },
  { page: 'configuration', title: 'Configuration', needs: 'configure' },
  { page: 'commissioning', title: 'Commissioning', needs: 'commission' },
  { page: 'users', title: 'Users' },
];

/** An address that leads nowhere leads to the site. */
export function placeOf(hash: string): Place {
  const [page = '', detail] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  switch (page) {
    case 'evse':
      return detail !== undefined && /^\d{1,6}$/.test(detail) ? { page, evse: Number(detail) } : { page: 'site' };
    case 'circuit':
      return detail === undefined || detail === '' ? { page: 'site' } : { page, circuit: detail };
    case 'trace':
      return detail === undefined || detail === '' ? { page } : { page, peer: detail };
    case 'transactions':
    case 'uplink':
    case 'events':
    case 'configuration':
    case 'commissioning':
    case 'users':
      return { page };
    default:
      return { page: 'site' };
  }
}

export function addressOf(place: Place): string {
  switch (place.page) {
    case 'site':
      return '#/';
    case 'evse':
      return `#/evse/${place.evse}`;
    case 'circuit':
      return `#/circuit/${encodeURIComponent(place.circuit)}`;
    case 'trace':
      return place.peer === undefined ? '#/trace' : `#/trace/${encodeURIComponent(place.peer)}`;
    default:
      return `#/${place.page}`;
  }
}

/** The subject of an event in words: `EVSE 3`, `station CP01`. */
export const subjectWords = (subject: string): string => subject.replace(/^evse\//, 'EVSE ').replace('/', ' ');

/** Where the subject of an event (`evse/3`, `station/CP01`) is looked at. */
export function addressOfSubject(subject: string): string | undefined {
  const [kind, name] = subject.split('/');
  if (name === undefined) return undefined;
  if (kind === 'evse') return addressOf({ page: 'evse', evse: Number(name) });
  if (kind === 'circuit') return addressOf({ page: 'circuit', circuit: name });
  if (kind === 'csms') return addressOf({ page: 'uplink' });
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
