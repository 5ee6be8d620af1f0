// Keeps the short names of long tokens (translation section A), so that they find their token after a restart.
import type { TokenAliases } from '../adapters/ocpp-j/token-alias.js';
import { FAULTS } from './kernel/faults.js';
import type { DocumentPut, Journal } from './ports/journal.js';
import type { AdapterContext } from './ports/station.js';
import type { IdToken } from './site/tokens.js';

/** Names kept for one neighbour: many years of visitors. One that made room is given again, the same, at the next visit. */
const MOST_ALIASES = 20_000;

/** @param neighbour whom the names were given to: a CSMS, or the chargers */
export async function storedAliases(
  neighbour: string,
  journal: Journal,
  { log }: AdapterContext,
): Promise<TokenAliases> {
  const collection = `token-alias/${neighbour}`;
  const known = new Map(
    [...(await journal.load(collection))].filter((pair): pair is [string, IdToken] => isToken(pair[1])),
  );
  return {
    resolve: (alias) => known.get(alias),
    remember(alias, token) {
      if (known.has(alias)) return;
      known.set(alias, token);
      const documents: DocumentPut[] = [{ collection, key: alias, value: token }];
      const [oldest] = known.keys();
      if (known.size > MOST_ALIASES && oldest !== undefined) {
        known.delete(oldest);
        documents.push({ collection, key: oldest });
      }
      journal
        .commit({ documents })
        .catch((err: unknown) =>
          log.error(
            { err, neighbour, fault: FAULTS.journalUnavailable.code },
            'the alias of a token could not be kept',
          ),
        );
    },
  };
}

function isToken(value: unknown): value is IdToken {
  if (typeof value !== 'object' || value === null) return false;
  const { idToken, type } = value as Partial<Record<keyof IdToken, unknown>>;
  return typeof idToken === 'string' && typeof type === 'string';
}
