// What an operator can set about authorization: the flags of OCPP 1.6 and 2.0.1 that the gateway keeps for the whole site.
import type { Milliseconds, WattHour } from '../kernel/units.js';
import type { AuthorizationPolicy } from '../site/topology.js';

/** Names are those of 2.0.1; the 1.6 key where it has another. */
export interface AuthorizationSettings {
  /** AuthCtrlr.Enabled: false lets everyone charge. */
  readonly enabled: boolean;
  /** LocalPreAuthorize: a valid entry starts without asking the CSMS. */
  readonly localPreAuthorize: boolean;
  /** LocalAuthorizeOffline: a valid entry starts while the CSMS is away. */
  readonly localAuthorizeOffline: boolean;
  /** OfflineTxForUnknownIdEnabled, AllowOfflineTxForUnknownId. */
  readonly offlineTxForUnknownId: boolean;
  /** Offline, nobody is asked for anything; a token known to be bad still does not start. */
  readonly offlineFree: boolean;
  /** AuthorizeRemoteStart, AuthorizeRemoteTxRequests: a remote start is authorized like a card. */
  readonly authorizeRemoteStart: boolean;
  /** AuthCtrlr.DisableRemoteAuthorization: the CSMS is never asked. */
  readonly disableRemoteAuthorization: boolean;
  /** LocalAuthListCtrlr.DisablePostAuthorize: a listed token that is not valid is refused without asking. */
  readonly listDisablePostAuthorize: boolean;
  /** AuthCacheCtrlr.DisablePostAuthorize: the same for a cached one. */
  readonly cacheDisablePostAuthorize: boolean;
  /** LocalAuthListCtrlr.Enabled, LocalAuthListEnabled. */
  readonly listEnabled: boolean;
  /** LocalAuthListCtrlr.SupportsExpiryDateTime: a 2.0.1 list's dates count; those of a 1.6 list always do (C13, C14). */
  readonly listSupportsExpiry: boolean;
  /** AuthCacheCtrlr.Enabled, AuthorizationCacheEnabled. */
  readonly cacheEnabled: boolean;
  /** AuthCacheCtrlr.LifeTime: how long an entry without a date of its own is valid after its last use (C10.FR.08). */
  readonly cacheLifetime: Milliseconds;
  /** TxCtrlr.TxBeforeAcceptedEnabled: drivers may start while the CSMS has not accepted the gateway's boot. */
  readonly txBeforeAccepted: boolean;
  /** AuthCtrlr.MasterPassGroupId: its tokens stop any transaction and start none (C16). */
  readonly masterPassGroup?: string;
  /** StopTxOnInvalidId, StopTransactionOnInvalidId. */
  readonly stopOnInvalidId: boolean;
  /** MaxEnergyOnInvalidId: what a refused driver may still take where the transaction is not stopped. */
  readonly maxEnergyOnInvalidId?: WattHour;
  /** How long a CSMS may take before the offline rules decide. */
  readonly timeout: Milliseconds;
}

/** The settings that site.yaml implies; a CSMS may change single ones. */
export function settingsOf(policy: AuthorizationPolicy): AuthorizationSettings {
  return {
    enabled: true,
    localPreAuthorize: true,
    localAuthorizeOffline: true,
    offlineTxForUnknownId: policy.offline !== 'known-only',
    offlineFree: policy.offline === 'free',
    authorizeRemoteStart: false,
    disableRemoteAuthorization: false,
    listDisablePostAuthorize: false,
    cacheDisablePostAuthorize: false,
    listEnabled: true,
    listSupportsExpiry: true,
    cacheEnabled: policy.cacheEntries > 0,
    cacheLifetime: policy.cacheLifetime,
    txBeforeAccepted: true,
    stopOnInvalidId: policy.stopOnInvalidId,
    ...(policy.maxEnergyOnInvalidId !== undefined && { maxEnergyOnInvalidId: policy.maxEnergyOnInvalidId }),
    timeout: policy.timeout,
  };
}
