// Puts another site in force under the running parts: everything that can fail first, then all of it in one moment.
import type { Parts } from './parts.js';
import { isSame, renewedMeters } from './site/site-change.js';
import type { ConnectorChange } from './site/site-book.js';
import type { Site } from './site/topology.js';

/**
 * Opens what another site needs beside what is there. Nothing has changed until the answer is called, which cannot fail.
 * @param replace makes it the site that everybody reads
 * @returns what puts it in force, and answers with the connectors that are new or gone
 * @throws JournalUnavailable when what is on disk of a new CSMS cannot be read, or its first documents cannot be written
 * @throws Error when what is stored of a new CSMS cannot be understood
 */
export async function prepareSite(
  parts: Parts,
  next: Site,
  replace: (next: Site) => void,
): Promise<() => readonly ConnectorChange[]> {
  const { site, views } = parts;
  const added = await Promise.all(
    next.csms.filter(({ id }) => !views.some((view) => view.csms === id)).map((csms) => parts.openView(csms, next)),
  );
  const profiles = await parts.profiles.prepared(next.csms);
  return () => {
    const { book, clock, keeper } = parts;
    const now = clock.now();
    const renewed = renewedMeters(site.meters, next.meters);
    const rules = site.authorization;
    replace(next);
    const changes = book.reconfigured(now);
    for (const transaction of keeper.book.open())
      if (book.evse(transaction.evse)?.transaction === undefined) book.transactionChanged(transaction, now);
    parts.availability.reconfigured();
    parts.variables.reconfigured();
    profiles();
    parts.gridOperator.reconfigured();
    for (const view of views.filter(({ csms }) => !next.csms.some(({ id }) => id === csms))) {
      view.stop();
      views.splice(views.indexOf(view), 1);
    }
    views.push(...added);
    for (const view of views) view.reconfigured();
    parts.reservations.show();
    if (!isSame(rules, next.authorization)) parts.chargerLists.changed('worse');
    parts.steering.reconfigured(renewed);
    return changes;
  };
}
