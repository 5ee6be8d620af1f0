// Tokens as OCPP 2.0.1 writes them; the inside speaks the same words, only EVSE numbers and times differ.
import type { Payload } from '../ocpp-j/contract.js';
import { memberOf, recordOf, textOf } from '../ocpp-j/fields.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { IdToken, IdTokenInfo, IdTokenType } from '../../gateway/site/tokens.js';
import type { Station } from '../../gateway/site/topology.js';

/** identifierString[36] of IdTokenType. */
const ID_TOKEN_LENGTH = 36;

const TYPES: readonly IdTokenType[] = [
  'Central',
  'eMAID',
  'ISO14443',
  'ISO15693',
  'KeyCode',
  'Local',
  'MacAddress',
  'NoAuthorization',
];

export const fits = (token: IdToken): boolean => token.idToken.length <= ID_TOKEN_LENGTH;

/** The token in `field`; undefined where there is none. */
export function idTokenOf(payload: Payload, field = 'idToken'): IdToken | undefined {
  const written = recordOf(payload, field);
  const idToken = written && textOf(written, 'idToken');
  if (!written || idToken === undefined) return undefined;
  return { idToken, type: memberOf(written['type'], TYPES) ?? 'ISO14443' };
}

export const writtenToken = (token: IdToken): Payload => ({ idToken: token.idToken, type: token.type });

/** IdTokenInfoType for one station: only its own EVSEs are named, by its own numbers (C01.FR.20). */
export function idTokenInfoOf(info: IdTokenInfo, station: Station): Payload {
  const evseId = info.evses && station.evses.filter((evse) => info.evses?.includes(evse.number));
  // An empty list is not allowed, and no list would mean every EVSE.
  const elsewhere = evseId?.length === 0 && info.status === 'Accepted';
  const message = info.personalMessage;
  return {
    status: elsewhere ? 'NotAtThisLocation' : info.status,
    ...(info.cacheExpiry !== undefined && { cacheExpiryDateTime: toRfc3339(info.cacheExpiry) }),
    ...(info.chargingPriority !== undefined && { chargingPriority: info.chargingPriority }),
    ...(info.language1 !== undefined && { language1: info.language1 }),
    ...(evseId && evseId.length > 0 && { evseId: evseId.map((evse) => evse.stationEvse) }),
    ...(info.group && { groupIdToken: writtenToken(info.group) }),
    ...(message && {
      personalMessage: {
        format: message.format,
        ...(message.language !== undefined && { language: message.language }),
        content: message.content,
      },
    }),
  };
}
