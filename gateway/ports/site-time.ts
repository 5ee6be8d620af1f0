// Where CSMSs' views hand in what a CSMS says of the time.
import type { CsmsId } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';

export interface SiteTimeSource {
  /**
   * The time in an answer to BootNotification or Heartbeat (OCPP 1.6 section 4.6, 2.0.1 use cases B01 and G02).
   * @param authority whether this CSMS may set the site's clock where no better source has
   * @returns `doubtful`: it would be taken if it were said once more, so it is worth asking before anything is told
   */
  heardFrom(csms: CsmsId, authority: boolean, at: Timestamp): 'taken' | 'doubtful' | 'not taken';
}
