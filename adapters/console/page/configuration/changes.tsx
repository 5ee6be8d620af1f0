// Who changed the configuration when and how, newest first.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useConsole } from '../console-context.js';
import type { ConfigurationChange } from '../../../../gateway/ports/configuration.js';
import { Button, useAct } from '../parts/act.js';
import { State } from '../parts/glyph.js';
import { Panel } from '../parts/panel.js';
import { Problem } from '../parts/problem.js';
import type { Glyph } from '../standing.js';
import { useAsked } from '../use-asked.js';
import { DiffView } from './diff-view.js';

const STATES: Readonly<Record<ConfigurationChange['state'], { readonly glyph: Glyph; readonly word: string }>> = {
  kept: { glyph: 'good', word: 'Kept' },
  reverted: { glyph: 'closed', word: 'Went back' },
  pending: { glyph: 'reserved', word: 'On trial' },
};

export function Changes(): JSX.Element {
  const { time, live, configuration } = useConsole();
  const { answer, problem, again } = useAsked<{ changes: readonly ConfigurationChange[] }>('/api/config/history');
  const { busy, problem: refused, act } = useAct();
  const bringBack = async (revision: string): Promise<void> => {
    const done = `Revision ${revision} is in force again`;
    if ((await act({ path: '/api/config/revert', body: { revision }, done })) !== undefined) configuration.again();
  };
  useEffect(again, [configuration.answer, again]);
  return (
    <Panel title="History">
      <Problem of={problem ?? refused} />
      {answer?.changes.length === 0 && <p class="quiet">Nothing was changed yet.</p>}
      <ul class="changes">
        {answer?.changes.map(({ revision, at, by, comment, state, diff }) => (
          <li key={revision}>
            <details>
              <summary>
                <time dateTime={at}>{time.moment(at, live.status?.at ?? at)}</time>
                <State {...STATES[state]} />
                <span>
                  {revision}, {by}
                  {comment !== undefined && `: ${comment}`}
                </span>
              </summary>
              <DiffView of={diff} />
              {state === 'kept' && revision !== configuration.answer?.revision && (
                <Button busy={busy} onClick={() => void bringBack(revision)}>
                  Bring this revision back
                </Button>
              )}
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
