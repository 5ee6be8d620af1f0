// Where an error sits in the 2.0.1 device model: OCPP 1.6 error code -> component and variable (translation table D).
import type { ErrorCode } from '../../gateway/site/station-event.js';

export interface ErrorPlace {
  readonly component: string;
  readonly variable: 'Problem' | 'Tripped';
}

const problem = (component: string): ErrorPlace => ({ component, variable: 'Problem' });
const tripped = (component: string): ErrorPlace => ({ component, variable: 'Tripped' });

/** Component names are those of the appendix of 2.0.1 Part 2. */
export const ERROR_PLACES = {
  ConnectorLockFailure: problem('ConnectorPlugRetentionLock'),
  EVCommunicationError: problem('ConnectedEV'),
  GroundFailure: tripped('RCD'),
  HighTemperature: problem('TemperatureSensor'),
  InternalError: problem('Controller'),
  LocalListConflict: problem('LocalAuthListCtrlr'),
  OtherError: problem('EVSE'),
  OverCurrentFailure: tripped('OverCurrentProtection'),
  OverVoltage: problem('ElectricalFeed'),
  PowerMeterFailure: problem('FiscalMetering'),
  PowerSwitchFailure: problem('PowerContactor'),
  ReaderFailure: problem('TokenReader'),
  ResetFailure: problem('Controller'),
  UnderVoltage: problem('ElectricalFeed'),
  WeakSignal: problem('DataLink'),
} as const satisfies Record<Exclude<ErrorCode, 'NoError'>, ErrorPlace>;
