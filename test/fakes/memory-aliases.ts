// Short names of long tokens, kept in memory as the composition keeps them on disk.
import type { TokenAliases } from '../../adapters/ocpp-j/token-alias.js';
import type { IdToken } from '../../gateway/site/tokens.js';

/** @param known shared by those that are to remember the same, as over a restart */
export const memoryAliases = (known = new Map<string, IdToken>()): TokenAliases => ({
  remember: (alias, token) => void known.set(alias, token),
  resolve: (alias) => known.get(alias),
});
