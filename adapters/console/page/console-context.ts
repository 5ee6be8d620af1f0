// What every part of the page may look at: who is signed in, the site, what is live, and a voice for what happens.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ConfigurationNow } from '../../../gateway/ports/configuration.js';
import type { SiteDrawing } from '../../../gateway/ports/console.js';
import type { Session } from './contract.js';
import type { SiteTime } from './format.js';
import type { LivePicture } from './live.js';
import { may, type Act } from './roles.js';
import type { Asked } from './use-asked.js';

export interface ConsoleState {
  readonly session: Session;
  readonly drawing: SiteDrawing;
  readonly live: LivePicture;
  readonly time: SiteTime;
  /** Says it politely to who cannot see it, and shows it for some seconds. */
  readonly announce: (text: string) => void;
  /** Asked only for who may configure. */
  readonly configuration: Asked<ConfigurationNow>;
  /** The session or what is drawn has changed: ask again. */
  readonly refresh: () => void;
}

export const ConsoleContext = createContext<ConsoleState | undefined>(undefined);

export function useConsole(): ConsoleState {
  const state = useContext(ConsoleContext);
  if (state === undefined) throw new Error('a part of the page stands outside the console');
  return state;
}

export const useMay = (act: Act): boolean => may(useConsole().session.role, act);
