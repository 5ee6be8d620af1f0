// What a CSMS refused for good and why, and sending it once more.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadLetterSummary, Redrive } from '../../../gateway/ports/console.js';
import { useConsole, useMay } from './console-context.js';
import { Button, useAct } from './parts/act.js';
import { Problem } from './parts/problem.js';
import { useAsked } from './use-asked.js';

interface DeadLettersProps {
  readonly csms: string;
  /** How many the status knows: another number asks for the list anew. */
  readonly count: number;
}

export function DeadLetters({ csms, count }: DeadLettersProps): JSX.Element {
  const { time, live, announce } = useConsole();
  const path = `/api/journal/${encodeURIComponent(csms)}`;
  const { answer, problem, again } = useAsked<{ deadLetters: readonly DeadLetterSummary[] }>(
    `${path}/dead?count=${count}`,
  );
  const { busy, problem: refused, act } = useAct();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const redrive = useMay('redrive');
  const letters = answer?.deadLetters ?? [];
  const now = live.status?.at ?? '';
  const send = async (): Promise<void> => {
    const seqs = letters.map(({ seq }) => seq).filter((seq) => chosen.has(seq));
    const body = seqs.length === 0 ? {} : { seqs };
    const done = await act<Redrive>({ path: `${path}/redrive`, body, done: `Sending to ${csms} once more` });
    if (done === undefined) return;
    announce(
      `${done.redriven.length} sent to ${csms} once more${done.left.length > 0 ? `, ${done.left.length} left` : ''}`,
    );
    setChosen(new Set());
    again();
  };
  const choose = (seq: number, wanted: boolean): void =>
    setChosen(new Set(wanted ? [...chosen, seq] : [...chosen].filter((each) => each !== seq)));
  return (
    <div class="dead-letters">
      <h3>Dead letters</h3>
      <Problem of={problem} />
      <ul>
        {letters.map(({ seq, message, evse, at, refusedAt, attempts, reason }) => (
          <li key={seq}>
            <label>
              {redrive && (
                <input
                  type="checkbox"
                  checked={chosen.has(seq)}
                  onChange={({ currentTarget }) => choose(seq, currentTarget.checked)}
                />
              )}
              <span>
                <b>
                  {seq} {message}
                  {evse !== undefined && `, EVSE ${evse}`}
                </b>{' '}
                {at !== undefined && `of ${time.moment(at, now)}, `}given up {time.moment(refusedAt, now)} after{' '}
                {attempts} attempts
                <br />
                {reason}
              </span>
            </label>
          </li>
        ))}
      </ul>
      <Problem of={refused} />
      {redrive && letters.length > 0 && (
        <Button busy={busy} onClick={() => void send()}>
          {chosen.size === 0 ? 'Send all once more' : `Send ${chosen.size} once more`}
        </Button>
      )}
    </div>
  );
}
