// Other people's words about a record, as they may be logged and shown: a CSMS that refuses a token likes to repeat it.
import { maskToken } from '../kernel/log.js';
import type { JournalRecord } from './transaction.js';

/** Characters: what is shorter stands in many a word by chance. */
const SHORTEST = 4;

/** `text` with the tokens of the record masked, in whatever case they are repeated. */
export function withoutTokens(text: string, record: JournalRecord): string {
  if (record.type !== 'transaction') return text;
  return [record.idToken, record.startToken].reduce((rest, token) => {
    if (token === undefined || token.idToken.length < SHORTEST) return rest;
    const literal = token.idToken.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`);
    return rest.replaceAll(new RegExp(literal, 'gi'), () => maskToken(token.idToken));
  }, text);
}
