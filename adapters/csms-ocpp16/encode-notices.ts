// The smaller messages of a station to an OCPP 1.6 CSMS: boot, data transfer, security events, progress of jobs.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsMessage, StationIdentity } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import { type Frame, frame } from '../ocpp-j/csms-delivery.js';
import { truncate } from '../ocpp-j/truncate.js';

/** 1.6 has no boot reason. */
export const encodeBoot = (identity: StationIdentity): OCPP16.BootNotificationRequest => ({
  chargePointVendor: truncate(identity.vendor, 20),
  chargePointModel: truncate(identity.model, 20),
  chargePointSerialNumber: truncate(identity.serialNumber, 25),
  firmwareVersion: truncate(identity.firmwareVersion, 50),
});

export function encodeDataTransfer(
  message: Extract<CsmsMessage, { type: 'dataTransfer' }>,
): OCPP16.DataTransferRequest {
  const { vendorId, messageId, data } = message;
  // JSON.stringify has no text for functions and the like.
  const text: string | undefined = typeof data === 'string' ? data : JSON.stringify(data);
  return {
    vendorId: truncate(vendorId, 255),
    ...(messageId !== undefined && { messageId: truncate(messageId, 50) }),
    ...(text !== undefined && { data: text }),
  };
}

export const encodeSecurityEvent = (
  message: Extract<CsmsMessage, { type: 'securityEvent' }>,
): OCPP16.SecurityEventNotificationRequest => ({
  type: truncate(message.event, 50),
  timestamp: toRfc3339(message.at),
  ...(message.techInfo !== undefined && { techInfo: truncate(message.techInfo, 255) }),
});

type DiagnosticsStatus = OCPP16.DiagnosticsStatusNotificationRequest['status'];
type FirmwareStatus = OCPP16.FirmwareStatusNotificationRequest['status'];

/** 2.0.1 log status -> 1.6 diagnostics status (translation table B). */
const DIAGNOSTICS: Readonly<Record<string, DiagnosticsStatus>> = {
  AcceptedCanceled: 'Idle',
  BadMessage: 'UploadFailed',
  Idle: 'Idle',
  NotSupportedOperation: 'UploadFailed',
  PermissionDenied: 'UploadFailed',
  Uploaded: 'Uploaded',
  UploadFailure: 'UploadFailed',
  Uploading: 'Uploading',
};

/** 2.0.1 firmware status -> the seven of 1.6; the steps in between collapse into the one that goes on. */
const FIRMWARE: Readonly<Record<string, FirmwareStatus>> = {
  Downloaded: 'Downloaded',
  DownloadFailed: 'DownloadFailed',
  Downloading: 'Downloading',
  DownloadPaused: 'Downloading',
  DownloadScheduled: 'Downloading',
  Idle: 'Idle',
  InstallationFailed: 'InstallationFailed',
  Installed: 'Installed',
  Installing: 'Installing',
  InstallRebooting: 'Installing',
  InstallScheduled: 'Downloaded',
  InstallVerificationFailed: 'InstallationFailed',
  InvalidSignature: 'InstallationFailed',
  SignatureVerified: 'Downloaded',
};

/** Undefined: a status that no version knows. */
export function encodeJobStatus(message: Extract<CsmsMessage, { type: 'jobStatus' }>): Frame | undefined {
  if (message.job === 'log') {
    const status = DIAGNOSTICS[message.status];
    return status && frame('DiagnosticsStatusNotification', { status }, 'status');
  }
  const status = FIRMWARE[message.status];
  return status && frame('FirmwareStatusNotification', { status }, 'status');
}
