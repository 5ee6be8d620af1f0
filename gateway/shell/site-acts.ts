// Carries out what somebody at the site asks for, by the same paths as what a CSMS asks for.
import type { Clock } from '../kernel/clock.js';
import { csmsId, evseNumber, stationId, type EvseNumber } from '../kernel/ids.js';
import { maskToken, type Log } from '../kernel/log.js';
import { minutes as spanOf, timestamp, toRfc3339, wattHour } from '../kernel/units.js';
import type { ActAnswer, ActRefusal, SiteActs, WantedNeeds } from '../ports/console-acts.js';
import type { OperationAnswer } from '../ports/operations.js';
import type { SiteBook } from '../site/site-book.js';
import type { CommandOutcome } from '../site/station-command.js';
import type { Site, Station } from '../site/topology.js';
import type { IdToken } from '../site/tokens.js';
import type { Transaction } from '../site/transaction.js';
import type { Availability } from './availability.js';
import type { CarNeeds } from './car-needs.js';
import type { SiteOperations } from './operations.js';
import type { RemoteStarts } from './remote-starts.js';
import type { Reservations } from './reservations.js';

/** Whose a reservation is that was made here: no CSMS, whose id has no colon. */
const SITE = csmsId('site:');
/** Above what CSMSs use as ids, for chargers know them all by these alone. */
const RESERVATION_IDS = 2_000_000_000;

export interface ActDependencies {
  readonly site: Site;
  readonly book: SiteBook;
  readonly operations: SiteOperations;
  readonly remoteStarts: RemoteStarts;
  readonly availability: Availability;
  readonly reservations: Reservations;
  readonly needs: CarNeeds;
  readonly clock: Clock;
  readonly log: Log;
  /** What was done, in words, by whom and where. */
  readonly told: (act: Act) => void;
}

export interface Act {
  readonly by: string;
  /** `evse/3` or `station/CP01`. */
  readonly subject: string;
  readonly text: string;
  readonly answer: ActAnswer;
}

const rejected = (reason: ActRefusal, detail: string): ActAnswer => ({ status: 'Rejected', reason, detail });

export class LocalActs implements SiteActs {
  readonly #deps: ActDependencies;

  constructor(deps: ActDependencies) {
    this.#deps = deps;
  }

  start(evse: number, idToken: string | undefined, by: string): Promise<ActAnswer> {
    const shown = idToken === undefined ? '' : ` for card ${maskToken(idToken)}`;
    return this.#at(evse, `start${shown}`, by, async (number, station) => {
      const token: IdToken =
        idToken === undefined
          ? { idToken: ownToken(this.#deps.site, station), type: 'Local' }
          : { idToken, type: 'ISO14443' };
      return fromOperation(await this.#deps.remoteStarts.startHere(number, token, idToken === undefined));
    });
  }

  stop(evse: number, by: string): Promise<ActAnswer> {
    return this.#at(evse, 'stop', by, async (number) => {
      const transaction = this.#open(number);
      if (transaction === undefined) return rejected('no-transaction', 'no transaction is open there');
      return fromOutcome(await this.#deps.operations.stop(transaction));
    });
  }

  unlock(evse: number, by: string): Promise<ActAnswer> {
    return this.#at(evse, 'unlock', by, async (number) => {
      const { status, detail } = await this.#deps.operations.unlockHere({ evse: number });
      if (status === 'Unlocked') return { status };
      if (status === 'NotSupported') return rejected('not-supported', 'the charger cannot be unlocked from here');
      return rejected('charger', detail ?? `the charger says ${status}`);
    });
  }

  changeAvailability(evse: number, operative: boolean, by: string): Promise<ActAnswer> {
    return this.#at(evse, operative ? 'into service' : 'out of service', by, async (number) => {
      const status = await this.#deps.availability.change([{ evse: number }], operative);
      return status === 'Rejected' ? rejected('charger', 'the charger refuses it') : { status };
    });
  }

  reserve(evse: number, idToken: string, minutes: number, by: string): Promise<ActAnswer> {
    const text = `reserve for card ${maskToken(idToken)} for ${minutes} min`;
    return this.#at(evse, text, by, async (number) => {
      const status = await this.#deps.reservations.reserve({
        csms: SITE,
        id: RESERVATION_IDS + number,
        evse: number,
        view: [number],
        idToken: { idToken, type: 'ISO14443' },
        expiry: timestamp(this.#deps.clock.now() + spanOf(minutes)),
      });
      if (status === 'Accepted') return { status };
      return status === 'Occupied'
        ? rejected('occupied', 'the EVSE is in use, or kept for somebody else')
        : rejected('out-of-service', `the EVSE is ${status === 'Rejected' ? 'not to be reserved' : status}`);
    });
  }

  release(evse: number, by: string): Promise<ActAnswer> {
    return this.#at(evse, 'release the reservation', by, async (number) =>
      (await this.#deps.reservations.release(number, SITE))
        ? { status: 'Accepted' }
        : rejected('no-reservation', 'no reservation names this EVSE'),
    );
  }

  need(evse: number, wanted: WantedNeeds, by: string): Promise<ActAnswer> {
    return this.#at(evse, `needs: ${inWords(wanted)}`, by, async (number) => {
      if (!this.#isTaken(number)) return rejected('no-car', 'no car is plugged in there');
      const { departure, energy_Wh: energy } = wanted;
      await this.#deps.needs.set(number, {
        ...(departure !== undefined && { departure: departure === null ? null : timestamp(departure) }),
        ...(energy !== undefined && { energy: energy === null ? null : wattHour(energy) }),
      });
      return this.#deps.site.balancing.strategy === 'most-energy'
        ? { status: 'Accepted' }
        : { status: 'Accepted', detail: 'kept, and shown; it decides only with balancing: { strategy: most-energy }' };
    });
  }

  async reset(id: string, kind: 'soft' | 'hard', by: string): Promise<ActAnswer> {
    const station = this.#deps.site.stations.find((each) => each.id === id);
    if (station === undefined) return rejected('no-such-station', `there is no station ${id} in site.yaml`);
    const outcome = await this.#deps.operations.resetHere(stationId(id), kind);
    return this.#tell({ by, subject: `station/${id}`, text: `${kind} reset`, answer: fromOutcome(outcome) });
  }

  async #at(
    evse: number,
    text: string,
    by: string,
    act: (evse: EvseNumber, station: Station) => Promise<ActAnswer>,
  ): Promise<ActAnswer> {
    const { site } = this.#deps;
    const number = evseNumber(evse);
    const station = site.stations.find(({ evses }) => evses.some((each) => each.number === number));
    if (station === undefined) return rejected('no-such-evse', `there is no EVSE ${evse} in site.yaml`);
    return this.#tell({ by, subject: `evse/${evse}`, text, answer: await act(number, station) });
  }

  #tell(act: Act): ActAnswer {
    const { by, subject, text, answer } = act;
    this.#deps.log.info({ by, subject, act: text, status: answer.status, detail: answer.detail }, 'act at the site');
    this.#deps.told(act);
    return answer;
  }

  #open(evse: EvseNumber): Transaction | undefined {
    return this.#deps.book.evse(evse)?.transaction;
  }

  #isTaken(evse: EvseNumber): boolean {
    const { book } = this.#deps;
    const connectors = book.describe(evse)?.connectors ?? [];
    return (
      this.#open(evse) !== undefined ||
      connectors.some(({ number }) => book.connector(evse, number)?.reported === 'Occupied')
    );
  }
}

/** What everybody charges under at a station that is free, else what site.yaml calls a start from here. */
const ownToken = ({ console }: Site, { start }: Station): string =>
  start.kind === 'free' ? start.idToken : (console?.startToken ?? 'CONSOLE');

function inWords({ departure, energy_Wh: energy }: WantedNeeds): string {
  const words = [
    ...(departure === undefined
      ? []
      : [departure === null ? 'no departure' : `leaves at ${toRfc3339(timestamp(departure))}`]),
    ...(energy === undefined ? [] : [energy === null ? 'no energy' : `${energy / 1000} kWh`]),
  ];
  return words.length === 0 ? 'as before' : words.join(', ');
}

const REASONS: Readonly<Record<string, ActRefusal>> = {
  UnknownEvse: 'no-such-evse',
  TxInProgress: 'transaction-open',
  Unavailable: 'out-of-service',
  Faulted: 'out-of-service',
  Offline: 'offline',
  Reserved: 'reserved',
  InvalidIdToken: 'not-authorized',
  Uncertain: 'uncertain',
};

function fromOperation({ status, reasonCode, detail }: OperationAnswer<'Accepted' | 'Rejected'>): ActAnswer {
  if (status === 'Accepted') return { status };
  return rejected(REASONS[reasonCode ?? ''] ?? 'charger', detail ?? 'the charger refuses it');
}

function fromOutcome({ status, detail }: CommandOutcome): ActAnswer {
  switch (status) {
    case 'Accepted':
    case 'Scheduled':
      return { status };
    case 'Offline':
      return rejected('offline', 'the charger is offline');
    case 'Uncertain':
      return rejected('uncertain', 'the charger has not answered: it may have done it all the same');
    case 'NotSupported':
      return rejected('not-supported', detail ?? 'the charger cannot do this');
    default:
      return rejected('charger', detail ?? `the charger says ${status}`);
  }
}
