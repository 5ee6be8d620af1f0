// A list for a charger, cut into the messages it takes: the first as it was meant, each later one adding to it (D01).
import type { SendStationList } from '../../gateway/site/station-command.js';
import { tokenKey, type IdToken } from '../../gateway/site/tokens.js';

export type ListPortion = Pick<SendStationList, 'version' | 'update' | 'entries'>;

/**
 * At least one, which of a full update may be empty. The versions count up to the command's, as differences must.
 * @param size entries that the charger takes in one message
 * @param fits what the charger cannot be told is left out: it could never be presented there
 */
export function listPortions(
  { version, update, entries }: SendStationList,
  size: number,
  fits: (token: IdToken) => boolean,
): readonly ListPortion[] {
  // A token twice in one list makes some chargers refuse all of it.
  const unique = [
    ...new Map(
      entries.filter(({ idToken }) => fits(idToken)).map((entry) => [tokenKey(entry.idToken), entry]),
    ).values(),
  ];
  const portion = Math.max(1, size);
  const count = Math.max(1, Math.ceil(unique.length / portion));
  return Array.from({ length: count }, (_, index) => ({
    version: version - (count - 1 - index),
    update: index === 0 ? update : 'Differential',
    entries: unique.slice(index * portion, (index + 1) * portion),
  }));
}
