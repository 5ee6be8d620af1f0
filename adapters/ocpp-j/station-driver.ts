// An OCPP charger's driver as the shell sees it, and its coming and going, which both versions have in common.
import type { StationDriver } from '../../gateway/ports/station.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import { minutes, type Volt } from '../../gateway/kernel/units.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type { Station } from '../../gateway/site/topology.js';
import type { AnnouncedCapabilities } from './announced-capabilities.js';
import type { Attachment, ChargerLink } from './charger-link.js';
import type { CallHandler, OcppConnection } from './contract.js';
import type { LimitWriter } from './limit-writer.js';
import type { ActionHandler, StationReports } from './station-reports.js';

export interface OcppStationDriver extends StationDriver {
  /** Answers the charger's calls, on whichever connection they come. */
  readonly handler: CallHandler;
  /** A connection is open: reported as `connected`; an earlier one is let go of first. */
  attach(connection: OcppConnection): void;
  /** The connection is gone: reported as `disconnected`; commands end as `Offline` from now on. */
  detach(reason: string): void;
  /**
   * The fallback current of these EVSEs is another one: told now, or by the set-up of the next connection. When it is told,
   * the limits in force are reported as reset. Never rejects.
   */
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

/** A set-up that is not through by then is repeated with the next connection anyway. */
const SET_UP_TIME = minutes(5);

interface DriverParts {
  readonly station: Station;
  readonly link: ChargerLink;
  readonly reports: StationReports;
  readonly capabilities: AnnouncedCapabilities;
  /** What the charger may ask, by action. */
  readonly handlers: ReadonlyMap<string, ActionHandler>;
  readonly execute: (command: StationCommand) => Promise<CommandOutcome>;
  /** Writes the fail-safe profiles of these EVSEs; logs what is not taken. */
  readonly installFallbacks: (attachment: Attachment, evses: readonly EvseNumber[]) => Promise<void>;
  /** What the present connection has taught about the charger's profiles. */
  readonly limits: () => LimitWriter;
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
    async fallbackChanged(numbers) {
      for (const evse of station.evses) if (numbers.includes(evse.number)) parts.limits().fallbackChanged(evse);
      const { attachment } = link;
      // A set-up that is under way may have written the former current already.
      const ready = attachment && (await link.pass(attachment, attachment.profilesReady, link.deadline(SET_UP_TIME)));
      if (attachment === undefined || ready !== true) return;
      await parts.installFallbacks(attachment, numbers);
      // On some chargers the default is the limit that is in force.
      if (link.attachment === attachment) capabilities.announce(parts.limits());
    },
    async stop() {
      const connection = link.attachment?.connection;
      detach('the gateway stops');
      connection?.close(1001, 'the gateway stops');
      await reports.stop();
    },
  };
}
