// How the gateway does, in the one line that a service manager shows.
import type { SiteStatus } from '../ports/console.js';

export function statusLine({ stations, evses, csms }: SiteStatus): string {
  const connected = stations.filter((station) => station.connected).length;
  const transactions = evses.filter(({ transaction }) => transaction !== undefined).length;
  const clouds = csms.map(({ csms: id, accepted, queued, deadLetters }) => {
    const dead = deadLetters > 0 ? `, ${deadLetters} dead letters` : '';
    return `${id} ${accepted ? 'accepted' : 'away'}, ${queued} waiting${dead}`;
  });
  return [`${connected} of ${stations.length} stations`, `${transactions} transactions`, ...clouds].join('; ');
}
