// The addresses by which somebody at the site acts: what is asked is checked, done, and answered in words.
import type { ActAnswer, ActRefusal, SiteActs, WantedNeeds } from '../../gateway/ports/console-acts.js';
import {
  answer,
  problem,
  type Asked,
  type ConsoleAnswer,
  type ConsoleRoute,
  type JsonObject,
} from '../../gateway/ports/console-routes.js';
import { timeOf } from './query.js';
import type { Role } from '../../gateway/ports/console-users.js';

/** Reservations of more than a week are a matter of contract, not of an evening. */
const LONGEST_RESERVATION_min = 7 * 24 * 60;
/** A lorry's battery. */
const LARGEST_NEED_Wh = 1_000_000;
const LONGEST_STAY_ms = 14 * 86_400_000;

/** OCPP 2.0.1 identifierString and what 1.6 chargers send: printable, no spaces. */
const TOKEN = /^[\x21-\x7e]{1,36}$/;

type Do = (evse: number, asked: Asked) => ConsoleAnswer | Promise<ActAnswer>;

/** @param now the site's time in ms since 1970 */
export function actRoutes(site: string, acts: SiteActs, now: () => number): readonly ConsoleRoute[] {
  const said = (done: ActAnswer): ConsoleAnswer => {
    if (done.status !== 'Rejected') return answer({ site, ...done });
    const { reason = 'charger', detail = 'refused' } = done;
    return problem(reason.startsWith('no-such-') ? 404 : 409, detail, ACTIONS[reason]);
  };
  const evseRoute = (act: string, access: Role, does: Do): ConsoleRoute => ({
    method: 'POST',
    path: `/api/evses/*/${act}`,
    access,
    answer: async (asked) => {
      const [number = ''] = asked.parts;
      if (!/^\d{1,6}$/.test(number)) return said(noSuchEvse(number));
      const done = await does(Number(number), asked);
      return 'kind' in done ? done : said(done);
    },
  });
  return [
    evseRoute('start', 'electrician', (evse, { body, caller }) => {
      const token = tokenOf(body, false);
      return 'kind' in token ? token : acts.start(evse, token.idToken, caller.name);
    }),
    evseRoute('stop', 'electrician', (evse, { caller }) => acts.stop(evse, caller.name)),
    evseRoute('unlock', 'electrician', (evse, { caller }) => acts.unlock(evse, caller.name)),
    evseRoute('availability', 'electrician', (evse, { body, caller }) =>
      typeof body['operative'] === 'boolean'
        ? acts.changeAvailability(evse, body['operative'], caller.name)
        : problem(400, 'operative is true or false', 'send for example {"operative":false}'),
    ),
    evseRoute('reserve', 'operator', (evse, { body, caller }) => {
      const token = tokenOf(body, true);
      if ('kind' in token) return token;
      const { minutes } = body;
      if (!isWhole(minutes) || minutes < 1 || minutes > LONGEST_RESERVATION_min)
        return problem(
          400,
          `minutes is a whole number from 1 to ${LONGEST_RESERVATION_min}`,
          'send for example {"idToken":"04A2B3C4","minutes":60}',
        );
      return acts.reserve(evse, token.idToken, minutes, caller.name);
    }),
    evseRoute('release', 'operator', (evse, { caller }) => acts.release(evse, caller.name)),
    evseRoute('needs', 'electrician', (evse, { body, caller }) => {
      const wanted = needsOf(body, now());
      return 'kind' in wanted ? wanted : acts.need(evse, wanted, caller.name);
    }),
    {
      method: 'POST',
      path: '/api/stations/*/reset',
      access: 'electrician',
      answer: async ({ parts: [station = ''], body, caller }) => {
        const { kind } = body;
        if (kind !== 'soft' && kind !== 'hard')
          return problem(400, 'kind is soft or hard', 'send for example {"kind":"soft"}');
        return said(await acts.reset(station, kind, caller.name));
      },
    },
  ];
}

const noSuchEvse = (evse: string): ActAnswer => ({
  status: 'Rejected',
  reason: 'no-such-evse',
  detail: `there is no EVSE ${evse.slice(0, 20)} in site.yaml`,
});

const ACTIONS: Readonly<Record<ActRefusal, string>> = {
  'no-such-evse': 'forecourt status lists the EVSEs',
  'no-such-station': 'forecourt status lists the stations',
  'transaction-open': 'stop it first',
  'no-transaction': 'forecourt status shows what goes on there',
  'out-of-service': 'look at its status: put it into service, or have its fault mended',
  offline: 'look whether the charger has power and network',
  reserved: 'release the reservation, or use its card',
  'not-authorized': 'use a card that the site or its CSMS knows, or none for the token of the site',
  'no-reservation': 'forecourt status shows what is reserved',
  occupied: 'wait until it is free, or take another EVSE',
  'no-car': 'plug the car in first',
  'not-supported': 'do it at the charger',
  charger: 'look at the charger; its log may say why',
  uncertain: 'look at its status before you try again',
};

function tokenOf({ idToken }: JsonObject, wanted: true): { readonly idToken: string } | ReturnType<typeof problem>;
function tokenOf(
  { idToken }: JsonObject,
  wanted: false,
): { readonly idToken: string | undefined } | ReturnType<typeof problem>;
function tokenOf({ idToken }: JsonObject, wanted: boolean) {
  if (idToken === undefined && !wanted) return { idToken };
  if (typeof idToken === 'string' && TOKEN.test(idToken)) return { idToken };
  return problem(400, 'idToken is a card of 1 to 36 characters without spaces', 'send the number that a reader shows');
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function needsOf({ departure, energy_Wh: energy }: JsonObject, now: number): WantedNeeds | ReturnType<typeof problem> {
  if (departure === undefined && energy === undefined)
    return problem(400, 'neither departure nor energy_Wh is there', 'send one of them, or null to take it back');
  const leaves =
    departure === undefined || departure === null ? departure : timeOf(typeof departure === 'string' ? departure : '');
  if (leaves === 'wrong' || (typeof leaves === 'number' && !(leaves > now && leaves <= now + LONGEST_STAY_ms)))
    return problem(
      400,
      'departure is a time to come, within 14 days, with its offset',
      'send for example {"departure":"2025-03-01T17:30:00+01:00"}',
    );
  const wanted = energy === undefined || energy === null || typeof energy === 'number' ? energy : NaN;
  if (typeof wanted === 'number' && !(wanted >= 0 && wanted <= LARGEST_NEED_Wh))
    return problem(400, `energy_Wh is from 0 to ${LARGEST_NEED_Wh}`, 'send for example {"energy_Wh":20000}');
  return {
    ...(leaves !== undefined && { departure: leaves }),
    ...(wanted !== undefined && { energy_Wh: wanted }),
  };
}
