// The gateway's own device model, as data: every variable that does not depend on the site's hardware.
import type { ReportedVariable } from '../ports/csms.js';

/**
 * Who keeps a variable's value.
 * - `view`: this CSMS alone; each has its own.
 * - `site`: the gateway, one for all.
 * - `stations`: the gateway, and every station has to follow.
 * - `fixed`: nobody can change it.
 */
export type VariableKeeper = 'view' | 'site' | 'stations' | 'fixed';

export interface VariableDefinition {
  readonly component: string;
  readonly variable: string;
  readonly instance?: string;
  readonly keeper: VariableKeeper;
  readonly dataType: ReportedVariable['dataType'];
  readonly mutability: ReportedVariable['mutability'];
  readonly default: string;
  readonly unit?: string;
  /** Of a list: the values that are allowed. */
  readonly values?: readonly string[];
  /** Of a number: the lowest and highest value; of a string or list: `max` is the length in characters. */
  readonly min?: number;
  readonly max?: number;
}

type Shape = Omit<VariableDefinition, 'component' | 'variable' | 'instance' | 'keeper'>;
type Line = readonly [keeper: VariableKeeper, variable: string, shape: Shape];

const fixedText = (value: string): Shape => ({ dataType: 'string', mutability: 'ReadOnly', default: value });
const flag = (value: boolean): Shape => ({ dataType: 'boolean', mutability: 'ReadWrite', default: String(value) });
const fixedFlag = (value: boolean): Shape => ({ ...flag(value), mutability: 'ReadOnly' });
const count = (value: number, min: number, max: number, unit?: string): Shape => ({
  dataType: 'integer',
  mutability: 'ReadWrite',
  default: String(value),
  min,
  max,
  ...(unit === undefined ? {} : { unit }),
});
const fixedCount = (value: number, max?: number): Shape => ({
  dataType: 'integer',
  mutability: 'ReadOnly',
  default: String(value),
  ...(max === undefined ? {} : { max }),
});
const list = (
  dataType: 'OptionList' | 'SequenceList' | 'MemberList',
  value: string,
  values: readonly string[],
): Shape => ({ dataType, mutability: 'ReadWrite', default: value, values });
const fixedList = (...shape: Parameters<typeof list>): Shape => ({ ...list(...shape), mutability: 'ReadOnly' });

const DAY = 86_400;

/** LocalAuthListMaxLength: the most tokens that one CSMS may keep on the gateway. */
export const LOCAL_LIST_ENTRIES = 100_000;

/** What a CSMS may ask to be sampled. */
export const MEASURANDS: readonly string[] = [
  'Current.Import',
  'Current.Export',
  'Current.Offered',
  'Energy.Active.Import.Register',
  'Energy.Active.Export.Register',
  'Energy.Reactive.Import.Register',
  'Energy.Reactive.Export.Register',
  'Energy.Active.Import.Interval',
  'Energy.Active.Export.Interval',
  'Frequency',
  'Power.Active.Import',
  'Power.Active.Export',
  'Power.Factor',
  'Power.Offered',
  'Power.Reactive.Import',
  'Power.Reactive.Export',
  'SoC',
  'Temperature',
  'Voltage',
];

/** Enough for a bill, a live display and a look at the balancing, at a few hundred bytes a minute. */
const SAMPLED = 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,SoC';
const REGISTER = 'Energy.Active.Import.Register';
const measurands = (value: string): Shape => list('MemberList', value, MEASURANDS);

const COMPONENTS: Readonly<Record<string, readonly Line[]>> = {
  OCPPCommCtrlr: [
    ['fixed', 'ActiveNetworkProfile', fixedCount(1)],
    ['fixed', 'FileTransferProtocols', fixedList('MemberList', 'HTTP,HTTPS,FTP', ['HTTP', 'HTTPS', 'FTP'])],
    ['view', 'HeartbeatInterval', count(300, 1, DAY, 's')],
    ['view', 'MessageAttempts[TransactionEvent]', count(3, 1, 100)],
    ['view', 'MessageAttemptInterval[TransactionEvent]', count(60, 0, DAY, 's')],
    ['view', 'MessageTimeout[Default]', count(30, 5, 300, 's')],
    // The gateway has one way to each CSMS, from site.yaml: another would move the site to another cloud.
    ['view', 'NetworkConfigurationPriority', list('SequenceList', '1', ['1'])],
    ['view', 'NetworkProfileConnectionAttempts', count(3, 1, 100)],
    ['view', 'OfflineThreshold', count(60, 0, DAY, 's')],
    [
      'fixed',
      'PublicKeyWithSignedMeterValue',
      fixedList('OptionList', 'EveryMeterValue', ['Never', 'OncePerTransaction', 'EveryMeterValue']),
    ],
    ['fixed', 'QueueAllMessages', fixedFlag(false)],
    ['site', 'ResetRetries', count(1, 0, 10)],
    ['view', 'RetryBackOffRandomRange', count(10, 0, 3600, 's')],
    ['view', 'RetryBackOffRepeatTimes', count(5, 0, 20)],
    ['view', 'RetryBackOffWaitMinimum', count(10, 1, 3600, 's')],
    ['stations', 'UnlockOnEVSideDisconnect', flag(true)],
    ['view', 'WebSocketPingInterval', count(60, 0, 3600, 's')],
  ],
  AuthCtrlr: [
    ['site', 'Enabled', flag(true)],
    ['site', 'AuthorizeRemoteStart', flag(true)],
    ['site', 'DisableRemoteAuthorization', flag(false)],
    ['site', 'LocalAuthorizeOffline', flag(true)],
    ['site', 'LocalPreAuthorize', flag(true)],
    ['site', 'MasterPassGroupId', { dataType: 'string', mutability: 'ReadWrite', default: '', max: 36 }],
    ['site', 'OfflineTxForUnknownIdEnabled', flag(false)],
  ],
  AuthCacheCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['site', 'Enabled', flag(true)],
    ['site', 'DisablePostAuthorize', flag(false)],
    ['site', 'LifeTime', count(604_800, 0, 365 * DAY, 's')],
    ['fixed', 'Policy', fixedList('OptionList', 'LRU', ['LRU'])],
    ['fixed', 'Storage', fixedCount(0)],
  ],
  LocalAuthListCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['site', 'Enabled', flag(true)],
    ['fixed', 'BytesPerMessage', fixedCount(200_000)],
    ['site', 'DisablePostAuthorize', flag(false)],
    ['site', 'Entries', fixedCount(0, LOCAL_LIST_ENTRIES)],
    ['fixed', 'ItemsPerMessage', fixedCount(1000)],
    ['fixed', 'Storage', fixedCount(0)],
    ['site', 'SupportsExpiryDateTime', flag(true)],
  ],
  TxCtrlr: [
    ['stations', 'EVConnectionTimeOut', count(60, 10, 3600, 's')],
    ['site', 'MaxEnergyOnInvalidId', count(0, 0, 1_000_000, 'Wh')],
    ['stations', 'StopTxOnEVSideDisconnect', flag(true)],
    ['site', 'StopTxOnInvalidId', flag(true)],
    ['site', 'TxBeforeAcceptedEnabled', flag(true)],
    ['fixed', 'TxStartPoint', fixedList('MemberList', 'PowerPathClosed', ['PowerPathClosed'])],
    ['fixed', 'TxStopPoint', fixedList('MemberList', 'EVConnected,Authorized', ['EVConnected', 'Authorized'])],
  ],
  SampledDataCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['fixed', 'Enabled', fixedFlag(true)],
    ['fixed', 'RegisterValuesWithoutPhases', fixedFlag(true)],
    ['fixed', 'SignReadings', fixedFlag(false)],
    ['view', 'TxEndedInterval', count(0, 0, DAY, 's')],
    ['view', 'TxEndedMeasurands', measurands(REGISTER)],
    ['view', 'TxStartedMeasurands', measurands(REGISTER)],
    ['view', 'TxUpdatedInterval', count(60, 0, DAY, 's')],
    ['view', 'TxUpdatedMeasurands', measurands(SAMPLED)],
  ],
  AlignedDataCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['fixed', 'Enabled', fixedFlag(true)],
    ['view', 'Interval', count(0, 0, DAY, 's')],
    ['view', 'Measurands', measurands(REGISTER)],
    ['fixed', 'SendDuringIdle', fixedFlag(false)],
    ['fixed', 'SignReadings', fixedFlag(false)],
    ['view', 'TxEndedInterval', count(0, 0, DAY, 's')],
    ['view', 'TxEndedMeasurands', measurands(REGISTER)],
  ],
  SmartChargingCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['fixed', 'Enabled', fixedFlag(true)],
    ['fixed', 'ACPhaseSwitchingSupported', fixedFlag(false)],
    ['site', 'Entries[ChargingProfiles]', fixedCount(0, 1000)],
    ['fixed', 'ExternalControlSignalsEnabled', fixedFlag(true)],
    ['view', 'LimitChangeSignificance', { ...count(10, 0, 100), dataType: 'decimal', unit: 'Percent' }],
    ['fixed', 'NotifyChargingLimitWithSchedules', fixedFlag(false)],
    ['fixed', 'PeriodsPerSchedule', fixedCount(96)],
    ['fixed', 'Phases3to1', fixedFlag(false)],
    ['fixed', 'ProfileStackLevel', fixedCount(10)],
    ['fixed', 'RateUnit', fixedList('MemberList', 'A,W', ['A', 'W'])],
  ],
  ReservationCtrlr: [
    ['fixed', 'Available', fixedFlag(true)],
    ['fixed', 'Enabled', fixedFlag(true)],
    ['fixed', 'NonEvseSpecific', fixedFlag(true)],
  ],
  DeviceDataCtrlr: [
    ...['GetReport', 'GetVariables', 'SetVariables'].flatMap((message): Line[] => [
      ['fixed', `BytesPerMessage[${message}]`, fixedCount(65_000)],
      ['fixed', `ItemsPerMessage[${message}]`, fixedCount(200)],
    ]),
    ['fixed', 'ConfigurationValueSize', fixedCount(1000, 1000)],
    ['fixed', 'ReportingValueSize', fixedCount(2500, 2500)],
    ['fixed', 'ValueSize', fixedCount(2500, 2500)],
  ],
  SecurityCtrlr: [
    ['fixed', 'AdditionalRootCertificateCheck', fixedFlag(false)],
    ['site', 'BasicAuthPassword', { dataType: 'string', mutability: 'WriteOnly', default: '', min: 16, max: 40 }],
    ['site', 'CertificateEntries', fixedCount(0, 20)],
    ['fixed', 'MaxCertificateChainSize', fixedCount(10_000)],
    ['view', 'OrganizationName', { dataType: 'string', mutability: 'ReadWrite', default: '', max: 64 }],
  ],
  ClockCtrlr: [['fixed', 'TimeSource', fixedList('SequenceList', 'NTP,Heartbeat', ['NTP', 'Heartbeat'])]],
  MonitoringCtrlr: [['fixed', 'Available', fixedFlag(false)]],
  DisplayMessageCtrlr: [['fixed', 'Available', fixedFlag(false)]],
  TariffCostCtrlr: [
    ['fixed', 'Available[Tariff]', fixedFlag(false)],
    ['fixed', 'Available[Cost]', fixedFlag(false)],
  ],
  ISO15118Ctrlr: [['fixed', 'Enabled', fixedFlag(false)]],
  ChargingStation: [
    ['fixed', 'Available', fixedFlag(true)],
    ['view', 'MinimumStatusDuration', count(0, 0, 3600, 's')],
    ['fixed', 'SupplyPhases', fixedCount(3)],
  ],
  // The charger's own lamps, which 2.0.1 has no standard variables for.
  ChargingStatusIndicator: [
    ['stations', 'BlinkRepeat', count(3, 0, 100)],
    ['stations', 'LightIntensity', count(100, 0, 100, 'Percent')],
  ],
  LocalController: [
    ['fixed', 'Available', fixedFlag(true)],
    ['fixed', 'Model', fixedText('Site gateway')],
  ],
};

const INSTANCE = /^(\w+)\[(\w+)\]$/;

export const VARIABLES: readonly VariableDefinition[] = Object.entries(COMPONENTS).flatMap(([component, lines]) =>
  lines.map(([keeper, name, shape]) => {
    const [, variable = name, instance] = INSTANCE.exec(name) ?? [];
    return { component, variable, ...(instance === undefined ? {} : { instance }), keeper, ...shape };
  }),
);
