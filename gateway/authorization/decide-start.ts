// Decides whether a token may start a transaction: ordered steps, the first with an opinion decides.
import type { WattHour } from '../kernel/units.js';
import { tokenKey, type AuthorizationStatus, type IdToken, type IdTokenInfo } from '../site/tokens.js';
import type { AuthorizationBasis } from '../site/transaction.js';
import {
  allowedAt,
  cachedToken,
  isMasterPass,
  knownToken,
  listedToken,
  sameGroup,
  siteToken,
  type Knowledge,
  type KnownToken,
} from './known-token.js';

export interface StartContext extends Knowledge {
  readonly idToken: IdToken;
  /** `pending`: connected, but the CSMS has not accepted the gateway's boot. A site without a CSMS is always `offline`. */
  readonly authority: 'online' | 'offline' | 'pending';
  /** A CSMS asked for this start. */
  readonly remote?: boolean;
  /** The station starts for everyone, and this is its own token or none at all (a charger without a reader). */
  readonly freeStation?: boolean;
  /** Holds the EVSE for somebody, perhaps for this driver. */
  readonly reservation?: { readonly idToken: IdToken; readonly group?: IdToken };
  /** How many transactions are open with this token on the site. */
  readonly openTransactions: number;
}

export type StartDecision =
  | {
      readonly decision: 'accept';
      readonly info: IdTokenInfo;
      readonly basis: AuthorizationBasis;
      /** The CSMS was asked and did not answer: decided as if it were away. */
      readonly degraded: boolean;
      /** What the driver may take until the CSMS has confirmed an unknown token. */
      readonly energyLimit?: WattHour;
    }
  | {
      readonly decision: 'reject';
      readonly info: IdTokenInfo;
      readonly why: StartRefusal;
      readonly degraded: boolean;
    }
  /** Ask the CSMS, then call `afterAnswer` or `afterTimeout`. */
  | { readonly decision: 'ask' };

export type StartRefusal =
  | 'reserved'
  | 'listed-not-valid'
  | 'cached-not-valid'
  | 'csms'
  | 'remote-authorization-disabled'
  | 'boot-not-accepted'
  | 'local-authorization-disabled'
  | 'unknown-token'
  | 'no-token'
  | 'concurrent'
  | 'evse-not-allowed'
  | 'master-pass';

type Step = (context: StartContext) => StartDecision | undefined;

const accept = (info: IdTokenInfo, basis: AuthorizationBasis): StartDecision => ({
  decision: 'accept',
  info,
  basis,
  degraded: false,
});
const reject = (status: AuthorizationStatus, why: StartRefusal, info?: IdTokenInfo): StartDecision => ({
  decision: 'reject',
  info: { ...info, status },
  why,
  degraded: false,
});
const ACCEPTED: IdTokenInfo = { status: 'Accepted' };

/** Somebody else's reservation that knows no group: no answer could help (1.6 section 5.13, H01). */
const reservation: Step = ({ reservation: held, idToken }) =>
  held && tokenKey(held.idToken) !== tokenKey(idToken) && held.group === undefined
    ? reject('Blocked', 'reserved')
    : undefined;

/** AuthCtrlr.Enabled=false, and chargers that start for everyone. */
const nobodyAsked: Step = ({ settings, freeStation }) =>
  !settings.enabled || freeStation ? accept(ACCEPTED, 'free') : undefined;

/** A remote start counts as authorized, unless AuthorizeRemoteStart; a Central token always (C05). */
const remoteStart: Step = ({ remote, settings, idToken }) =>
  remote && (!settings.authorizeRemoteStart || idToken.type === 'Central') ? accept(ACCEPTED, 'remote') : undefined;

const siteTokens: Step = (context) => {
  const known = siteToken(context, context.idToken);
  return known && accept(known.info, 'site-token');
};

/** Nobody has said who it is: nobody to ask about, and nobody to bill, where a station is not meant to be free (C02). */
const noToken: Step = ({ idToken, settings, authority }) =>
  (idToken.type === 'NoAuthorization' || idToken.idToken === '') && !(settings.offlineFree && authority !== 'online')
    ? reject('Invalid', 'no-token')
    : undefined;

/** Online: C13, C14.FR.03, C14.FR.05. */
const localList: Step = (context) => {
  const known = context.settings.localPreAuthorize ? listedToken(context, context.idToken) : undefined;
  if (!known) return undefined;
  if (known.validity === 'valid') return accept(known.info, 'local-list');
  return context.settings.listDisablePostAuthorize ? refuseKnown(known) : askFor(context);
};

/** Online: C10.FR.03, C12.FR.05. */
const cache: Step = (context) => {
  const known = context.settings.localPreAuthorize ? cachedToken(context, context.idToken) : undefined;
  if (!known) return undefined;
  if (known.validity === 'valid') return accept(known.info, 'cache');
  return context.settings.cacheDisablePostAuthorize ? refuseKnown(known) : askFor(context);
};

const csms: Step = (context) => askFor(context);

const askFor = ({ settings }: StartContext): StartDecision =>
  settings.disableRemoteAuthorization ? reject('Invalid', 'remote-authorization-disabled') : { decision: 'ask' };

const refuseKnown = ({ info, source }: KnownToken): StartDecision =>
  reject(info.status, source === 'cache' ? 'cached-not-valid' : 'listed-not-valid', info);

const bootAccepted: Step = ({ authority, settings }) =>
  authority === 'pending' && !settings.txBeforeAccepted ? reject('Invalid', 'boot-not-accepted') : undefined;

/** The token is known here: valid ones start, bad ones never, even where unknown ones may (1.6 section 3.5.4, C13.FR.06). */
const offlineKnown: Step = (context) => {
  const { settings, openTransactions, idToken } = context;
  const known = listedToken(context, idToken) ?? cachedToken(context, idToken);
  if (!known) return undefined;
  if (known.validity === 'bad') return refuseKnown(known);
  const info: IdTokenInfo = { ...known.info, status: 'Accepted' };
  if (settings.localAuthorizeOffline && openTransactions === 0) return accept(info, known.source);
  if (settings.offlineFree) return accept(info, 'free');
  return settings.localAuthorizeOffline
    ? reject('ConcurrentTx', 'concurrent', known.info)
    : reject('Invalid', 'local-authorization-disabled', known.info);
};

/** The token is not known here: C15, AllowOfflineTxForUnknownId. One transaction at a time, and not to be cached (C15.FR.01). */
const offlinePolicy: Step = ({ settings, openTransactions }) => {
  if (settings.offlineFree) return accept(ACCEPTED, 'free');
  if (!settings.offlineTxForUnknownId) return reject('Invalid', 'unknown-token');
  if (openTransactions > 0) return reject('ConcurrentTx', 'concurrent');
  return {
    decision: 'accept',
    info: ACCEPTED,
    basis: 'offline-unknown',
    degraded: false,
    // 0 is a CSMS's way to say that there is no allowance, not that nobody may charge.
    ...(settings.maxEnergyOnInvalidId !== undefined &&
      settings.maxEnergyOnInvalidId > 0 && { energyLimit: settings.maxEnergyOnInvalidId }),
  };
};

const firstSteps: readonly Step[] = [reservation, nobodyAsked, remoteStart, siteTokens, noToken];
const onlineSteps: readonly Step[] = [localList, cache, csms];
const offlineSteps: readonly Step[] = [bootAccepted, offlineKnown, offlinePolicy];

/** Decides a start as far as it can be decided here and now. */
export function decideStart(context: StartContext): StartDecision {
  const online = context.authority === 'online';
  return run([...firstSteps, ...(online ? onlineSteps : offlineSteps)], context, online);
}

/** Decides by the CSMS's answer; what it says also goes to the cache (`TokenCache.learn`). */
export function afterAnswer(context: StartContext, info: IdTokenInfo): StartDecision {
  const answered: Step = () => (info.status === 'Accepted' ? accept(info, 'csms') : reject(info.status, 'csms', info));
  return run([reservation, answered], context, false);
}

/** Decides without the CSMS, which did not answer in time or with an error: the offline rules, marked as such. */
export function afterTimeout(context: StartContext): Exclude<StartDecision, { readonly decision: 'ask' }> {
  const decided = run([...firstSteps, ...offlineSteps], context, false);
  return decided.decision === 'ask' ? { ...refusedAtLast, degraded: true } : { ...decided, degraded: true };
}

const refusedAtLast = {
  decision: 'reject',
  info: { status: 'Invalid' },
  why: 'unknown-token',
} as const;

function run(steps: readonly Step[], context: StartContext, mayAsk: boolean): StartDecision {
  for (const step of steps) {
    const decided = step(context);
    if (decided) return guarded(decided, context, mayAsk);
  }
  return { ...refusedAtLast, degraded: false };
}

/** What holds for every acceptance, whoever gave it. */
function guarded(decided: StartDecision, context: StartContext, mayAsk: boolean): StartDecision {
  if (decided.decision !== 'accept') return decided;
  // C12.FR.09: a master pass ends transactions and begins none.
  if (isMasterPass(decided.info, context.settings)) return reject('Invalid', 'master-pass', decided.info);
  if (!allowedAt(decided.info, context.evse)) return reject('Invalid', 'evse-not-allowed', decided.info);
  return reservedFor(decided, context, mayAsk);
}

/** A reserved EVSE opens to its token and to its group; the group comes from the list, the cache, else from the CSMS. */
function reservedFor(decided: StartDecision, context: StartContext, mayAsk: boolean): StartDecision {
  const held = context.reservation;
  if (decided.decision !== 'accept' || !held || tokenKey(held.idToken) === tokenKey(context.idToken)) return decided;
  const group = decided.info.group ?? knownToken(context, context.idToken)?.info.group;
  if (sameGroup(group, held.group)) return decided;
  const local = decided.basis === 'local-list' || decided.basis === 'cache';
  const askable = mayAsk && local && group === undefined && !context.settings.disableRemoteAuthorization;
  return askable ? { decision: 'ask' } : reject('Blocked', 'reserved');
}
