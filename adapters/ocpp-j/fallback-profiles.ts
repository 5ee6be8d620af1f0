// The fail-safe profiles of one OCPP charger: written at its set-up, after what raised one, and when the fallback current is another one.
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import type { Log } from '../../gateway/kernel/log.js';
import { minutes } from '../../gateway/kernel/units.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { Evse, Station } from '../../gateway/site/topology.js';
import type { AnnouncedCapabilities } from './announced-capabilities.js';
import { COMMAND_TIME, type AskOptions, type Attachment, type ChargerLink } from './charger-link.js';
import type { LimitWriter, ProfileCalls } from './limit-writer.js';

/** A set-up that is not through by then is repeated with the next connection anyway. */
const SET_UP_TIME = minutes(5);

interface FallibleCharger {
  readonly station: Station;
  readonly link: ChargerLink;
  readonly log: Log;
  readonly capabilities: AnnouncedCapabilities;
  /** By the present connection. */
  readonly learned: { readonly limits: LimitWriter };
}

export class FallbackProfiles {
  readonly #charger: FallibleCharger;
  readonly #calls: (attachment: Attachment, options: AskOptions) => ProfileCalls;

  /** @param calls that write profiles in the version that the charger speaks */
  constructor(charger: FallibleCharger, calls: (attachment: Attachment, options: AskOptions) => ProfileCalls) {
    this.#charger = charger;
    this.#calls = calls;
  }

  /** Writes that of one EVSE. */
  async install(attachment: Attachment, evse: Evse, options: AskOptions): Promise<CommandOutcome> {
    const { learned, log, station } = this.#charger;
    const outcome = await learned.limits.installFallback(evse, this.#calls(attachment, options));
    if (outcome.status !== 'Accepted')
      log.warn(
        {
          station: station.id,
          evse: evse.number,
          fault: FAULTS.setupIncomplete.code,
          status: outcome.status,
          detail: outcome.detail,
        },
        'fail-safe profile not accepted: the charger keeps its last limit when the gateway is silent',
      );
    return outcome;
  }

  /** A default that had to serve a transaction goes back to the fallback current when that transaction is over. */
  lower(numbers: readonly EvseNumber[]): void {
    const { station, link, log, capabilities } = this.#charger;
    const { attachment } = link;
    if (!attachment || numbers.length === 0) return;
    this.#installAll(attachment, numbers).then(
      () => capabilities.announceChange(this.#charger.learned.limits),
      (err: unknown) => log.error({ station: station.id, err }, 'fail-safe profile could not be put back'),
    );
  }

  /**
   * The fallback current of these EVSEs is another one: told now, or by the set-up of the next connection. When it is told,
   * the limits in force are reported as reset. Never rejects.
   */
  async changed(numbers: readonly EvseNumber[]): Promise<void> {
    const { link, capabilities, learned } = this.#charger;
    for (const evse of this.#evses(numbers)) learned.limits.fallbackChanged(evse);
    const { attachment } = link;
    // A set-up that is under way may have written the former current already.
    const ready = attachment && (await link.pass(attachment, attachment.profilesReady, link.deadline(SET_UP_TIME)));
    if (attachment === undefined || ready !== true) return;
    await this.#installAll(attachment, numbers);
    // On some chargers the default is the limit that is in force.
    if (link.attachment === attachment) capabilities.announce(this.#charger.learned.limits);
  }

  async #installAll(attachment: Attachment, numbers: readonly EvseNumber[]): Promise<void> {
    const options = { deadline: this.#charger.link.deadline(COMMAND_TIME), priority: 0 };
    await Promise.all(this.#evses(numbers).map((evse) => this.install(attachment, evse, options)));
  }

  #evses(numbers: readonly EvseNumber[]): readonly Evse[] {
    return this.#charger.station.evses.filter(({ number }) => numbers.includes(number));
  }
}
