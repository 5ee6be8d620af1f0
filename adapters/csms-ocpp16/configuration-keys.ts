// OCPP 1.6 configuration keys as device-model variables (translation table K), as data.
import type { VariableReference } from '../../gateway/ports/csms.js';

/** How a value changes its spelling between the versions. */
export type ValueForm = 'text' | 'boolean' | 'measurands' | 'rateUnits';

/** A key that is a variable of the device model. */
export interface VariableKey {
  readonly variable: VariableReference;
  readonly form: ValueForm;
  /** Variables that 1.6 does not tell apart from the first: written together with it. */
  readonly also?: readonly VariableReference[];
}

const at = (component: string, variable: string, instance?: string): VariableReference => ({
  component,
  variable,
  ...(instance !== undefined && { instance }),
});
const limitOf = (reference: VariableReference): VariableReference => ({ ...reference, attribute: 'MaxSet' });
const text = (variable: VariableReference, ...also: VariableReference[]): VariableKey => ({
  variable,
  form: 'text',
  ...(also.length > 0 && { also }),
});
const flag = (variable: VariableReference): VariableKey => ({ variable, form: 'boolean' });
const measurands = (variable: VariableReference, ...also: VariableReference[]): VariableKey => ({
  variable,
  form: 'measurands',
  ...(also.length > 0 && { also }),
});

/** In the order in which GetConfiguration lists them: Core, local list, reservation, smart charging, security, ours. */
export const CONFIGURATION_KEYS = {
  AllowOfflineTxForUnknownId: flag(at('AuthCtrlr', 'OfflineTxForUnknownIdEnabled')),
  AuthorizationCacheEnabled: flag(at('AuthCacheCtrlr', 'Enabled')),
  AuthorizeRemoteTxRequests: flag(at('AuthCtrlr', 'AuthorizeRemoteStart')),
  BlinkRepeat: text(at('ChargingStatusIndicator', 'BlinkRepeat')),
  ClockAlignedDataInterval: text(at('AlignedDataCtrlr', 'Interval'), at('AlignedDataCtrlr', 'TxEndedInterval')),
  ConnectionTimeOut: text(at('TxCtrlr', 'EVConnectionTimeOut')),
  GetConfigurationMaxKeys: text(at('DeviceDataCtrlr', 'ItemsPerMessage', 'GetVariables')),
  HeartbeatInterval: text(at('OCPPCommCtrlr', 'HeartbeatInterval')),
  LightIntensity: text(at('ChargingStatusIndicator', 'LightIntensity')),
  LocalAuthorizeOffline: flag(at('AuthCtrlr', 'LocalAuthorizeOffline')),
  LocalPreAuthorize: flag(at('AuthCtrlr', 'LocalPreAuthorize')),
  MaxEnergyOnInvalidId: text(at('TxCtrlr', 'MaxEnergyOnInvalidId')),
  MessageTimeout: text(at('OCPPCommCtrlr', 'MessageTimeout', 'Default')),
  MeterValuesAlignedData: measurands(at('AlignedDataCtrlr', 'Measurands')),
  MeterValuesSampledData: measurands(
    at('SampledDataCtrlr', 'TxUpdatedMeasurands'),
    at('SampledDataCtrlr', 'TxStartedMeasurands'),
  ),
  MeterValueSampleInterval: text(
    at('SampledDataCtrlr', 'TxUpdatedInterval'),
    at('SampledDataCtrlr', 'TxEndedInterval'),
  ),
  MinimumStatusDuration: text(at('ChargingStation', 'MinimumStatusDuration')),
  ResetRetries: text(at('OCPPCommCtrlr', 'ResetRetries')),
  StopTransactionOnEVSideDisconnect: flag(at('TxCtrlr', 'StopTxOnEVSideDisconnect')),
  StopTransactionOnInvalidId: flag(at('TxCtrlr', 'StopTxOnInvalidId')),
  StopTxnAlignedData: measurands(at('AlignedDataCtrlr', 'TxEndedMeasurands')),
  StopTxnSampledData: measurands(at('SampledDataCtrlr', 'TxEndedMeasurands')),
  SupportedFileTransferProtocols: text(at('OCPPCommCtrlr', 'FileTransferProtocols')),
  TransactionMessageAttempts: text(at('OCPPCommCtrlr', 'MessageAttempts', 'TransactionEvent')),
  TransactionMessageRetryInterval: text(at('OCPPCommCtrlr', 'MessageAttemptInterval', 'TransactionEvent')),
  UnlockConnectorOnEVSideDisconnect: flag(at('OCPPCommCtrlr', 'UnlockOnEVSideDisconnect')),
  WebSocketPingInterval: text(at('OCPPCommCtrlr', 'WebSocketPingInterval')),
  LocalAuthListEnabled: flag(at('LocalAuthListCtrlr', 'Enabled')),
  LocalAuthListMaxLength: text(limitOf(at('LocalAuthListCtrlr', 'Entries'))),
  SendLocalListMaxLength: text(at('LocalAuthListCtrlr', 'ItemsPerMessage')),
  ReserveConnectorZeroSupported: flag(at('ReservationCtrlr', 'NonEvseSpecific')),
  ChargeProfileMaxStackLevel: text(at('SmartChargingCtrlr', 'ProfileStackLevel')),
  ChargingScheduleAllowedChargingRateUnit: { variable: at('SmartChargingCtrlr', 'RateUnit'), form: 'rateUnits' },
  ChargingScheduleMaxPeriods: text(at('SmartChargingCtrlr', 'PeriodsPerSchedule')),
  ConnectorSwitch3to1PhaseSupported: flag(at('SmartChargingCtrlr', 'Phases3to1')),
  MaxChargingProfilesInstalled: text(limitOf(at('SmartChargingCtrlr', 'Entries', 'ChargingProfiles'))),
  AuthorizationKey: text(at('SecurityCtrlr', 'BasicAuthPassword')),
  SecurityProfile: text(at('SecurityCtrlr', 'SecurityProfile')),
  CpoName: text(at('SecurityCtrlr', 'OrganizationName')),
  AdditionalRootCertificateCheck: flag(at('SecurityCtrlr', 'AdditionalRootCertificateCheck')),
  CertificateSignedMaxChainSize: text(at('SecurityCtrlr', 'MaxCertificateChainSize')),
  CertificateStoreMaxLength: text(limitOf(at('SecurityCtrlr', 'CertificateEntries'))),
  // Not of 1.6, under their 2.0.1 names: how soon the gateway comes back to this CSMS.
  RetryBackOffRandomRange: text(at('OCPPCommCtrlr', 'RetryBackOffRandomRange')),
  RetryBackOffRepeatTimes: text(at('OCPPCommCtrlr', 'RetryBackOffRepeatTimes')),
  RetryBackOffWaitMinimum: text(at('OCPPCommCtrlr', 'RetryBackOffWaitMinimum')),
} as const satisfies Readonly<Record<string, VariableKey>>;

/** Keys that a CSMS may set and never read back (1.6 security whitepaper). */
export const WRITE_ONLY_KEYS: ReadonlySet<string> = new Set(['AuthorizationKey']);

/** Key -> its definition, found without regard to case as CiString50Type asks. */
const byName: ReadonlyMap<string, readonly [string, VariableKey]> = new Map(
  Object.entries<VariableKey>(CONFIGURATION_KEYS).map(([key, definition]) => [key.toLowerCase(), [key, definition]]),
);

export interface FoundKey {
  /** As the table spells it. */
  readonly key: string;
  readonly definition: VariableKey;
  /** From a suffix such as `_7`: the connector this is about. */
  readonly flat?: number;
}

export function findKey(name: string): FoundKey | undefined {
  const whole = byName.get(name.toLowerCase());
  if (whole) return { key: whole[0], definition: whole[1] };
  const split = /^(.+)_([1-9]\d{0,5})$/.exec(name);
  const base = split?.[1] === undefined ? undefined : byName.get(split[1].toLowerCase());
  return base && { key: `${base[0]}_${split?.[2] ?? ''}`, definition: base[1], flat: Number(split?.[2]) };
}

const RATE_UNITS = new Map([
  ['a', 'Current'],
  ['w', 'Power'],
]);
const RATE_UNITS_BACK = new Map([
  ['current', 'A'],
  ['power', 'W'],
  ['a', 'A'],
  ['w', 'W'],
]);

const items = (list: string): string[] =>
  list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** A variable's value as the 1.6 key says it. */
export function toKeyValue(form: ValueForm, value: string): string {
  switch (form) {
    case 'rateUnits':
      return items(value)
        .map((unit) => RATE_UNITS.get(unit.toLowerCase()) ?? unit)
        .join(',');
    case 'boolean':
      return value.toLowerCase();
    case 'text':
    case 'measurands':
      return value;
  }
}

/** What a CSMS writes to a key, as the variable takes it. Undefined: no value of this key. */
export function toVariableValue(form: ValueForm, value: string): string | undefined {
  switch (form) {
    case 'boolean': {
      const word = value.trim().toLowerCase();
      return word === 'true' || word === 'false' ? word : undefined;
    }
    case 'measurands':
      // 1.6 may ask for one phase (`Voltage.L1`); 2.0.1 names measurands only and sends all phases.
      return [...new Set(items(value).map((item) => item.replace(/\.(L[123](-L[123]|-N)?|N)$/, '')))].join(',');
    case 'rateUnits': {
      const units = items(value).map((unit) => RATE_UNITS_BACK.get(unit.toLowerCase()));
      return units.every((unit) => unit !== undefined) ? units.join(',') : undefined;
    }
    case 'text':
      return value;
  }
}
