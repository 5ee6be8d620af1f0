// The short name of an identifier that is longer than an OCPP 1.6 idTag: always the same, on every gateway and after every restart.
import { createHash } from 'node:crypto';
import { tokenKey, type IdToken } from './tokens.js';

/** CiString20Type: the longest identifier that OCPP 1.6 can carry, in characters. */
export const LONGEST_ID_TAG = 20;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * `h:` and the first 90 bits of the SHA-256 of the token in its compared form, in base32 (RFC 4648 alphabet, small
 * letters): the same for every spelling of the token, so that whoever speaks 1.6 sees one driver.
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
