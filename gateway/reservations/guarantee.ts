// How many reservations the free EVSEs can meet at once: decides when an EVSE must be kept for a reservation that names none.
import type { EvseNumber } from '../kernel/ids.js';
import { candidates, evseState, type ConnectorState, type Reservation } from './reservation.js';

/** Reservations that can be met, each with the EVSE it would get. */
export type Assignment = ReadonlyMap<EvseNumber, Reservation>;

/**
 * Gives as many reservations as possible an EVSE of their own, by augmenting paths; earlier ones in the list keep theirs.
 * A reservation of one EVSE and one of any EVSE compete for the same places, as do views that overlap.
 * @param without an EVSE that is taken out of the count
 */
export function assign(
  reservations: readonly Reservation[],
  connectors: readonly ConnectorState[],
  without?: EvseNumber,
): Assignment {
  const given = new Map<EvseNumber, Reservation>();
  const place = (reservation: Reservation, tried: Set<EvseNumber>): boolean => {
    for (const evse of candidates(reservation, connectors)) {
      if (evse === without || tried.has(evse) || evseState(connectors, evse) !== 'free') continue;
      tried.add(evse);
      const holder = given.get(evse);
      if (holder && !place(holder, tried)) continue;
      given.set(evse, reservation);
      return true;
    }
    return false;
  };
  // Those of one EVSE first: they have no choice.
  const fixed = reservations.filter(({ evse }) => evse !== undefined);
  for (const reservation of [...fixed, ...reservations.filter(({ evse }) => evse === undefined)])
    place(reservation, new Set());
  return given;
}

/** A reservation that could no longer be met if this free EVSE went to somebody else; undefined where none suffers. */
export function keptFor(
  reservations: readonly Reservation[],
  connectors: readonly ConnectorState[],
  evse: EvseNumber,
): Reservation | undefined {
  const met = new Set(assign(reservations, connectors).values());
  const still = new Set(assign(reservations, connectors, evse).values());
  if (still.size >= met.size) return undefined;
  return [...met].find((reservation) => !still.has(reservation));
}
