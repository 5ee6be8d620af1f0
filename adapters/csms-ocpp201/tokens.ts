// OCPP 2.0.1 idToken and idTokenInfo <-> the canonical ones.
import type { OCPP20 } from 'typed-ocpp';
import { evseNumber } from '../../gateway/kernel/ids.js';
import type { IdToken, IdTokenInfo } from '../../gateway/site/tokens.js';
import { parseTime } from '../ocpp-j/csms-time.js';

type IdToken201 = OCPP20.AuthorizeRequest['idToken'];
type IdTokenInfo201 = OCPP20.AuthorizeResponse['idTokenInfo'];

export const encodeToken = ({ idToken, type }: IdToken): IdToken201 => ({ idToken, type });

export const tokenOf = ({ idToken, type }: IdToken201): IdToken => ({ idToken, type });

/** `evses` are still this CSMS's own numbers: the view knows which they are. */
export function tokenInfoOf(info: IdTokenInfo201): IdTokenInfo {
  const cacheExpiry = parseTime(info.cacheExpiryDateTime);
  const message = info.personalMessage;
  return {
    status: info.status,
    ...(cacheExpiry !== undefined && { cacheExpiry }),
    ...(info.chargingPriority !== undefined && { chargingPriority: info.chargingPriority }),
    // An empty group is some CSMSs' way to say that there is none.
    ...(info.groupIdToken && info.groupIdToken.idToken !== '' && { group: tokenOf(info.groupIdToken) }),
    ...(info.evseId && { evses: info.evseId.map(evseNumber) }),
    ...(info.language1 !== undefined && { language1: info.language1 }),
    ...(message && {
      personalMessage: {
        format: message.format,
        content: message.content,
        ...(message.language !== undefined && { language: message.language }),
      },
    }),
  };
}
