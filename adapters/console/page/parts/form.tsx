// What is filled in and sent: the fields, the form around them, and the same as a question in a dialog.
import type { ComponentChildren, JSX } from 'preact';
import type { Refused } from '../api.js';
import { Button } from './act.js';
import { Dialog } from './dialog.js';
import { Problem } from './problem.js';

/** What a field of this name holds; empty where there is none. */
export type Filled = (name: string) => string;

interface FormProps {
  readonly onSend: (value: Filled, form: HTMLFormElement) => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export const Form = ({ onSend, class: extra = '', children }: FormProps): JSX.Element => (
  <form
    class={`stack ${extra}`}
    onSubmit={(event) => {
      event.preventDefault();
      const data = new FormData(event.currentTarget);
      const value: Filled = (name) => {
        const field = data.get(name);
        return typeof field === 'string' ? field : '';
      };
      onSend(value, event.currentTarget);
    }}
  >
    {children}
  </form>
);

interface FormDialogProps {
  readonly title: string;
  /** On the button that sends. */
  readonly submit: string;
  readonly busy: boolean;
  readonly problem: Refused | undefined;
  readonly onSend: (value: Filled) => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export const FormDialog = ({
  title,
  submit,
  busy,
  problem,
  onSend,
  onClose,
  children,
}: FormDialogProps): JSX.Element => (
  <Dialog title={title} onClose={onClose}>
    <Form onSend={onSend}>
      {children}
      <Problem of={problem} />
      <div class="acts">
        <Button type="submit" kind="main" busy={busy}>
          {submit}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Form>
  </Dialog>
);

export const Field = ({
  label,
  hint,
  grows = false,
  children,
}: {
  readonly label: string;
  readonly hint?: string;
  /** Takes the room that is left beside its neighbours. */
  readonly grows?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element => (
  <label class={grows ? 'field grows' : 'field'}>
    <span>{label}</span>
    {children}
    {hint !== undefined && <small>{hint}</small>}
  </label>
);

interface SearchFieldProps {
  readonly words: string;
  /** Of what may be looked for. */
  readonly examples: string;
  readonly onWords: (words: string) => void;
}

export const SearchField = ({ words, examples, onWords }: SearchFieldProps): JSX.Element => (
  <Field label="With the words" grows>
    <input
      type="search"
      value={words}
      placeholder={examples}
      onInput={({ currentTarget }) => onWords(currentTarget.value)}
    />
  </Field>
);

/** Whether a text has what was written into a search field; nothing was: each has. */
export const has = (words: string, text: string): boolean => text.toLowerCase().includes(words.trim().toLowerCase());
