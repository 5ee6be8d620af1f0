// Applying a configuration: for how long on trial, and why.
import type { JSX } from 'preact';
import type { TextFinding } from '../../../../gateway/ports/configuration.js';
import type { Refused } from '../api.js';
import { useAct } from '../parts/act.js';
import { Field, FormDialog, type Filled } from '../parts/form.js';

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
  const { busy, problem, act } = useAct();
  const send = async (value: Filled): Promise<void> => {
    const trial = value('trial');
    const comment = value('comment').trim();
    const applied = await act({
      path: '/api/config/apply',
      body: {
        text,
        ...(trial !== '' && { confirmWithin_s: Number(trial) }),
        ...(comment !== '' && { comment }),
      },
      done: trial === '' ? 'The configuration was applied' : 'The configuration runs on trial',
      refused: (by) => {
        const faults = faultsIn(by);
        if (faults !== undefined) onFaults(faults);
        return faults !== undefined;
      },
    });
    if (applied !== undefined) onApplied();
  };
  return (
    <FormDialog
      title="Apply this configuration?"
      submit="Apply"
      busy={busy}
      problem={problem}
      onSend={(value) => void send(value)}
      onClose={onClose}
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
    </FormDialog>
  );
}

/** Of a text that describes no site that works. */
function faultsIn({ status, body }: Refused): readonly TextFinding[] | undefined {
  const faults = typeof body === 'object' && body !== null ? (body as { faults?: unknown }).faults : undefined;
  return status === 422 && Array.isArray(faults) && faults.length > 0 ? (faults as TextFinding[]) : undefined;
}
