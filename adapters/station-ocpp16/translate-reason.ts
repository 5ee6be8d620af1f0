// Why an OCPP 1.6 transaction stopped, and what each of its messages was triggered by, in canonical words.
import type { Payload } from '../ocpp-j/contract.js';
import { memberOf } from '../ocpp-j/fields.js';
import type { MeterValue } from '../../gateway/site/metering.js';
import type { StoppedReason, TriggerReason } from '../../gateway/site/station-event.js';

type Reason16 =
  | 'DeAuthorized'
  | 'EmergencyStop'
  | 'EVDisconnected'
  | 'HardReset'
  | 'Local'
  | 'Other'
  | 'PowerLoss'
  | 'Reboot'
  | 'Remote'
  | 'SoftReset'
  | 'UnlockCommand';

const REASONS = {
  DeAuthorized: ['DeAuthorized', 'Deauthorized'],
  EmergencyStop: ['EmergencyStop', 'AbnormalCondition'],
  EVDisconnected: ['EVDisconnected', 'EVCommunicationLost'],
  HardReset: ['ImmediateReset', 'ResetCommand'],
  Local: ['Local', 'StopAuthorized'],
  Other: ['Other', 'AbnormalCondition'],
  PowerLoss: ['PowerLoss', 'AbnormalCondition'],
  Reboot: ['Reboot', 'AbnormalCondition'],
  Remote: ['Remote', 'RemoteStop'],
  SoftReset: ['ImmediateReset', 'ResetCommand'],
  UnlockCommand: ['Other', 'UnlockCommand'],
} as const satisfies Record<Reason16, readonly [StoppedReason, TriggerReason]>;

/** An absent reason means Local (OCPP 1.6 section 4.10); one outside the list is Other. */
export function stopOf(payload: Payload): { readonly stoppedReason: StoppedReason; readonly trigger: TriggerReason } {
  const written = payload['reason'];
  const reason: Reason16 =
    written === undefined ? 'Local' : (memberOf(written, Object.keys(REASONS) as Reason16[]) ?? 'Other');
  const [stoppedReason, trigger] = REASONS[reason];
  return { stoppedReason, trigger };
}

/** What made the charger measure, told from the context of the first value that has one worth telling. */
export function triggerOf(meterValue: MeterValue): TriggerReason {
  for (const { context } of meterValue.sampled) {
    if (context === 'Sample.Clock') return 'MeterValueClock';
    if (context === 'Trigger') return 'Trigger';
    if (context === 'Interruption.Begin' || context === 'Interruption.End') return 'AbnormalCondition';
  }
  return 'MeterValuePeriodic';
}
