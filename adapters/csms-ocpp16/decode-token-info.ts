// OCPP 1.6 idTagInfo <-> what the gateway knows of a token.
import type { OCPP16 } from 'typed-ocpp';
import type { IdTokenInfo } from '../../gateway/site/tokens.js';
import { parseTime } from '../ocpp-j/csms-time.js';
import { groupOf, type TokenAliases } from '../ocpp-j/token-alias.js';

export type IdTagInfo = OCPP16.AuthorizeResponse['idTagInfo'];

export function tokenInfoOf(info: IdTagInfo, aliases: TokenAliases): IdTokenInfo {
  const cacheExpiry = parseTime(info.expiryDate);
  return {
    status: info.status,
    ...(cacheExpiry !== undefined && { cacheExpiry }),
    ...groupOf(info.parentIdTag, aliases),
  };
}
