// The chargers of a site that is compared: one for each EVSE.
import type { Evse, Station } from '../../../gateway/site/topology.js';

export const chargerEach = (evses: readonly Evse[]): readonly Station[] =>
  evses.map((evse) => ({
    id: evse.station,
    link: { kind: 'ocpp', securityProfile: 0 },
    evses: [evse],
    start: { kind: 'authorized' },
  }));
