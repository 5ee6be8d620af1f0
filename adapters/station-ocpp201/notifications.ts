// The remaining messages that an OCPP 2.0.1 station may begin: nothing in the gateway needs them, and each gets its due answer.
import type { Payload } from '../ocpp-j/contract.js';
import { answer, type ActionHandler } from '../ocpp-j/station-reports.js';
import type { Charger } from './charger.js';

/** Certificates for plug and charge come from a contract CSMS, which the gateway is not. */
const ANSWERS: Readonly<Record<string, Payload>> = {
  ClearedChargingLimit: {},
  Get15118EVCertificate: { status: 'Failed', exiResponse: '' },
  GetCertificateStatus: { status: 'Failed' },
  NotifyChargingLimit: {},
  NotifyCustomerInformation: {},
  NotifyDisplayMessages: {},
  NotifyEVChargingSchedule: { status: 'Accepted' },
  NotifyMonitoringReport: {},
  NotifyReport: {},
  PublishFirmwareStatusNotification: {},
  ReportChargingProfiles: {},
  SignCertificate: { status: 'Rejected' },
};

export function notifications(charger: Charger): ReadonlyMap<string, ActionHandler> {
  const { log, station } = charger;
  return new Map(
    Object.entries(ANSWERS).map(([action, payload]): [string, ActionHandler] => [
      action,
      () => {
        log.debug({ station: station.id, action }, 'noted');
        return Promise.resolve(answer(payload));
      },
    ]),
  );
}
