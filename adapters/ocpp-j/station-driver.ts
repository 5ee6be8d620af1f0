// An OCPP charger's driver as the shell sees it, and its coming and going, which both versions have in common.
import type { StationDriver } from '../../gateway/ports/station.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { Volt } from '../../gateway/kernel/units.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type { Station } from '../../gateway/site/topology.js';
import type { AnnouncedCapabilities } from './announced-capabilities.js';
import type { ChargerLink } from './charger-link.js';
import type { CallHandler, OcppConnection } from './contract.js';
import type { FallbackProfiles } from './fallback-profiles.js';
import type { ActionHandler, StationReports } from './station-reports.js';

export interface OcppStationDriver extends StationDriver {
  /** Answers the charger's calls, on whichever connection they come. */
  readonly handler: CallHandler;
  /** A connection is open: reported as `connected`; an earlier one is let go of first. */
  attach(connection: OcppConnection): void;
  /** The connection is gone: reported as `disconnected`; commands end as `Offline` from now on. */
  detach(reason: string): void;
  /** The fallback current of these EVSEs is another one (`FallbackProfiles.changed`). Never rejects. */
  fallbackChanged(evses: readonly EvseNumber[]): Promise<void>;
}

export interface OcppStationSettings {
  /** Phase to neutral, for chargers that take watts only. */
  readonly nominalVoltage: Volt;
  /** Seconds. */
  readonly heartbeatInterval: number;
  /** Seconds between two samples while charging. */
  readonly meterInterval: number;
  /** Whether a charger that is on its own lets unknown drivers in, too. */
  readonly offlineTxForUnknownId: boolean;
  /** Whether it is given a list of those that are known. */
  readonly localList: boolean;
}

interface DriverParts {
  readonly station: Station;
  readonly link: ChargerLink;
  readonly reports: StationReports;
  readonly capabilities: AnnouncedCapabilities;
  /** What the charger may ask, by action. */
  readonly handlers: ReadonlyMap<string, ActionHandler>;
  readonly execute: (command: StationCommand) => Promise<CommandOutcome>;
  readonly fallbacks: FallbackProfiles;
  /** Forgets what the connection before has taught. */
  readonly forget: () => void;
}

/** The driver that lives as long as the site does, while connections come and go. */
export function stationDriver(parts: DriverParts): OcppStationDriver {
  const { station, link, reports, capabilities } = parts;

  function detach(reason: string): void {
    if (link.detach()) reports.tell({ type: 'disconnected', station: station.id, reason });
  }

  return {
    station,
    handler: reports.handler(parts.handlers, (action) => {
      if (action !== 'BootNotification') link.messageAnswered();
    }),
    attach(connection) {
      detach('replaced by a newer connection');
      parts.forget();
      link.attach(connection);
      reports.tell({ type: 'connected', station: station.id, capabilities: capabilities.current });
    },
    detach,
    execute: parts.execute,
    fallbackChanged: (evses) => parts.fallbacks.changed(evses),
    async stop() {
      const connection = link.attachment?.connection;
      detach('the gateway stops');
      connection?.close(1001, 'the gateway stops');
      await reports.stop();
    },
  };
}
