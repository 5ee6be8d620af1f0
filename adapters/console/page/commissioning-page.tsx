// Commissioning: each charger through the same steps, until all is green, and the report for the file.
import type { JSX } from 'preact';
import { useConsole } from './console-context.js';
import type { CommissioningState } from '../../../gateway/ports/commissioning.js';
import type { CommissionedStation } from './contract.js';
import { Button, useAct } from './parts/act.js';
import { State } from './parts/glyph.js';
import { Panel, Title } from './parts/panel.js';
import { Problem } from './parts/problem.js';
import type { Glyph } from './standing.js';
import { useAsked } from './use-asked.js';

const EACH_MS = 2_000;

const STEPS: Readonly<Record<string, { readonly title: string; readonly what: string }>> = {
  communication: { title: 'Communication', what: 'It answers, and says what it is.' },
  setpoint: { title: 'Setpoint', what: 'It is told a lower current, and the car takes no more.' },
  pause: { title: 'Pause', what: 'It is told to pause, and the car takes nothing.' },
  watchdog: { title: 'Watchdog', what: 'The gateway falls silent, and it goes down to its fall-back current.' },
  phases: { title: 'Phases', what: 'Which of its phases hangs on which of the circuit.' },
};

const STATES: Readonly<Record<CommissioningState, { readonly glyph: Glyph; readonly word: string }>> = {
  open: { glyph: 'free', word: 'Open' },
  running: { glyph: 'running', word: 'Running' },
  passed: { glyph: 'good', word: 'Passed' },
  failed: { glyph: 'fault', word: 'Failed' },
  skipped: { glyph: 'closed', word: 'Skipped' },
  'needs-car': { glyph: 'plugged', word: 'Needs a car' },
};

export function CommissioningPage(): JSX.Element {
  const { answer, problem, again } = useAsked<{ stations: readonly CommissionedStation[] }>('/api/commission', EACH_MS);
  const stations = answer?.stations ?? [];
  const steps = stations.flatMap((each) => each.steps);
  const passed = steps.filter(({ state }) => state === 'passed' || state === 'skipped').length;
  return (
    <>
      <Title>Commissioning</Title>
      <p class="lead">
        Each charger is tried before cars rely on it. Steps that move current need a car, or a load box, plugged in.{' '}
        <a href="/api/commission/report" download="commissioning.md">
          Report as a file
        </a>
      </p>
      <Problem of={problem} />
      {answer !== undefined && (
        <p role="status">
          {passed} of {steps.length} steps passed.
        </p>
      )}
      <div class="cards">
        {stations.map((station) => (
          <Station key={station.station} of={station} again={again} />
        ))}
      </div>
    </>
  );
}

function Station({ of, again }: { readonly of: CommissionedStation; readonly again: () => void }): JSX.Element {
  const { time, live, drawing } = useConsole();
  const { busy, problem, act } = useAct();
  const running = of.steps.some(({ state }) => state === 'running');
  const path = `/api/commission/${encodeURIComponent(of.station)}`;
  const evses = drawing.stations.find(({ station }) => station === of.station)?.evses ?? [];
  const send = async (what: string, done: string, body: object = {}): Promise<void> => {
    if ((await act({ path: `${path}/${what}`, done, body })) !== undefined) again();
  };
  return (
    <Panel
      title={of.station}
      aside={
        running ? (
          <Button busy={busy} onClick={() => void send('cancel', `The step of ${of.station} was cancelled`)}>
            Cancel
          </Button>
        ) : (
          `EVSE ${evses.join(', ')}`
        )
      }
    >
      <Problem of={problem} />
      <ol class="steps">
        {of.steps.map(({ step, evse, state, detail, at }) => {
          const name = `${STEPS[step]?.title ?? step}${evse === undefined ? '' : `, EVSE ${evse}`}`;
          const verb = state === 'open' || state === 'needs-car' ? 'Begin' : 'Repeat';
          return (
            <li key={`${step} ${evse ?? ''}`} class={`is-${state}`}>
              <State {...STATES[state]} />
              <div>
                <b>{name}</b>
                <small>
                  {detail ?? STEPS[step]?.what ?? ''}
                  {at !== undefined && ` (${time.moment(at, live.status?.at ?? at)})`}
                </small>
              </div>
              <Button
                busy={busy}
                disabled={running}
                label={`${verb} ${name} of ${of.station}`}
                onClick={() => void send(step, `${name} of ${of.station} begins`, evse === undefined ? {} : { evse })}
              >
                {verb}
              </Button>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
