// Who is there: asks the gateway, and shows the sign-in, or the console.
import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask, refusedBy, type Refused } from './api.js';
import type { SiteDrawing } from '../../../gateway/ports/console.js';
import type { Session } from './contract.js';
import { Problem } from './parts/problem.js';
import { Shell } from './shell.js';
import { SignIn } from './sign-in.js';

type Visit =
  | { readonly step: 'asking'; readonly problem?: Refused }
  | { readonly step: 'sign-in' }
  | { readonly step: 'in'; readonly session: Session; readonly drawing: SiteDrawing };

const TRY_AGAIN_MS = 3_000;

export function App(): JSX.Element {
  const [visit, setVisit] = useState<Visit>({ step: 'asking' });
  const [turn, setTurn] = useState(0);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);

  useEffect(() => {
    let stale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = async (): Promise<void> => {
      const session = await ask<Session>('/api/session');
      const drawing = await ask<SiteDrawing>('/api/site');
      if (!stale) setVisit({ step: 'in', session, drawing });
    };
    begin().catch((err: unknown) => {
      if (stale) return;
      const problem = refusedBy(err);
      if (problem.status === 401) setVisit({ step: 'sign-in' });
      else {
        // What is shown stays; the shell says itself when it hears nothing more.
        setVisit((before) => (before.step === 'in' ? before : { step: 'asking', problem }));
        timer = setTimeout(refresh, TRY_AGAIN_MS);
      }
    });
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [turn, refresh]);

  if (visit.step === 'sign-in') return <SignIn onDone={refresh} />;
  if (visit.step === 'asking')
    return (
      <main class="alone">
        <p class="brand">Forecourt</p>
        {visit.problem === undefined ? <p role="status">Asking the gateway …</p> : <Problem of={visit.problem} />}
      </main>
    );
  return (
    <Shell
      session={visit.session}
      drawing={visit.drawing}
      refresh={refresh}
      onSignedOut={() => setVisit({ step: 'sign-in' })}
    />
  );
}
