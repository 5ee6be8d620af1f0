// The life of a charge on a charger that knows no transactions, as a function of (session, event): who may start, when it begins, when it ends.
import type { StoppedReason, TriggerReason } from '../../gateway/site/station-event.js';
import type { IdToken } from '../../gateway/site/tokens.js';
import type { StartPolicy } from '../../gateway/site/topology.js';
import type { EvseState } from '../modbus/device-profile.js';

export type Session =
  /** Nothing asked for; a car may be there. */
  | { readonly phase: 'idle' }
  /** The fixed token is being judged. */
  | { readonly phase: 'asking' }
  /** A remote start came before the car; given up at `until` (monotonic milliseconds). */
  | {
      readonly phase: 'awaited';
      readonly idToken: IdToken;
      readonly remoteStartId: number;
      readonly until: number;
    }
  /** Begun, not yet known to be on disk. */
  | { readonly phase: 'starting' }
  | { readonly phase: 'open' }
  /** Refused or ended with the cable still in: nothing by itself until the car leaves. */
  | { readonly phase: 'closed' };

export type SessionEvent =
  | { readonly type: 'polled'; readonly state: EvseState; readonly now: number; readonly operative: boolean }
  | { readonly type: 'judged'; readonly accepted: boolean }
  | {
      readonly type: 'requestStart';
      readonly idToken: IdToken;
      readonly remoteStartId: number;
      readonly plugged: boolean;
      readonly until: number;
    }
  /** The start is on disk. */
  | { readonly type: 'recorded'; readonly accepted: boolean }
  | { readonly type: 'stop' };

export type SessionAction =
  | { readonly do: 'authorize'; readonly idToken: IdToken }
  | {
      readonly do: 'start';
      readonly idToken: IdToken;
      readonly trigger: TriggerReason;
      readonly remoteStartId?: number;
    }
  | { readonly do: 'deliver' }
  | { readonly do: 'end'; readonly trigger: TriggerReason; readonly reason: StoppedReason };

export interface SessionStep {
  readonly session: Session;
  readonly action?: SessionAction;
  /** Why the event changes nothing. */
  readonly rejected?: string;
}

const IDLE: Session = { phase: 'idle' };

export function stepSession(session: Session, event: SessionEvent, policy: StartPolicy): SessionStep {
  switch (event.type) {
    case 'polled':
      return polled(session, event, policy);
    case 'judged':
      return judged(session, event.accepted, policy);
    case 'requestStart':
      return requestStart(session, event);
    case 'recorded':
      if (session.phase !== 'starting') return { session };
      return event.accepted
        ? { session: { phase: 'open' }, action: { do: 'deliver' } }
        : { session: { phase: 'closed' }, action: { do: 'end', trigger: 'Deauthorized', reason: 'DeAuthorized' } };
    case 'stop':
      return session.phase === 'starting' || session.phase === 'open'
        ? { session: { phase: 'closed' }, action: { do: 'end', trigger: 'RemoteStop', reason: 'Remote' } }
        : { session, rejected: 'no transaction' };
  }
}

function polled(session: Session, event: SessionEvent & { type: 'polled' }, policy: StartPolicy): SessionStep {
  if (event.state === 'A') return unplugged(session, event.now);
  // A fault or a booting device says nothing of the car.
  if (event.state !== 'B' && event.state !== 'C') return expired(session, event.now);
  if (!event.operative && session.phase !== 'open') return expired(session, event.now);
  if (session.phase === 'awaited') {
    const { idToken, remoteStartId } = session;
    return { session: { phase: 'starting' }, action: { do: 'start', idToken, trigger: 'RemoteStart', remoteStartId } };
  }
  return session.phase === 'idle' && policy.kind === 'free'
    ? { session: { phase: 'asking' }, action: { do: 'authorize', idToken: fixedToken(policy.idToken) } }
    : { session };
}

function unplugged(session: Session, now: number): SessionStep {
  switch (session.phase) {
    case 'starting':
    case 'open':
      return { session: IDLE, action: { do: 'end', trigger: 'EVDeparted', reason: 'EVDisconnected' } };
    case 'closed':
      return { session: IDLE };
    case 'awaited':
      return expired(session, now);
    case 'idle':
    case 'asking':
      return { session };
  }
}

const expired = (session: Session, now: number): SessionStep =>
  session.phase === 'awaited' && now >= session.until ? { session: IDLE } : { session };

function judged(session: Session, accepted: boolean, policy: StartPolicy): SessionStep {
  if (session.phase !== 'asking' || policy.kind !== 'free') return { session };
  return accepted
    ? {
        session: { phase: 'starting' },
        action: { do: 'start', idToken: fixedToken(policy.idToken), trigger: 'Authorized' },
      }
    : { session: { phase: 'closed' } };
}

function requestStart(session: Session, event: SessionEvent & { type: 'requestStart' }): SessionStep {
  if (session.phase === 'starting' || session.phase === 'open') return { session, rejected: 'a transaction is open' };
  const { idToken, remoteStartId } = event;
  return event.plugged
    ? { session: { phase: 'starting' }, action: { do: 'start', idToken, trigger: 'RemoteStart', remoteStartId } }
    : { session: { phase: 'awaited', idToken, remoteStartId, until: event.until } };
}

/** The token that stands for everyone on a charger that is free to use. */
const fixedToken = (idToken: string): IdToken => ({ idToken, type: 'Local' });
