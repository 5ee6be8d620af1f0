// Takes, gives back and uses up reservations (OCPP 1.6 section 5.13, 2.0.1 H01-H04): every function answers with the new list.
import type { CsmsId, EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { IdToken } from '../site/tokens.js';
import { assign, keptFor } from './guarantee.js';
import { candidates, evseState, isFor, isSame, type ConnectorState, type Reservation } from './reservation.js';

export type ReserveStatus = 'Accepted' | 'Faulted' | 'Occupied' | 'Rejected' | 'Unavailable';

export interface EndedReservation {
  readonly reservation: Reservation;
  readonly why: 'Expired' | 'Removed';
}

/**
 * Reserves, or replaces the reservation of the same id (1.6 section 5.13, H01.FR.02). A refused request leaves the earlier
 * one as it was.
 */
export function reserve(
  reservations: readonly Reservation[],
  request: Reservation,
  connectors: readonly ConnectorState[],
  now: Timestamp,
): { readonly status: ReserveStatus; readonly reservations: readonly Reservation[]; readonly replaced?: Reservation } {
  const replaced = reservations.find((reservation) => isSame(reservation, request));
  const others = reservations.filter((reservation) => reservation !== replaced);
  const status = judge(others, request, connectors, now);
  if (status !== 'Accepted') return { status, reservations };
  return { status, reservations: [...others, request], ...(replaced && { replaced }) };
}

function judge(
  others: readonly Reservation[],
  request: Reservation,
  connectors: readonly ConnectorState[],
  now: Timestamp,
): ReserveStatus {
  if (request.expiry <= now) return 'Rejected';
  if (request.evse !== undefined && !request.view.includes(request.evse)) return 'Rejected';
  const places = candidates(request, connectors);
  // No such EVSE, or none with a connector of that type.
  if (places.length === 0) return 'Rejected';
  const states = places.map((evse) => evseState(connectors, evse));
  if (states.includes('free')) {
    // Everyone who is promised a place now must still have one (H01.FR.07, H01.FR.20).
    const before = new Set(assign(others, connectors).values()).size;
    return new Set(assign([...others, request], connectors).values()).size > before ? 'Accepted' : 'Occupied';
  }
  if (states.includes('Occupied')) return 'Occupied';
  return states.includes('Faulted') ? 'Faulted' : 'Unavailable';
}

/** H02; a CSMS can only cancel its own. */
export function cancel(
  reservations: readonly Reservation[],
  csms: CsmsId,
  id: number,
): {
  readonly status: 'Accepted' | 'Rejected';
  readonly reservations: readonly Reservation[];
  readonly cancelled?: Reservation;
} {
  const cancelled = reservations.find((reservation) => isSame(reservation, { csms, id }));
  if (!cancelled) return { status: 'Rejected', reservations };
  return { status: 'Accepted', reservations: reservations.filter((other) => other !== cancelled), cancelled };
}

/** Ends what is past its expiry (H04.FR.01). */
export const expire = (reservations: readonly Reservation[], now: Timestamp) =>
  end(reservations, ({ expiry }) => expiry <= now, 'Expired');

/** Ends what can no longer be kept: its EVSE, or every EVSE it could have, is Faulted or Unavailable (1.6 section 5.13, H01). */
export const removeUnusable = (reservations: readonly Reservation[], connectors: readonly ConnectorState[]) =>
  end(
    reservations,
    (reservation) =>
      candidates(reservation, connectors).every((evse) => {
        const state = evseState(connectors, evse);
        return state === 'Faulted' || state === 'Unavailable';
      }),
    'Removed',
  );

function end(
  reservations: readonly Reservation[],
  is: (reservation: Reservation) => boolean,
  why: EndedReservation['why'],
): { readonly reservations: readonly Reservation[]; readonly ended: readonly EndedReservation[] } {
  return {
    reservations: reservations.filter((reservation) => !is(reservation)),
    ended: reservations.filter(is).map((reservation) => ({ reservation, why })),
  };
}

/**
 * Uses up the reservation that a start at this EVSE fulfils (H03): the EVSE's own before one of any EVSE, the token's own
 * before its group's, then the one that expires first.
 */
export function consume(
  reservations: readonly Reservation[],
  connectors: readonly ConnectorState[],
  at: { readonly evse: EvseNumber; readonly idToken: IdToken; readonly group?: IdToken },
): { readonly reservations: readonly Reservation[]; readonly used?: Reservation } {
  const rank = (reservation: Reservation): number =>
    (reservation.evse === undefined ? 2 : 0) + (isFor(reservation, at.idToken, undefined) ? 0 : 1);
  const [used] = reservations
    .filter(
      (reservation) =>
        isFor(reservation, at.idToken, at.group) && candidates(reservation, connectors).includes(at.evse),
    )
    .sort((a, b) => rank(a) - rank(b) || a.expiry - b.expiry);
  return used ? { reservations: reservations.filter((other) => other !== used), used } : { reservations };
}

/**
 * The reservation that keeps a token from starting at this EVSE: the EVSE's own, or, when as many EVSEs are free as are
 * promised, one of any EVSE (H01.FR.20). Undefined where the token may start, because nothing is held or it is its own.
 */
export function blocks(
  reservations: readonly Reservation[],
  connectors: readonly ConnectorState[],
  at: { readonly evse: EvseNumber; readonly idToken: IdToken; readonly group?: IdToken },
): Reservation | undefined {
  const { reservations: others, used } = consume(reservations, connectors, at);
  const own = others.find((reservation) => reservation.evse === at.evse);
  if (used?.evse === at.evse) return undefined;
  if (own) return own;
  // Counted as if free: the driver who is about to start may have plugged in already.
  return keptFor(others, asFree(connectors, at.evse), at.evse);
}

const asFree = (connectors: readonly ConnectorState[], evse: EvseNumber): readonly ConnectorState[] =>
  connectors.map((connector) => (connector.evse === evse ? { ...connector, status: 'Available' } : connector));

/** The free EVSEs that are shown as Reserved: held by name, or all that are left for those who were promised any (H01.FR.23, H01.FR.24). */
export const reservedEvses = (
  reservations: readonly Reservation[],
  connectors: readonly ConnectorState[],
): ReadonlySet<EvseNumber> =>
  new Set(
    connectors
      .map(({ evse }) => evse)
      .filter(
        (evse) => evseState(connectors, evse) === 'free' && keptFor(reservations, connectors, evse) !== undefined,
      ),
  );
