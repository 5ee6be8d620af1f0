// The electrical review of what not every site has: EVSEs between two phases, transformers, EVSEs that switch phases.
import { wattsPerAmpere, type Evse, type Site } from '../gateway/site/topology.js';
import { errorAtKey, errorAtValue, warningAtKey, type Fault } from './fault.js';
import type { Path } from './place.js';

/** AC chargers on one phase or between two are built for 120 to 240 V, 10 % over that included. */
const HIGHEST_VOLTAGE = 265;

/** How a Modbus charger switches phases, and what a person has to fit or set for it; undefined where it cannot. */
export type PhaseSwitchOf = (device: string) => { readonly requires?: string } | undefined;

/** @param phaseSwitch how a Modbus charger switches phases, and what a person has to fit or set for it */
export const reviewWiring = (site: Site, phaseSwitch: PhaseSwitchOf): readonly Fault[] => [
  ...site.stations.flatMap(({ evses, link }) =>
    evses.flatMap((evse) => [
      ...reviewVoltage(site, evse),
      ...reviewPhaseSwitching(evse, link.kind === 'modbus' ? link.device : undefined, phaseSwitch),
    ]),
  ),
  ...reviewTransformers(site),
];

const pathOf = (evse: Evse): Path => ['stations', evse.station, 'evses', evse.stationEvse - 1];

function reviewVoltage(site: Site, evse: Evse): readonly Fault[] {
  if (evse.lineToLine !== true) return [];
  const between = Math.round(wattsPerAmpere(evse, site.nominalVoltage));
  if (between <= HIGHEST_VOLTAGE) return [];
  return [
    errorAtValue(
      'line-to-line-voltage',
      [...pathOf(evse), 'phases'],
      `EVSE ${evse.number} hangs between two phases, which have ${between} V between them at a nominal voltage of ${site.nominalVoltage} V`,
      'write nominal-voltage: 120 V (208 V between phases) or 133 V (230 V between phases) under site, or phases: L1',
    ),
  ];
}

function reviewPhaseSwitching(evse: Evse, device: string | undefined, phaseSwitch: PhaseSwitchOf): readonly Fault[] {
  if (evse.phaseSwitching !== true) return [];
  const path = [...pathOf(evse), 'phase-switching'];
  if (evse.phases.length !== 3 || !evse.rotationKnown)
    return [
      errorAtKey(
        'phase-switching-wiring',
        path,
        `EVSE ${evse.number} is to switch phases and is not wired to three known ones`,
        'write all three phases, such as phases: L2 L3 L1, or leave out phase-switching',
      ),
    ];
  if (device === undefined) return [];
  const known = phaseSwitch(device);
  if (known === undefined)
    return [
      errorAtKey(
        'cannot-switch-phases',
        path,
        `${device} has no known way to switch phases`,
        'leave out phase-switching',
      ),
    ];
  return known.requires === undefined
    ? []
    : [
        warningAtKey(
          'phase-switching-needs',
          path,
          `${device} switches phases only with ${known.requires}`,
          'check it at the charger, or leave out phase-switching',
        ),
      ];
}

/** Whatever feeds the primary side stands on it too, and no charger does. */
function reviewTransformers(site: Site): readonly Fault[] {
  const primary = new Set(
    site.circuits.filter(({ primaryVoltage }) => primaryVoltage !== undefined).map(({ id }) => id),
  );
  const order = site.circuits.flatMap(({ id, fedBy }) =>
    primary.has(id) && fedBy !== undefined && !primary.has(fedBy)
      ? [
          errorAtValue(
            'transformer-order',
            ['circuits', id, 'fed-by'],
            `circuit ${id} stands before a transformer and is fed by ${fedBy}, which has no primary-voltage`,
            `write primary-voltage at ${fedBy} too, or leave it out at ${id}`,
          ),
        ]
      : [],
  );
  const chargers = site.stations.flatMap(({ id, evses }) => {
    const [evse] = evses;
    return evse !== undefined && primary.has(evse.circuit)
      ? [
          errorAtValue(
            'evse-before-transformer',
            ['stations', id, 'circuit'],
            `station ${id} hangs on circuit ${evse.circuit}, which stands before the transformer`,
            'name the circuit behind the transformer, or add one',
          ),
        ]
      : [];
  });
  return [...order, ...chargers];
}
