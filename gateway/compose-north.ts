// Puts the CSMSs of site.yaml behind their adapters: one outgoing connection each, whatever version it speaks.
import { openOcpp16Csms } from '../adapters/csms-ocpp16/link.js';
import { openOcpp201Csms } from '../adapters/csms-ocpp201/link.js';
import type { Trace } from '../adapters/ocpp-j/connection.js';
import { dialCsms } from '../adapters/ocpp-j/csms-dial.js';
import { storedAliases } from './compose-aliases.js';
import type { WireTrace } from './console/wire-trace.js';
import type { CsmsLink } from './ports/csms.js';
import type { Journal } from './ports/journal.js';
import type { AdapterContext } from './ports/station.js';
import type { Csms } from './site/topology.js';
import type { View } from './views/view.js';

/** Opens the link of one view; it is attached, and not yet started. */
export async function composeCsms(
  csms: Csms,
  view: View,
  journal: Journal,
  context: AdapterContext,
  trace: WireTrace,
): Promise<CsmsLink> {
  const saw: Trace = (direction, text) => trace.saw(`csms/${csms.id}`, direction, text);
  const dial = dialCsms(csms, view, context, undefined, saw);
  const link =
    csms.ocpp === '1.6'
      ? openOcpp16Csms(csms, view, context, dial, { aliases: await storedAliases(csms.id, journal, context) })
      : openOcpp201Csms(csms, view, context, dial);
  view.attach(link);
  return link;
}
