// Which version of OCPP a charger and we agree on (OCPP-J 1.6 section 3.1.2, 2.0.1 Part 4 section 3.1.2).
import type { OcppVersion } from './contract.js';

export interface Subprotocol {
  /** As the charger spelt it: that is what the handshake echoes. */
  readonly offered: string;
  readonly version: OcppVersion;
}

const versions: ReadonlyMap<string, OcppVersion> = new Map([
  ['ocpp1.6', 'ocpp1.6'],
  ['ocpp2.0.1', 'ocpp2.0.1'],
]);

/** The first entry of the charger's list that we speak; letter case does not count, because some chargers get it wrong. */
export function chooseSubprotocol(offers: Iterable<string>): Subprotocol | undefined {
  for (const offer of offers) {
    const offered = offer.trim();
    const version = versions.get(offered.toLowerCase());
    if (version !== undefined) return { offered, version };
  }
  return undefined;
}
