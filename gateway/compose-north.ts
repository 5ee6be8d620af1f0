// Puts the CSMSs of site.yaml behind their adapters: one outgoing connection each, whatever version it speaks.
import type { Gateway } from './gateway.js';
import { openOcpp16Csms } from '../adapters/csms-ocpp16/link.js';
import { openOcpp201Csms } from '../adapters/csms-ocpp201/link.js';
import type { Trace } from '../adapters/ocpp-j/connection.js';
import { dialCsms } from '../adapters/ocpp-j/csms-dial.js';
import { storedAliases } from './compose-aliases.js';
import type { WireTrace } from './console/wire-trace.js';
import type { CancelTimer, Clock } from './kernel/clock.js';
import type { CsmsId } from './kernel/ids.js';
import { seconds, type Milliseconds } from './kernel/units.js';
import type { CsmsLink } from './ports/csms.js';
import type { Journal } from './ports/journal.js';
import type { AdapterContext } from './ports/station.js';
import { callsAnew } from './site/site-change.js';
import type { Csms, Site } from './site/topology.js';
import type { View } from './views/view.js';

/** Opens the link of one view; it is attached, and not yet started. */
async function composeCsms(
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

export interface North {
  /** Begins to call. */
  start(): void;
  /** The site is another one: hangs up where nobody is to be called any more, or otherwise; calls whom it has new. */
  reconfigured(): Promise<void>;
  stop(): Promise<void>;
}

/** @param site as it is in force */
export async function composeNorth(
  site: Site,
  gateway: Gateway,
  context: AdapterContext,
  trace: WireTrace,
): Promise<North> {
  const links = new Map<CsmsId, { entry: Csms; readonly link: CsmsLink }>();
  const open = async (csms: Csms): Promise<CsmsLink | undefined> => {
    const view = gateway.views.find((each) => each.csms === csms.id);
    if (view === undefined) return undefined;
    const link = await composeCsms(csms, view, gateway.journal, context, trace);
    links.set(csms.id, { entry: csms, link });
    return link;
  };
  for (const csms of site.csms) await open(csms);
  return {
    start() {
      for (const { link } of links.values()) link.start();
    },
    async reconfigured() {
      const hungUp = [...links].map(async ([id, open]) => {
        const after = site.csms.find((csms) => csms.id === id);
        if (after !== undefined && !callsAnew(open.entry, after)) {
          open.entry = after;
          return;
        }
        links.delete(id);
        await within(FAREWELL, context.clock, open.link.stop());
      });
      await Promise.all(hungUp);
      for (const csms of site.csms) if (!links.has(csms.id)) (await open(csms))?.start();
    },
    async stop() {
      // A CSMS that does not answer the farewell must not keep the journal from being closed.
      await within(FAREWELL, context.clock, Promise.all([...links.values()].map(({ link }) => link.stop())));
    },
  };
}

/** Longest wait for CSMSs to close their connections in order. */
const FAREWELL = seconds(3);

const within = (limit: Milliseconds, clock: Clock, work: Promise<unknown>): Promise<unknown> => {
  let cancel: CancelTimer = () => undefined;
  const late = new Promise<void>((resolve) => (cancel = clock.after(limit, resolve)));
  return Promise.race([work, late]).finally(() => cancel());
};
