// The way to every page: a column at the left of a wide window, a bar within the thumb's reach on a phone.
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useConsole } from './console-context.js';
import { Button, useAct } from './parts/act.js';
import { addressOf, MENU, type Place } from './place.js';
import { may } from './roles.js';
import { chooseTheme, chosenTheme, type Theme } from './theme.js';

/** As many fit side by side at 360 px. */
const AT_HAND = 4;

const ABOVE: Readonly<Partial<Record<Place['page'], Place['page']>>> = { evse: 'site', circuit: 'site' };

export function Menu({ place, onSignedOut }: { readonly place: Place; readonly onSignedOut: () => void }): JSX.Element {
  const { session } = useConsole();
  const [open, setOpen] = useState(false);
  const more = useRef<HTMLButtonElement>(null);
  const rest = useId();
  const current = ABOVE[place.page] ?? place.page;
  useEffect(() => setOpen(false), [place]);
  const offered = MENU.filter(({ needs }) => needs === undefined || may(session.role, needs));
  return (
    <nav
      class={`menu ${open ? 'is-open' : ''}`}
      aria-label="Pages"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        setOpen(false);
        more.current?.focus();
      }}
    >
      <ul class="at-hand">
        {offered.slice(0, AT_HAND).map((each) => (
          <Entry key={each.page} {...each} current={current} />
        ))}
        <li class="more">
          <button
            ref={more}
            type="button"
            aria-expanded={open}
            aria-controls={rest}
            class={offered.slice(AT_HAND).some(({ page }) => page === current) ? 'is-current' : ''}
            onClick={() => setOpen(!open)}
          >
            More
          </button>
        </li>
      </ul>
      <div class="rest" id={rest}>
        <ul>
          {offered.slice(AT_HAND).map((each) => (
            <Entry key={each.page} {...each} current={current} />
          ))}
        </ul>
        <ThemeChoice />
        <Account onSignedOut={onSignedOut} />
      </div>
    </nav>
  );
}

interface EntryProps {
  readonly page: (typeof MENU)[number]['page'];
  readonly title: string;
  readonly current: Place['page'];
}

const Entry = ({ page, title, current }: EntryProps): JSX.Element => (
  <li>
    <a href={addressOf({ page } as Place)} {...(page === current && { 'aria-current': 'page' as const })}>
      {title}
    </a>
  </li>
);

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the device'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function ThemeChoice(): JSX.Element {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <label class="theme">
      <span>Colours</span>
      <select
        value={theme}
        onChange={({ currentTarget }) => {
          const chosen = THEMES.find(([name]) => name === currentTarget.value)?.[0] ?? 'system';
          chooseTheme(chosen);
          setTheme(chosen);
        }}
      >
        {THEMES.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Account({ onSignedOut }: { readonly onSignedOut: () => void }): JSX.Element | null {
  const { session } = useConsole();
  const { busy, act } = useAct();
  if (session.setup) return null;
  const signOut = async (): Promise<void> => {
    if ((await act({ path: '/api/session', method: 'DELETE', done: 'Signed out' })) !== undefined) onSignedOut();
  };
  return (
    <div class="account">
      <p>
        {session.name} <small>{session.role}</small>
      </p>
      <Button busy={busy} onClick={() => void signOut()}>
        Sign out
      </Button>
    </div>
  );
}
