// The life of a charge on a charger that knows no transactions, as a function of (session, event): who may start, when it begins, when it ends.
import type { StoppedReason, TriggerReason } from '../../gateway/site/station-event.js';
import type { IdToken } from '../../gateway/site/tokens.js';
import type { StartPolicy } from '../../gateway/site/topology.js';
import type { EvseState } from '../modbus/charger-behaviour.js';

export type Session =
  /** Nothing asked for; a car may be there. */
  | { readonly phase: 'idle' }
  /** The fixed token, or that of a card, is being judged. */
  | { readonly phase: 'asking'; readonly idToken: IdToken }
  /** A remote start or an accepted card came before the car; given up at `until` (monotonic milliseconds). */
  | {
      readonly phase: 'awaited';
      readonly idToken: IdToken;
      readonly remoteStartId?: number;
      readonly until: number;
    }
  /** Begun, not yet known to be on disk. */
  | { readonly phase: 'starting' }
  | { readonly phase: 'open' }
  /** Refused or ended with the cable still in: nothing by itself until the car leaves. */
  | { readonly phase: 'closed' };

export type SessionEvent =
  | { readonly type: 'polled'; readonly state: EvseState; readonly now: number; readonly operative: boolean }
  /** A card was held to the charger's reader. */
  | { readonly type: 'presented'; readonly idToken: IdToken }
  /** @see presented; `until`: how long a car is waited for, in monotonic milliseconds */
  | { readonly type: 'judged'; readonly accepted: boolean; readonly plugged: boolean; readonly until: number }
  | {
      readonly type: 'requestStart';
      readonly idToken: IdToken;
      readonly remoteStartId: number;
      readonly plugged: boolean;
      readonly until: number;
    }
  /** The start is on disk. */
  | { readonly type: 'recorded'; readonly accepted: boolean }
  /** The charger has paused for good. */
  | { readonly type: 'stop'; readonly by: 'remote' | 'card' };

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

const STOPS = {
  remote: { trigger: 'RemoteStop', reason: 'Remote' },
  card: { trigger: 'StopAuthorized', reason: 'Local' },
} as const;

export function stepSession(session: Session, event: SessionEvent, policy: StartPolicy): SessionStep {
  switch (event.type) {
    case 'polled':
      return polled(session, event, policy);
    case 'presented':
      return presented(session, event.idToken, policy);
    case 'judged':
      return judged(session, event);
    case 'requestStart':
      return requestStart(session, event);
    case 'recorded':
      if (session.phase !== 'starting') return { session };
      return event.accepted
        ? { session: { phase: 'open' }, action: { do: 'deliver' } }
        : { session: { phase: 'closed' }, action: { do: 'end', trigger: 'Deauthorized', reason: 'DeAuthorized' } };
    case 'stop':
      return session.phase === 'starting' || session.phase === 'open'
        ? { session: { phase: 'closed' }, action: { do: 'end', ...STOPS[event.by] } }
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
    return start(idToken, remoteStartId);
  }
  return session.phase === 'idle' && policy.kind === 'free' ? ask(fixedToken(policy.idToken)) : { session };
}

const ask = (idToken: IdToken): SessionStep => ({
  session: { phase: 'asking', idToken },
  action: { do: 'authorize', idToken },
});

/** @param remoteStartId absent where it was authorized at the charger */
const start = (idToken: IdToken, remoteStartId?: number): SessionStep => ({
  session: { phase: 'starting' },
  action:
    remoteStartId === undefined
      ? { do: 'start', idToken, trigger: 'Authorized' }
      : { do: 'start', idToken, trigger: 'RemoteStart', remoteStartId },
});

/** A card is asked about while nothing runs, even where the last charge has ended with the cable still in. */
function presented(session: Session, idToken: IdToken, policy: StartPolicy): SessionStep {
  if (policy.kind === 'free') return { session, rejected: 'free to use' };
  return session.phase === 'idle' || session.phase === 'closed' || session.phase === 'awaited'
    ? ask(idToken)
    : { session, rejected: 'a transaction is open' };
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

function judged(session: Session, { accepted, plugged, until }: SessionEvent & { type: 'judged' }): SessionStep {
  if (session.phase !== 'asking') return { session };
  const { idToken } = session;
  if (!accepted) return { session: { phase: 'closed' } };
  return plugged ? start(idToken) : { session: { phase: 'awaited', idToken, until } };
}

function requestStart(session: Session, event: SessionEvent & { type: 'requestStart' }): SessionStep {
  if (session.phase === 'starting' || session.phase === 'open') return { session, rejected: 'a transaction is open' };
  const { idToken, remoteStartId } = event;
  return event.plugged
    ? start(idToken, remoteStartId)
    : { session: { phase: 'awaited', idToken, remoteStartId, until: event.until } };
}

/** The token that stands for everyone on a charger that is free to use. */
const fixedToken = (idToken: string): IdToken => ({ idToken, type: 'Local' });
