// Applying a configuration: for how long on trial, and why.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ask, refusedBy, type Refused } from '../api.js';
import { useConsole } from '../console-context.js';
import type { TextFinding } from '../../../../gateway/ports/configuration.js';
import { Button } from '../parts/act.js';
import { Dialog } from '../parts/dialog.js';
import { filled } from '../parts/filled.js';
import { Field } from '../parts/panel.js';
import { Problem } from '../parts/problem.js';

interface ApplyProps {
  readonly text: string;
  readonly onClose: () => void;
  readonly onFaults: (faults: readonly TextFinding[]) => void;
  readonly onApplied: () => void;
}

const TRIALS = [
  ['60', '1 minute'],
  ['300', '5 minutes'],
  ['1800', '30 minutes'],
  ['', 'Without trial: it stays'],
] as const;

export function ApplyForm({ text, onClose, onFaults, onApplied }: ApplyProps): JSX.Element {
  const { announce } = useConsole();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Refused>();
  const send = async (form: HTMLFormElement): Promise<void> => {
    if (busy) return;
    const value = filled(form);
    const trial = value('trial');
    const comment = value('comment').trim();
    setBusy(true);
    setProblem(undefined);
    try {
      await ask('/api/config/apply', 'POST', {
        text,
        ...(trial !== '' && { confirmWithin_s: Number(trial) }),
        ...(comment !== '' && { comment }),
      });
      announce(trial === '' ? 'The configuration was applied' : 'The configuration runs on trial');
      onApplied();
    } catch (err) {
      const refused = refusedBy(err);
      const faults = refused.status === 422 ? faultsIn(refused.body) : undefined;
      if (faults === undefined) setProblem(refused);
      else onFaults(faults);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="Apply this configuration?" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send(event.currentTarget);
        }}
      >
        <Field label="On trial for" hint="Unless it is kept by then, the one before comes back by itself.">
          <select name="trial" defaultValue="300">
            {TRIALS.map(([value, title]) => (
              <option key={value} value={value} selected={value === '300'}>
                {title}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Why" hint="Stands in the history.">
          <input name="comment" maxLength={200} autocomplete="off" />
        </Field>
        <Problem of={problem} />
        <div class="acts">
          <Button type="submit" kind="main" busy={busy}>
            Apply
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function faultsIn(body: unknown): readonly TextFinding[] | undefined {
  const faults = typeof body === 'object' && body !== null ? (body as { faults?: unknown }).faults : undefined;
  return Array.isArray(faults) && faults.length > 0 ? (faults as TextFinding[]) : undefined;
}
