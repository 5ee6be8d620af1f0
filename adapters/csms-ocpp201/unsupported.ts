// OCPP 2.0.1 actions that this gateway does not carry out: each with the refusal that its schema knows.
import type { OCPP20 } from 'typed-ocpp';
import { fixed, payloadOf, requestOf, type Route } from '../ocpp-j/csms-route.js';

const rejected = { status: 'Rejected' } as const;

export const UNSUPPORTED: readonly (readonly [string, Route])[] = [
  ['CertificateSigned', fixed(rejected satisfies OCPP20.CertificateSignedResponse)],
  ['ClearDisplayMessage', fixed({ status: 'Unknown' } satisfies OCPP20.ClearDisplayMessageResponse)],
  [
    'ClearVariableMonitoring',
    (payload) => {
      const { id } = requestOf<OCPP20.ClearVariableMonitoringRequest>(payload);
      const response: OCPP20.ClearVariableMonitoringResponse = {
        clearMonitoringResult: id.map((one) => ({ id: one, status: 'NotFound' })),
      };
      return Promise.resolve({ kind: 'result', payload: payloadOf(response) });
    },
  ],
  ['CostUpdated', fixed({} satisfies OCPP20.CostUpdatedResponse)],
  ['CustomerInformation', fixed(rejected satisfies OCPP20.CustomerInformationResponse)],
  ['DeleteCertificate', fixed({ status: 'NotFound' } satisfies OCPP20.DeleteCertificateResponse)],
  ['GetDisplayMessages', fixed({ status: 'Unknown' } satisfies OCPP20.GetDisplayMessagesResponse)],
  ['GetInstalledCertificateIds', fixed({ status: 'NotFound' } satisfies OCPP20.GetInstalledCertificateIdsResponse)],
  ['GetLog', fixed(rejected satisfies OCPP20.GetLogResponse)],
  ['GetMonitoringReport', fixed({ status: 'NotSupported' } satisfies OCPP20.GetMonitoringReportResponse)],
  ['InstallCertificate', fixed(rejected satisfies OCPP20.InstallCertificateResponse)],
  ['PublishFirmware', fixed(rejected satisfies OCPP20.PublishFirmwareResponse)],
  ['SetDisplayMessage', fixed(rejected satisfies OCPP20.SetDisplayMessageResponse)],
  ['SetMonitoringBase', fixed({ status: 'NotSupported' } satisfies OCPP20.SetMonitoringBaseResponse)],
  ['SetMonitoringLevel', fixed(rejected satisfies OCPP20.SetMonitoringLevelResponse)],
  // Where the gateway calls is the site's decision, never the CSMS's.
  ['SetNetworkProfile', fixed(rejected satisfies OCPP20.SetNetworkProfileResponse)],
  [
    'SetVariableMonitoring',
    (payload) => {
      const { setMonitoringData } = requestOf<OCPP20.SetVariableMonitoringRequest>(payload);
      const response: OCPP20.SetVariableMonitoringResponse = {
        setMonitoringResult: setMonitoringData.map(({ id, type, component, variable, severity }) => ({
          status: 'UnsupportedMonitorType',
          type,
          severity,
          component,
          variable,
          ...(id !== undefined && { id }),
        })),
      };
      return Promise.resolve({ kind: 'result', payload: payloadOf(response) });
    },
  ],
  ['UnpublishFirmware', fixed({ status: 'NoFirmware' } satisfies OCPP20.UnpublishFirmwareResponse)],
  ['UpdateFirmware', fixed(rejected satisfies OCPP20.UpdateFirmwareResponse)],
];
