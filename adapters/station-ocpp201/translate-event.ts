// NotifyEvent of OCPP 2.0.1: which events are a connector's status, and which are faults in the gateway's error codes.
import type { Payload } from '../ocpp-j/contract.js';
import { booleanOf, filledTextOf, memberOf, momentOf, recordOf, textOf } from '../ocpp-j/fields.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { ConnectorError, ConnectorStatus, ErrorCode } from '../../gateway/site/station-event.js';

export const CONNECTOR_STATUSES: readonly ConnectorStatus[] = [
  'Available',
  'Occupied',
  'Reserved',
  'Unavailable',
  'Faulted',
];

/** Components of the standard's list, in lower case, for the error code each stands for. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  connectorplugretentionlock: 'ConnectorLockFailure',
  connectedev: 'EVCommunicationError',
  cppwmcontroller: 'EVCommunicationError',
  rcd: 'GroundFailure',
  groundisolationprotection: 'GroundFailure',
  temperaturesensor: 'HighTemperature',
  controller: 'InternalError',
  localauthlistctrlr: 'LocalListConflict',
  overcurrentprotection: 'OverCurrentFailure',
  fiscalmetering: 'PowerMeterFailure',
  powercontactor: 'PowerSwitchFailure',
  tokenreader: 'ReaderFailure',
  datalink: 'WeakSignal',
};

const INFO_LENGTH = 50;

export type NotifiedEvent =
  | {
      readonly kind: 'status';
      readonly status: ConnectorStatus;
      readonly at: Timestamp;
      readonly evse: Payload | undefined;
    }
  /** An absent error: it is over. */
  | {
      readonly kind: 'error';
      readonly error: ConnectorError | undefined;
      readonly at: Timestamp;
      readonly evse: Payload | undefined;
    };

const errorOf = (component: string, variable: string, event: Payload): ConnectorError => {
  const code = CODES[component.toLowerCase()] ?? 'OtherError';
  const value = textOf(event, 'actualValue') ?? '';
  const named = code === 'OtherError' ? `${component}.${variable}=${value}` : undefined;
  const info = Array.from(filledTextOf(event, 'techInfo') ?? named ?? '')
    .slice(0, INFO_LENGTH)
    .join('');
  const vendorErrorCode = filledTextOf(event, 'techCode');
  return {
    code,
    ...(info !== '' && { info }),
    ...(vendorErrorCode !== undefined && { vendorErrorCode }),
  };
};

/** Undefined for an event that is neither: values being monitored are nobody's fault. */
export function notifiedEvent(event: Payload, now: Timestamp): NotifiedEvent | undefined {
  const componentOf = recordOf(event, 'component');
  const variableOf = recordOf(event, 'variable');
  const component = componentOf && textOf(componentOf, 'name');
  const variable = variableOf && textOf(variableOf, 'name');
  if (!componentOf || component === undefined || variable === undefined) return undefined;
  const evse = recordOf(componentOf, 'evse');
  const at = momentOf(event, 'timestamp') ?? now;
  const subject = component.toLowerCase();
  switch (variable.toLowerCase()) {
    case 'availabilitystate': {
      // An EVSE's own state is that of its connectors once more.
      const status = memberOf(event['actualValue'], CONNECTOR_STATUSES);
      const told = subject === 'connector' || subject === 'chargingstation';
      return told && status
        ? { kind: 'status', status, at, evse: subject === 'connector' ? evse : undefined }
        : undefined;
    }
    case 'problem':
    case 'tripped': {
      const over = booleanOf(event, 'cleared') === true || textOf(event, 'actualValue')?.toLowerCase() !== 'true';
      return { kind: 'error', error: over ? undefined : errorOf(component, variable, event), at, evse };
    }
    default:
      return undefined;
  }
}
