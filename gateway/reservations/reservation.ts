// What is reserved for whom, and what has to be known of the EVSEs to decide about it.
import type { CsmsId, EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';
import type { ConnectorStatus } from '../site/station-event.js';
import { tokenKey, type IdToken } from '../site/tokens.js';
import type { ConnectorType } from '../site/topology.js';

/** Plain JSON, stored as it is. Its id is the CSMS's own: two CSMSs may use the same number. */
export interface Reservation {
  readonly csms: CsmsId;
  readonly id: number;
  /** Absent: any EVSE of `view` (1.6 connector 0); one of them is kept free (H01.FR.20). */
  readonly evse?: EvseNumber;
  /** Only an EVSE with a connector of this type will do. */
  readonly connectorType?: ConnectorType;
  /** The EVSEs that the CSMS sees. */
  readonly view: readonly EvseNumber[];
  readonly idToken: IdToken;
  readonly group?: IdToken;
  readonly expiry: Timestamp;
}

/** One connector as it is now, before reservations are counted in. An offline station's are Unavailable. */
export interface ConnectorState {
  readonly evse: EvseNumber;
  readonly type: ConnectorType;
  /** `Reserved` counts as Available: whose it is, is known here. */
  readonly status: ConnectorStatus;
}

export type EvseState = 'free' | 'Occupied' | 'Faulted' | 'Unavailable';

/**
 * The state of an EVSE out of its connectors. One in use takes the whole EVSE, although 2.0.1 stations leave the others
 * Available (G01.FR.08).
 */
export function evseState(connectors: readonly ConnectorState[], evse: EvseNumber): EvseState | undefined {
  const statuses = connectors.filter((connector) => connector.evse === evse).map(({ status }) => status);
  if (statuses.length === 0) return undefined;
  if (statuses.includes('Occupied')) return 'Occupied';
  if (statuses.includes('Available') || statuses.includes('Reserved')) return 'free';
  return statuses.includes('Faulted') ? 'Faulted' : 'Unavailable';
}

/** The EVSEs a reservation can be met by, whatever their state. */
export function candidates(reservation: Reservation, connectors: readonly ConnectorState[]): readonly EvseNumber[] {
  const { evse, view, connectorType } = reservation;
  const wanted = new Set(evse === undefined ? view : [evse]);
  return [
    ...new Set(
      connectors
        .filter(
          ({ evse: number, type }) => wanted.has(number) && (connectorType === undefined || type === connectorType),
        )
        .map(({ evse: number }) => number),
    ),
  ];
}

/** The reservation's own token, or a member of its group (H03); whose group is looked up before (H03.FR.07, H03.FR.08). */
export const isFor = (reservation: Reservation, token: IdToken, group: IdToken | undefined): boolean =>
  tokenKey(reservation.idToken) === tokenKey(token) ||
  (reservation.group !== undefined &&
    group !== undefined &&
    group.idToken !== '' &&
    tokenKey(reservation.group) === tokenKey(group));

export const isSame = (a: Reservation, b: Pick<Reservation, 'csms' | 'id'>): boolean =>
  a.csms === b.csms && a.id === b.id;

/** Whether a stored value is a reservation. */
export function isReservation(value: unknown): value is Reservation {
  if (typeof value !== 'object' || value === null) return false;
  const { csms, id, view, idToken, expiry } = value as Partial<Record<keyof Reservation, unknown>>;
  return (
    typeof csms === 'string' &&
    Number.isSafeInteger(id) &&
    Array.isArray(view) &&
    typeof idToken === 'object' &&
    idToken !== null &&
    typeof (idToken as Record<string, unknown>)['idToken'] === 'string' &&
    typeof expiry === 'number'
  );
}
