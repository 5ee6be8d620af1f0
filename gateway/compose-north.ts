// Puts the CSMSs of site.yaml behind their adapters: one outgoing connection each, whatever version it speaks.
import { FAULTS } from './kernel/faults.js';
import { openOcpp16Csms } from '../adapters/csms-ocpp16/link.js';
import type { TokenAliases } from '../adapters/ocpp-j/token-alias.js';
import { openOcpp201Csms } from '../adapters/csms-ocpp201/link.js';
import { dialCsms } from '../adapters/ocpp-j/csms-dial.js';
import type { CsmsLink } from './ports/csms.js';
import type { Journal } from './ports/journal.js';
import type { AdapterContext } from './ports/station.js';
import type { IdToken } from './site/tokens.js';
import type { Csms } from './site/topology.js';
import type { View } from './views/view.js';

const ALIASES = 'token-alias';

/** Opens the link of one view; it is attached, and not yet started. */
export async function composeCsms(
  csms: Csms,
  view: View,
  journal: Journal,
  context: AdapterContext,
): Promise<CsmsLink> {
  const dial = dialCsms(csms, view, context);
  const link =
    csms.ocpp === '1.6'
      ? openOcpp16Csms(csms, view, context, dial, { aliases: await storedAliases(csms, journal, context) })
      : openOcpp201Csms(csms, view, context, dial);
  view.attach(link);
  return link;
}

/** Short names of long tokens, kept so that a CSMS's answer finds its token after a restart (translation section A). */
async function storedAliases(csms: Csms, journal: Journal, { log }: AdapterContext): Promise<TokenAliases> {
  const collection = `${ALIASES}/${csms.id}`;
  const known = new Map([...(await journal.load(collection))] as [string, IdToken][]);
  return {
    resolve: (alias) => known.get(alias),
    remember(alias, token) {
      if (known.has(alias)) return;
      known.set(alias, token);
      journal
        .commit({ documents: [{ collection, key: alias, value: token }] })
        .catch((err: unknown) =>
          log.error(
            { err, csms: csms.id, fault: FAULTS.journalUnavailable.code },
            'the alias of a token could not be kept',
          ),
        );
    },
  };
}
