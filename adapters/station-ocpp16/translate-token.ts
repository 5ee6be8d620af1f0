// Tokens between the two vocabularies: idTag of 20 characters here, typed idToken and ten statuses inside.
import type { Payload } from '../ocpp-j/contract.js';
import type { TokenAliases } from '../ocpp-j/token-alias.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import { aliasOf, LONGEST_ID_TAG } from '../../gateway/site/token-alias.js';
import type { AuthorizationStatus, IdToken, IdTokenInfo } from '../../gateway/site/tokens.js';
import type { Station } from '../../gateway/site/topology.js';

/** Whether a 1.6 charger can be told the token itself. */
export const fitsIdTag = (token: IdToken): boolean =>
  token.idToken.length > 0 && token.idToken.length <= LONGEST_ID_TAG;

/** 1.6 has no types: what a reader sends is a card, unless it is the alias of a longer token that was sent there. */
export const idTokenOf = (idTag: string, aliases: Pick<TokenAliases, 'resolve'>): IdToken =>
  idTag === ''
    ? { idToken: '', type: 'NoAuthorization' }
    : (aliases.resolve(idTag.toLowerCase()) ?? { idToken: idTag, type: 'ISO14443' });

/** A group is compared and never presented: the alias of a long one does as well, and needs no way back. */
export const groupTagOf = (group: IdToken): string => (fitsIdTag(group) ? group.idToken : aliasOf(group));

const STATUSES = {
  Accepted: 'Accepted',
  Blocked: 'Blocked',
  ConcurrentTx: 'ConcurrentTx',
  Expired: 'Expired',
  Invalid: 'Invalid',
  NoCredit: 'Blocked',
  NotAllowedTypeEVSE: 'Blocked',
  NotAtThisLocation: 'Blocked',
  NotAtThisTime: 'Blocked',
  Unknown: 'Invalid',
} as const satisfies Record<AuthorizationStatus, string>;

/** idTagInfo as the charger may see it; a token that is good elsewhere on the site only is Invalid here. */
export function idTagInfoOf(info: IdTokenInfo, station: Station): Payload {
  const usable = info.evses === undefined || station.evses.some((evse) => info.evses?.includes(evse.number));
  return {
    status: usable ? STATUSES[info.status] : 'Invalid',
    ...(info.cacheExpiry !== undefined && { expiryDate: toRfc3339(info.cacheExpiry) }),
    ...(info.group && info.group.idToken !== '' && { parentIdTag: groupTagOf(info.group) }),
  };
}
