// The frame around every page: where one is, who one is, whether what is shown is live, and the way to everything else.
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ConsoleContext, type ConsoleState } from './console-context.js';
import type { ConfigurationNow } from '../../../gateway/ports/configuration.js';
import type { ConsoleEvent, SiteDrawing } from '../../../gateway/ports/console.js';
import type { Session } from './contract.js';
import { SiteTime } from './format.js';
import { followLive, NOTHING_YET } from './live.js';
import { LinkState } from './link-state.js';
import { Menu } from './menu.js';
import { Pages } from './pages.js';
import { PAGE_TITLE } from './parts/panel.js';
import { placeOf, subjectWords, type Place } from './place.js';
import { SetUpNotice } from './set-up-notice.js';
import { TrialNotice } from './configuration/trial-notice.js';
import { may } from './roles.js';
import { useAsked } from './use-asked.js';

interface ShellProps {
  readonly session: Session;
  readonly drawing: SiteDrawing;
  readonly refresh: () => void;
  readonly onSignedOut: () => void;
}

const SHOWN_FOR_MS = 5_000;

export function Shell({ session, drawing, refresh, onSignedOut }: ShellProps): JSX.Element {
  const [live, setLive] = useState(NOTHING_YET);
  const [said, setSaid] = useState('');
  const place = usePlace();
  const signedOut = useRef(onSignedOut);
  signedOut.current = onSignedOut;
  useEffect(() => followLive({ onPicture: setLive, onSignedOut: () => signedOut.current() }), [session.name]);
  useEffect(() => {
    if (said === '') return undefined;
    const timer = setTimeout(() => setSaid(''), SHOWN_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  // What is drawn changes with the configuration, which tells of itself as an event.
  const newest = live.events[0];
  const configured = live.events.find(({ kind }) => kind === 'configuration')?.at ?? '';
  const configuration = useAsked<ConfigurationNow>(may(session.role, 'configure') ? '/api/config' : undefined);
  const told = useRef<ConsoleEvent | undefined>(undefined);
  // What had happened before one came is in the first list, and no reason to ask again.
  const known = useRef<string | undefined>(undefined);
  const heard = live.events !== NOTHING_YET.events;
  useEffect(() => {
    if (!heard) return;
    if (known.current !== undefined && configured !== known.current) {
      refresh();
      configuration.again();
    }
    known.current = configured;
  }, [heard, configured, refresh, configuration.again]);
  useEffect(() => {
    const before = told.current;
    told.current = newest ?? before;
    // What had happened before one came is in the list, and no news.
    if (newest === undefined || live.status === undefined || newest === before) return;
    if (newest.severity !== 'info') setSaid(`${subjectWords(newest.subject)}: ${newest.text}`);
  }, [newest]);

  const time = useMemo(() => new SiteTime(drawing.timeZone), [drawing.timeZone]);
  const announce = useCallback((text: string) => setSaid(text), []);
  const state = useMemo<ConsoleState>(
    () => ({ session, drawing, live, time, announce, configuration, refresh }),
    [session, drawing, live, time, announce, configuration, refresh],
  );
  return (
    <ConsoleContext.Provider value={state}>
      <a class="skip" href={`#${PAGE_TITLE}`} onClick={skip}>
        To the content
      </a>
      <header class="bar">
        <p class="site-name">
          <strong>{drawing.name}</strong> <span>{drawing.site}</span>
        </p>
        <LinkState live={live} />
      </header>
      <Menu place={place} onSignedOut={onSignedOut} />
      <main class={`page is-${place.page}`}>
        {session.setup && <SetUpNotice />}
        <TrialNotice />
        <Pages place={place} />
      </main>
      <p class={`voice ${said === '' ? 'is-silent' : ''}`} role="status" aria-live="polite">
        {said}
      </p>
    </ConsoleContext.Provider>
  );
}

/** A jump within the page that leaves the address alone, which says which page it is. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById(PAGE_TITLE)?.focus();
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const moved = (): void => {
      setPlace(placeOf(location.hash));
      scrollTo(0, 0);
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}
