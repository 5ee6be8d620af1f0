// Identifiers of drivers and what is known about them, in OCPP 2.0.1 words.
import type { EvseNumber } from '../kernel/ids.js';
import type { Timestamp } from '../kernel/units.js';

export type IdTokenType =
  | 'Central'
  | 'eMAID'
  | 'ISO14443'
  | 'ISO15693'
  | 'KeyCode'
  | 'Local'
  | 'MacAddress'
  | 'NoAuthorization';

/** Compared without regard to case; forwarded in the case it came in. At most 36 characters in 2.0.1, 20 in 1.6. */
export interface IdToken {
  readonly idToken: string;
  readonly type: IdTokenType;
}

export type AuthorizationStatus =
  | 'Accepted'
  | 'Blocked'
  | 'ConcurrentTx'
  | 'Expired'
  | 'Invalid'
  | 'NoCredit'
  | 'NotAllowedTypeEVSE'
  | 'NotAtThisLocation'
  | 'NotAtThisTime'
  | 'Unknown';

export interface IdTokenInfo {
  readonly status: AuthorizationStatus;
  readonly cacheExpiry?: Timestamp;
  readonly chargingPriority?: number;
  readonly group?: IdToken;
  /** The EVSEs the token may use; absent: all. */
  readonly evses?: readonly EvseNumber[];
  readonly language1?: string;
  readonly personalMessage?: {
    readonly format: 'ASCII' | 'HTML' | 'URI' | 'UTF8';
    readonly language?: string;
    readonly content: string;
  };
}

/** The form in which tokens are compared and indexed. */
export const tokenKey = (token: IdToken | string): string =>
  (typeof token === 'string' ? token : token.idToken).toLowerCase();
