// The list by which a charger decides while the gateway is away, sent in the portions it takes (OCPP 1.6 section 5.15).
import { listPortions } from '../ocpp-j/list-portions.js';
import type { CommandOutcome, SendStationList } from '../../gateway/site/station-command.js';
import type { Ask, Charger } from './charger.js';
import { fitsIdTag, idTagInfoOf } from './translate-token.js';

export async function sendLocalList(command: SendStationList, charger: Charger, ask: Ask): Promise<CommandOutcome> {
  for (const { version, update, entries } of listPortions(command, charger.learned.listChunk, fitsIdTag)) {
    const outcome = await ask('SendLocalList', {
      listVersion: version,
      updateType: update,
      ...(entries.length > 0 && {
        localAuthorizationList: entries.map(({ idToken, info }) => ({
          idTag: idToken.idToken,
          ...(info && { idTagInfo: idTagInfoOf(info, charger.station) }),
        })),
      }),
    });
    if (outcome.status !== 'Accepted') return outcome;
  }
  return { status: 'Accepted' };
}
