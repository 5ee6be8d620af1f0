// A configuration on trial, on every page: how long it still has, keeping it, and going back at once.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useConsole } from '../console-context.js';
import { countdown } from '../format.js';
import { Button, useAct } from '../parts/act.js';
import { Problem } from '../parts/problem.js';
import { useNow } from '../use-now.js';

export function TrialNotice(): JSX.Element | null {
  const { configuration } = useConsole();
  const pending = configuration.answer?.pending;
  return pending === undefined ? null : <Trial key={pending.revision} {...pending} />;
}

interface TrialProps {
  readonly revision: string;
  readonly by: string;
  readonly until: string;
}

function Trial({ revision, by, until }: TrialProps): JSX.Element {
  const { configuration } = useConsole();
  const { busy, problem, act } = useAct();
  const left_s = (Date.parse(until) - useNow()) / 1000;
  const over = left_s <= 0;
  // The gateway goes back by itself; the page only has to see it.
  useEffect(() => {
    if (!over) return undefined;
    const timer = setInterval(configuration.again, 1000);
    return () => clearInterval(timer);
  }, [over, configuration.again]);
  const send = async (what: 'keep' | 'revert', done: string): Promise<void> => {
    if ((await act({ path: `/api/config/${what}`, body: { revision }, done })) !== undefined) configuration.again();
  };
  return (
    <aside class="notice is-trial" aria-label="Configuration on trial">
      <p>
        <strong>Configuration on trial</strong>, applied by {by}.{' '}
        {over ? (
          'Its time is over: the one before comes back.'
        ) : (
          <>
            The one before comes back in <b class="countdown">{countdown(left_s)}</b> unless this one is kept.
          </>
        )}
      </p>
      <div class="acts">
        <Button kind="main" busy={busy} onClick={() => void send('keep', 'The configuration is kept')}>
          Keep
        </Button>
        <Button busy={busy} onClick={() => void send('revert', 'The configuration before is back')}>
          Go back now
        </Button>
      </div>
      <Problem of={problem} />
    </aside>
  );
}
