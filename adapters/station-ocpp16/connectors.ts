// Connector numbers of an OCPP 1.6 charger: a flat list over the EVSEs of the station, from 1, in their configured order.
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { Evse, Station } from '../../gateway/site/topology.js';

interface PlacedConnector {
  /** connectorId as the charger has it. */
  readonly id: number;
  readonly evse: Evse;
  readonly connector: number;
}

/** connectorId 0 is the charger itself and in nobody's list (OCPP 1.6 section 3.8). */
export class ConnectorNumbers {
  readonly #station: Station;

  constructor(station: Station) {
    this.#station = station;
  }

  get all(): readonly PlacedConnector[] {
    return this.#station.evses
      .flatMap((evse) => evse.connectors.map((connector) => ({ evse, connector: connector.number })))
      .map((place, index) => ({ ...place, id: index + 1 }));
  }

  at(id: number | undefined): PlacedConnector | undefined {
    return id === undefined ? undefined : this.all.find((place) => place.id === id);
  }

  /** All connectors of an EVSE, or the named one. */
  of(evse: EvseNumber, connector?: number): readonly PlacedConnector[] {
    return this.all.filter(
      (place) => place.evse.number === evse && (connector === undefined || place.connector === connector),
    );
  }
}
