// Identifiers longer than an OCPP 1.6 idTag: a short name that is always the same, and the way back.
import { createHash } from 'node:crypto';
import { type IdToken, tokenKey } from '../../gateway/site/tokens.js';

/** Where the names that were given out are kept, so that the CSMS's answers and commands find their token after a restart. */
export interface TokenAliases {
  remember(alias: string, token: IdToken): void;
  resolve(alias: string): IdToken | undefined;
}

/** CiString20Type. */
const LONGEST_ID_TAG = 20;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * `h:` and the first 90 bits of the SHA-256 of the token in its compared form, in base32 (RFC 4648 alphabet, small
 * letters): the same for every spelling of the token, so that a CSMS sees one driver.
 */
export function aliasOf(token: IdToken): string {
  const digest = createHash('sha256').update(tokenKey(token)).digest();
  let alias = 'h:';
  for (let i = 0; i < 18; i++) {
    const bit = i * 5;
    const byte = bit >> 3;
    const window = ((digest[byte] ?? 0) << 8) | (digest[byte + 1] ?? 0);
    alias += BASE32[(window >> (11 - (bit & 7))) & 31] ?? '';
  }
  return alias;
}

/** The idTag by which this CSMS knows the token. */
export function idTagOf(token: IdToken, aliases: TokenAliases): string {
  if (token.idToken.length <= LONGEST_ID_TAG) return token.idToken;
  const alias = aliasOf(token);
  aliases.remember(alias, token);
  return alias;
}

/** The token behind an idTag; 1.6 does not say its type, so a tag the CSMS brings itself is `Central`. */
export const tokenOf = (idTag: string, aliases: TokenAliases): IdToken =>
  aliases.resolve(idTag.toLowerCase()) ?? { idToken: idTag, type: 'Central' };
