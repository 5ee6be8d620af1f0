// Whether what is shown is live, or how old it is.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { duration } from './format.js';
import { OLD_AFTER_MS, type LivePicture } from './live.js';
import { State } from './parts/glyph.js';
import { useNow } from './use-now.js';

export function LinkState({ live }: { readonly live: LivePicture }): JSX.Element {
  const now_ms = useNow();
  const age_ms = live.statusAt_ms === undefined ? undefined : now_ms - live.statusAt_ms;
  const old = live.link === 'lost' || (age_ms !== undefined && age_ms > OLD_AFTER_MS);
  // Everything that was live is then drawn as a thing of the past.
  useEffect(() => {
    document.documentElement.toggleAttribute('data-old', old);
  }, [old]);
  if (old)
    return (
      <p class="link" role="status">
        <State glyph="away" word="Gateway not reached" />
        <span aria-hidden="true">{age_ms === undefined ? '' : ` · values ${duration(age_ms / 1000)} old`}</span>
      </p>
    );
  return (
    <p class="link" role="status">
      {live.link === 'open' ? <State glyph="good" word="Live" /> : <State glyph="running" word="Connecting" />}
    </p>
  );
}
