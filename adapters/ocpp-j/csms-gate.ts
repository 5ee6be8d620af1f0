// Which commands of a CSMS are carried out while it has not accepted the station's BootNotification, and those the link itself obeys.
import type { CsmsAnswer, CsmsCommand } from '../../gateway/ports/csms.js';
import type { Commander } from './csms-route.js';

export interface GatedLink {
  readonly accepted: boolean;
  sendHeartbeat(): void;
  sendBoot(): void;
  /** Runs `action`; what it delivers meanwhile may leave although Boot is still pending, because the CSMS asked for it. */
  asTriggered(action: () => void): void;
}

/** Configuration and reads (OCPP 1.6 section 4.2, B02.FR.05); everything else waits for Accepted. */
const ALLOWED_WHILE_PENDING: ReadonlySet<CsmsCommand['type']> = new Set([
  'getVariables',
  'setVariables',
  'getReport',
  'trigger',
  'getLocalListVersion',
  'getTransactionStatus',
] as const);

export const gate =
  (link: GatedLink, host: Commander): Commander =>
  async (command): Promise<CsmsAnswer> => {
    if (command.type === 'trigger' && command.message === 'Heartbeat')
      return { status: 'Accepted', afterwards: () => link.sendHeartbeat() };
    if (command.type === 'trigger' && command.message === 'BootNotification')
      // Once accepted there is nothing to boot (1.6 errata 3.35, F06.FR.17).
      return link.accepted
        ? { status: 'Rejected', reasonCode: 'NotEnabled', detail: 'BootNotification is already accepted' }
        : { status: 'Accepted', afterwards: () => link.sendBoot() };
    if (link.accepted) return host(command);
    if (!ALLOWED_WHILE_PENDING.has(command.type))
      return { status: 'Rejected', reasonCode: 'NotEnabled', detail: 'BootNotification is not accepted yet' };
    const answer = await host(command);
    const { afterwards } = answer;
    return afterwards ? { ...answer, afterwards: () => link.asTriggered(afterwards) } : answer;
  };
