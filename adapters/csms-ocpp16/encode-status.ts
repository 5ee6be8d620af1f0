// Canonical status -> OCPP 1.6 StatusNotification: the nine states, the error codes and the station's connector 0.
import type { OCPP16 } from 'typed-ocpp';
import type { ConnectorView } from '../../gateway/ports/csms.js';
import { type Timestamp, toRfc3339 } from '../../gateway/kernel/units.js';
import type { ConnectorError, ConnectorStatus } from '../../gateway/site/station-event.js';
import { truncate } from '../ocpp-j/truncate.js';

export type ChargePointStatus = OCPP16.StatusNotificationRequest['status'];

/**
 * OCPP 1.6 section 4.9.
 * @param startReported whether this CSMS has been told of the open transaction: before that it cannot be more than Preparing
 */
export function statusOf(view: ConnectorView, startReported: boolean): ChargePointStatus {
  if (view.status !== 'Occupied') return view.status;
  if (view.transaction === 'none') return 'Preparing';
  if (view.transaction === 'ended') return 'Finishing';
  switch (view.chargingState) {
    case 'Charging':
    case 'SuspendedEV':
    case 'SuspendedEVSE':
      return startReported ? view.chargingState : 'Preparing';
    case 'EVConnected':
    case 'Idle':
      // Between the start and the first current the car is still being prepared (translation C, order rule).
      return startReported && view.energized === true ? 'SuspendedEV' : 'Preparing';
  }
}

/** A fault without a code would read "Faulted, NoError". */
function errorFields(
  faulted: boolean,
  error: ConnectorError | undefined,
): Pick<OCPP16.StatusNotificationRequest, 'errorCode' | 'info' | 'vendorId' | 'vendorErrorCode'> {
  const code = error?.code ?? 'NoError';
  return {
    errorCode: faulted && code === 'NoError' ? 'OtherError' : code,
    ...(error?.info !== undefined && { info: truncate(error.info, 50) }),
    ...(error?.vendorId !== undefined && { vendorId: truncate(error.vendorId, 255) }),
    ...(error?.vendorErrorCode !== undefined && { vendorErrorCode: truncate(error.vendorErrorCode, 50) }),
  };
}

export function encodeStatus(view: ConnectorView, startReported: boolean): OCPP16.StatusNotificationRequest {
  const status = statusOf(view, startReported);
  return {
    connectorId: view.slot.flat,
    status,
    ...errorFields(status === 'Faulted', view.error),
    timestamp: toRfc3339(view.at),
  };
}

/** Connector 0 knows Available, Unavailable and Faulted only (OCPP 1.6 section 4.9). */
export function encodeStationStatus(
  status: ConnectorStatus,
  error: ConnectorError | undefined,
  at: Timestamp,
): OCPP16.StatusNotificationRequest {
  const said = status === 'Unavailable' || status === 'Faulted' ? status : 'Available';
  return { connectorId: 0, status: said, ...errorFields(said === 'Faulted', error), timestamp: toRfc3339(at) };
}
