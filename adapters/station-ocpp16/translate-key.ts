// Configuration keys of OCPP 1.6 for the device-model variables that the gateway speaks of.
import type { SetStationVariable } from '../../gateway/site/station-command.js';

/** `Component.Variable`, with `[instance]` where it has one, in lower case. */
const KEYS: Readonly<Record<string, string>> = {
  'authctrlr.offlinetxforunknownidenabled': 'AllowOfflineTxForUnknownId',
  'authcachectrlr.enabled': 'AuthorizationCacheEnabled',
  'authctrlr.authorizeremotestart': 'AuthorizeRemoteTxRequests',
  'aligneddatactrlr.interval': 'ClockAlignedDataInterval',
  'txctrlr.evconnectiontimeout': 'ConnectionTimeOut',
  'ocppcommctrlr.heartbeatinterval': 'HeartbeatInterval',
  'authctrlr.localauthorizeoffline': 'LocalAuthorizeOffline',
  'authctrlr.localpreauthorize': 'LocalPreAuthorize',
  'txctrlr.maxenergyoninvalidid': 'MaxEnergyOnInvalidId',
  'aligneddatactrlr.measurands': 'MeterValuesAlignedData',
  'sampleddatactrlr.txupdatedmeasurands': 'MeterValuesSampledData',
  'sampleddatactrlr.txupdatedinterval': 'MeterValueSampleInterval',
  'chargingstation.minimumstatusduration': 'MinimumStatusDuration',
  'connector.minimumstatusduration': 'MinimumStatusDuration',
  'evse.minimumstatusduration': 'MinimumStatusDuration',
  'ocppcommctrlr.resetretries': 'ResetRetries',
  'txctrlr.stoptxonevsidedisconnect': 'StopTransactionOnEVSideDisconnect',
  'txctrlr.stoptxoninvalidid': 'StopTransactionOnInvalidId',
  'aligneddatactrlr.txendedmeasurands': 'StopTxnAlignedData',
  'sampleddatactrlr.txendedmeasurands': 'StopTxnSampledData',
  'ocppcommctrlr.messageattempts[transactionevent]': 'TransactionMessageAttempts',
  'ocppcommctrlr.messageattemptinterval[transactionevent]': 'TransactionMessageRetryInterval',
  'ocppcommctrlr.unlockonevsidedisconnect': 'UnlockConnectorOnEVSideDisconnect',
  'ocppcommctrlr.websocketpinginterval': 'WebSocketPingInterval',
  'localauthlistctrlr.enabled': 'LocalAuthListEnabled',
  'chargingstatusindicator.lightintensity': 'LightIntensity',
  'chargingstatusindicator.blinkrepeat': 'BlinkRepeat',
};

/** Undefined: 1.6 has no key for it (or none that may be written). */
export function keyOf(command: SetStationVariable): string | undefined {
  const instance = command.instance === undefined ? '' : `[${command.instance}]`;
  return KEYS[`${command.component}.${command.variable}${instance}`.toLowerCase()];
}
