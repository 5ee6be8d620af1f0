// What the gateway tells without being asked: its status each second, and each event. Keeps the connection, and says how old what it has is.
import { ask, refusedBy } from './api.js';
import type { ConsoleEvent, SiteStatus } from '../../../gateway/ports/console.js';

export interface LivePicture {
  readonly status: SiteStatus | undefined;
  /** Newest first. */
  readonly events: readonly ConsoleEvent[];
  readonly link: 'connecting' | 'open' | 'lost';
  /** When it was last known to be so, by this device's clock; ms since 1970. */
  readonly statusAt_ms: number | undefined;
}

export const NOTHING_YET: LivePicture = { status: undefined, events: [], link: 'connecting', statusAt_ms: undefined };

/** Heard of nothing for so long, what is shown is old. */
export const OLD_AFTER_MS = 8_000;
/** A status comes when something has changed; without one for so long, the gateway is asked whether it is still so. */
const ASK_AFTER_MS = 4_000;
const RETRY_MS = 2_000;
const LOOK_EACH_MS = 1_000;
const MOST_EVENTS = 500;

export interface Following {
  readonly onPicture: (picture: LivePicture) => void;
  /** The session has ended: somebody has to sign in again. */
  readonly onSignedOut: () => void;
}

/** @returns what ends it */
export function followLive({ onPicture, onSignedOut }: Following): () => void {
  let picture = NOTHING_YET;
  let source: EventSource | undefined;
  let heardAt_ms = Date.now();
  let ended = false;
  /** Counts what began a connection or gave it up: only the newest may go on. */
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const show = (change: Partial<LivePicture>): void => {
    picture = { ...picture, ...change };
    onPicture(picture);
  };
  const reopen = (): void => {
    attempt += 1;
    source?.close();
    source = undefined;
    if (picture.link !== 'lost') show({ link: 'lost' });
    clearTimeout(retry);
    retry = setTimeout(() => void open(), RETRY_MS);
  };
  /** An event stream does not say why it was refused: an ordinary question does. */
  const open = async (): Promise<void> => {
    attempt += 1;
    const mine = attempt;
    try {
      const { events } = await ask<{ events: readonly ConsoleEvent[] }>('/api/events?limit=200');
      if (ended || mine !== attempt) return;
      show({ events });
    } catch (err) {
      if (ended || mine !== attempt) return;
      if (refusedBy(err).status === 401) onSignedOut();
      else reopen();
      return;
    }
    heardAt_ms = Date.now();
    const stream = new EventSource('/api/live');
    source = stream;
    stream.onopen = () => {
      heardAt_ms = Date.now();
    };
    stream.addEventListener('status', ({ data }: MessageEvent<string>) => {
      heardAt_ms = Date.now();
      show({ status: JSON.parse(data) as SiteStatus, statusAt_ms: heardAt_ms, link: 'open' });
    });
    stream.addEventListener('event', ({ data }: MessageEvent<string>) => {
      heardAt_ms = Date.now();
      show({ events: [JSON.parse(data) as ConsoleEvent, ...picture.events].slice(0, MOST_EVENTS) });
    });
    stream.onerror = reopen;
  };
  let asking = false;
  const check = async (): Promise<void> => {
    if (source === undefined || asking || Date.now() - heardAt_ms < ASK_AFTER_MS) return;
    asking = true;
    try {
      const status = await ask<SiteStatus>('/api/status');
      heardAt_ms = Date.now();
      if (!ended) show({ status, statusAt_ms: heardAt_ms, link: 'open' });
    } catch {
      // The stream may look open for minutes when the network has gone away under it.
      if (!ended) reopen();
    } finally {
      asking = false;
    }
  };
  const watch = setInterval(() => void check(), LOOK_EACH_MS);
  // A phone that slept has a connection that only looks open.
  const woken = (): void => {
    if (document.visibilityState === 'visible' && Date.now() - heardAt_ms > OLD_AFTER_MS) reopen();
  };
  document.addEventListener('visibilitychange', woken);
  void open();

  return () => {
    ended = true;
    clearTimeout(retry);
    clearInterval(watch);
    document.removeEventListener('visibilitychange', woken);
    source?.close();
  };
}
