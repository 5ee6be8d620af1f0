// Where an EVSEType of a 2.0.1 station points to on the site, and what each connector last said of itself.
import type { Payload } from '../ocpp-j/contract.js';
import { integerOf } from '../ocpp-j/fields.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { ConnectorStatus } from '../../gateway/site/station-event.js';
import type { Evse, Station } from '../../gateway/site/topology.js';

interface Place {
  readonly evse: Evse;
  /** Absent: the EVSE as a whole. */
  readonly connector?: number;
}

/** `station`: evseId 0 or no EVSE at all; `unknown`: not in the site's description. */
export type Pointed = { readonly kind: 'station' } | { readonly kind: 'unknown' } | ({ readonly kind: 'evse' } & Place);

export class Places {
  readonly #station: Station;
  readonly #statuses = new Map<string, ConnectorStatus>();

  constructor(station: Station) {
    this.#station = station;
  }

  get #evses(): readonly Evse[] {
    return this.#station.evses;
  }

  of(evse: EvseNumber): Evse | undefined {
    return this.#evses.find((candidate) => candidate.number === evse);
  }

  at(evseId: number | undefined, connectorId: number | undefined): Pointed {
    if (evseId === undefined || evseId === 0) return { kind: 'station' };
    const evse = this.#evses.find((candidate) => candidate.stationEvse === evseId);
    if (!evse) return { kind: 'unknown' };
    if (connectorId === undefined || connectorId === 0) return { kind: 'evse', evse };
    const known = evse.connectors.some((connector) => connector.number === connectorId);
    return known ? { kind: 'evse', evse, connector: connectorId } : { kind: 'unknown' };
  }

  /** Reads an EVSEType. */
  read(evse: Payload | undefined): Pointed {
    return evse ? this.at(integerOf(evse, 'id'), integerOf(evse, 'connectorId')) : { kind: 'station' };
  }

  remember(evse: Evse | undefined, connector: number | undefined, status: ConnectorStatus): void {
    this.#statuses.set(`${evse?.stationEvse ?? 0}.${connector ?? 0}`, status);
  }

  statusOf(evse: Evse | undefined, connector: number | undefined): ConnectorStatus | undefined {
    return this.#statuses.get(`${evse?.stationEvse ?? 0}.${connector ?? 0}`);
  }
}
