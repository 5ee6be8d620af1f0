// Progress of firmware, diagnostics and logs, and security events, as an OCPP 1.6 charger notifies them.
import type { CallAnswer, Payload } from '../ocpp-j/contract.js';
import { filledTextOf, integerOf, momentOf, textOf } from '../ocpp-j/fields.js';
import { answer, type ActionHandler } from '../ocpp-j/station-reports.js';
import type { Charger } from './charger.js';

/** The seven firmware states of 1.6 are among the fourteen of 2.0.1; only this one of diagnostics is spelt differently. */
const LOG_STATUSES: Readonly<Record<string, string>> = { UploadFailed: 'UploadFailure' };

export function jobStatusMessages(charger: Charger): ReadonlyMap<string, ActionHandler> {
  const { station, clock, log, reports } = charger;

  const jobStatus =
    (job: 'firmware' | 'log') =>
    async (payload: Payload): Promise<CallAnswer> => {
      const status = textOf(payload, 'status') ?? 'Idle';
      const requestId = integerOf(payload, 'requestId');
      await reports.report({
        type: 'jobStatus',
        station: station.id,
        job,
        status: job === 'log' ? (LOG_STATUSES[status] ?? status) : status,
        ...(requestId !== undefined && { requestId }),
      });
      return answer({});
    };

  async function securityEvent(payload: Payload): Promise<CallAnswer> {
    const techInfo = filledTextOf(payload, 'techInfo');
    await reports.report({
      type: 'securityEvent',
      station: station.id,
      event: textOf(payload, 'type') ?? '',
      at: momentOf(payload, 'timestamp') ?? clock.now(),
      ...(techInfo !== undefined && { techInfo }),
    });
    return answer({});
  }

  /** Chargers get their certificates at commissioning: the gateway is no certificate authority for them. */
  async function signCertificate(): Promise<CallAnswer> {
    log.info({ station: station.id }, 'certificate request declined');
    return Promise.resolve(answer({ status: 'Rejected' }));
  }

  return new Map<string, ActionHandler>([
    ['FirmwareStatusNotification', jobStatus('firmware')],
    ['SignedFirmwareStatusNotification', jobStatus('firmware')],
    ['DiagnosticsStatusNotification', jobStatus('log')],
    ['LogStatusNotification', jobStatus('log')],
    ['SecurityEventNotification', securityEvent],
    ['SignCertificate', signCertificate],
  ]);
}
