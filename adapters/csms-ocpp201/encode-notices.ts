// The smaller messages of a station to an OCPP 2.0.1 CSMS: boot, security events, jobs, reservations, limits, profiles.
import type { OCPP20 } from 'typed-ocpp';
import type { BootReason, CsmsMessage, StationIdentity } from '../../gateway/ports/csms.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import { type Frame, frame } from '../ocpp-j/csms-delivery.js';
import { truncate } from '../ocpp-j/truncate.js';
import { encodeProfile } from './charging-profiles.js';

type Message<Type extends CsmsMessage['type']> = Extract<CsmsMessage, { type: Type }>;

export const encodeBoot = (identity: StationIdentity, reason: BootReason): OCPP20.BootNotificationRequest => ({
  reason,
  chargingStation: {
    vendorName: truncate(identity.vendor, 50),
    model: truncate(identity.model, 20),
    serialNumber: truncate(identity.serialNumber, 25),
    firmwareVersion: truncate(identity.firmwareVersion, 50),
  },
});

export const encodeSecurityEvent = (message: Message<'securityEvent'>): OCPP20.SecurityEventNotificationRequest => ({
  type: truncate(message.event, 50),
  timestamp: toRfc3339(message.at),
  ...(message.techInfo !== undefined && { techInfo: truncate(message.techInfo, 255) }),
});

export const encodeDataTransfer = (message: Message<'dataTransfer'>): OCPP20.DataTransferRequest => ({
  vendorId: truncate(message.vendorId, 255),
  ...(message.messageId !== undefined && { messageId: truncate(message.messageId, 50) }),
  // The schema takes any JSON; its generated type only objects.
  ...(message.data !== undefined && { data: message.data as NonNullable<OCPP20.DataTransferRequest['data']> }),
});

export const encodeReservationEnded = (
  message: Message<'reservationEnded'>,
): OCPP20.ReservationStatusUpdateRequest => ({
  reservationId: message.reservationId,
  reservationUpdateStatus: message.why,
});

export function encodeChargingLimit({ source, slotEvse, cleared }: Message<'chargingLimit'>): Frame {
  const where = slotEvse === undefined ? {} : { evseId: slotEvse };
  if (cleared) {
    const gone: OCPP20.ClearedChargingLimitRequest = { chargingLimitSource: source, ...where };
    return frame('ClearedChargingLimit', gone, 'status');
  }
  const limited: OCPP20.NotifyChargingLimitRequest = { chargingLimit: { chargingLimitSource: source }, ...where };
  return frame('NotifyChargingLimit', limited, 'status');
}

/** Undefined: no profile to report. */
export const encodeProfiles = (
  message: Message<'reportChargingProfiles'>,
): OCPP20.ReportChargingProfilesRequest | undefined =>
  message.profiles.length === 0
    ? undefined
    : {
        requestId: message.requestId,
        chargingLimitSource: message.source,
        evseId: message.slotEvse,
        chargingProfile: message.profiles.map(encodeProfile),
        tbc: message.more,
      };

type FirmwareStatus = OCPP20.FirmwareStatusNotificationRequest['status'];
type LogStatus = OCPP20.LogStatusNotificationRequest['status'];

const FIRMWARE: readonly FirmwareStatus[] = [
  'Downloaded',
  'DownloadFailed',
  'Downloading',
  'DownloadScheduled',
  'DownloadPaused',
  'Idle',
  'InstallationFailed',
  'Installing',
  'Installed',
  'InstallRebooting',
  'InstallScheduled',
  'InstallVerificationFailed',
  'InvalidSignature',
  'SignatureVerified',
];
const LOG: readonly LogStatus[] = [
  'BadMessage',
  'Idle',
  'NotSupportedOperation',
  'PermissionDenied',
  'Uploaded',
  'UploadFailure',
  'Uploading',
  'AcceptedCanceled',
];

/** Undefined: a status that this version does not know. */
export function encodeJobStatus(message: Message<'jobStatus'>): Frame | undefined {
  const request = message.requestId === undefined ? {} : { requestId: message.requestId };
  const isFirmware = message.job === 'firmware';
  const status = (isFirmware ? FIRMWARE : LOG).find((word) => word === message.status);
  const action = isFirmware ? 'FirmwareStatusNotification' : 'LogStatusNotification';
  return status && frame(action, { status, ...request }, 'status');
}
