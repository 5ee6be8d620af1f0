// The site in a few figures: what it takes from the grid, how many cars charge, what is left on its fullest conductor.
import type { SiteDrawing, SiteStatus } from '../../../../gateway/ports/console.js';
import { PHASES } from '../standing.js';

export type PhaseName = (typeof PHASES)[number];

export interface SiteFigures {
  /** Of all grid connections, at the nominal voltage; absent before the first measurement. */
  readonly power_W?: number;
  readonly charging: number;
  readonly transactions: number;
  readonly evses: number;
  /** The conductor of a grid connection with the least room below its limit. */
  readonly tightest?: {
    readonly circuit: string;
    readonly phase: PhaseName;
    readonly room_A: number;
    readonly limit_A: number;
  };
}

export function siteFigures(drawing: SiteDrawing, status: SiteStatus): SiteFigures {
  const connections = status.circuits.flatMap(({ circuit, fedBy, standing }) =>
    fedBy === undefined && standing !== undefined ? [{ circuit, standing }] : [],
  );
  const rooms = connections.flatMap(({ circuit, standing }) =>
    PHASES.map((phase) => ({
      circuit,
      phase,
      limit_A: standing.limit_A,
      room_A: standing.limit_A - standing.current_A[phase],
    })),
  );
  const tightest = rooms.reduce<(typeof rooms)[number] | undefined>(
    (least, each) => (least === undefined || each.room_A < least.room_A ? each : least),
    undefined,
  );
  const current_A = connections
    .flatMap(({ standing }) => PHASES.map((phase) => standing.current_A[phase]))
    .reduce((sum, each) => sum + each, 0);
  return {
    ...(connections.length > 0 && { power_W: current_A * drawing.nominalVoltage_V }),
    charging: status.evses.filter(({ connectors }) => connectors.some((each) => each.chargingState === 'Charging'))
      .length,
    transactions: status.evses.filter(({ transaction }) => transaction !== undefined).length,
    evses: status.evses.length,
    ...(tightest !== undefined && { tightest }),
  };
}
