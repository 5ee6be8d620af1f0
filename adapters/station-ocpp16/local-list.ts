// The list by which a charger decides while the gateway is away, sent in the portions it takes (OCPP 1.6 section 5.15).
import type { CommandOutcome, SendStationList } from '../../gateway/site/station-command.js';
import { tokenKey } from '../../gateway/site/tokens.js';
import type { Ask, Charger } from './charger.js';
import { fitsIdTag, idTagInfoOf } from './translate-token.js';

/** The first portion replaces the list; each later one adds to it, under a version one higher, as a difference must. */
export async function sendLocalList(command: SendStationList, charger: Charger, ask: Ask): Promise<CommandOutcome> {
  // A tag twice in one list makes some chargers refuse all of it, and a tag too long can never be presented.
  const unique = new Map(
    command.entries.filter(({ idToken }) => fitsIdTag(idToken)).map((entry) => [tokenKey(entry.idToken), entry]),
  );
  const entries = [...unique.values()].map(({ idToken, info }) => ({
    idTag: idToken.idToken,
    idTagInfo: idTagInfoOf(info, charger.station),
  }));
  const portion = Math.max(1, charger.learned.listChunk);
  for (let from = 0, part = 0; part === 0 || from < entries.length; from += portion, part++) {
    const chunk = entries.slice(from, from + portion);
    const outcome = await ask('SendLocalList', {
      listVersion: command.version + part,
      updateType: part === 0 ? 'Full' : 'Differential',
      ...(chunk.length > 0 && { localAuthorizationList: chunk }),
    });
    if (outcome.status !== 'Accepted') return outcome;
  }
  return { status: 'Accepted' };
}
