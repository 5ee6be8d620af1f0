// Identifiers towards whoever speaks OCPP 1.6: as they are where they fit, by their alias where not, and the way back.
import { aliasOf, LONGEST_ID_TAG } from '../../gateway/site/token-alias.js';
import type { IdToken } from '../../gateway/site/tokens.js';

/** Where the names that were given out are kept, so that what the other side says finds its token after a restart. */
export interface TokenAliases {
  remember(alias: string, token: IdToken): void;
  /** @param alias in small letters */
  resolve(alias: string): IdToken | undefined;
}

/** The idTag by which the other side knows the token. */
export function idTagOf(token: IdToken, aliases: TokenAliases): string {
  if (token.idToken.length <= LONGEST_ID_TAG) return token.idToken;
  const alias = aliasOf(token);
  aliases.remember(alias, token);
  return alias;
}

/** The token behind an idTag of a CSMS; 1.6 does not say its type, so a tag the CSMS brings itself is `Central`. */
export const tokenOf = (idTag: string, aliases: TokenAliases): IdToken =>
  aliases.resolve(idTag.toLowerCase()) ?? { idToken: idTag, type: 'Central' };

/** A parentIdTag: absent where it is empty, by which some mean that there is none. */
export const groupOf = (parentIdTag: string | undefined, aliases: TokenAliases): { readonly group?: IdToken } =>
  parentIdTag === undefined || parentIdTag === '' ? {} : { group: tokenOf(parentIdTag, aliases) };
