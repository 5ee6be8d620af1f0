// Signing in, and making the first user with the token that the gateway's log gives.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ask, refusedBy, type Refused } from './api.js';
import { Button } from './parts/act.js';
import { Field, Form, type Filled } from './parts/form.js';
import { Problem } from './parts/problem.js';

export const SignIn = ({ onDone }: { readonly onDone: () => void }): JSX.Element => (
  <main class="alone">
    <p class="brand">Forecourt</p>
    <h1>Sign in</h1>
    <CredentialsForm path="/api/session" submit="Sign in" onDone={onDone} />
  </main>
);

interface FormProps {
  readonly path: string;
  readonly submit: string;
  readonly onDone: () => void;
  /** Asks for the set-up token too, and for the new password twice. */
  readonly first?: boolean;
}

export function CredentialsForm({ path, submit, onDone, first = false }: FormProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Refused>();
  const [differ, setDiffer] = useState(false);
  const send = async (value: Filled): Promise<void> => {
    const different = first && value('password') !== value('again');
    setDiffer(different);
    if (different || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const body = { name: value('name').trim(), password: value('password') };
      await ask(path, 'POST', first ? { token: value('token').trim(), ...body } : body);
      onDone();
    } catch (err) {
      setProblem(refusedBy(err));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form onSend={(value) => void send(value)}>
      {first && (
        <Field label="Set-up token" hint="The gateway's log has it: journalctl -u forecourt | grep setupToken">
          <input name="token" required autocomplete="off" spellcheck={false} />
        </Field>
      )}
      <Field label="Name">
        <input name="name" required autocomplete="username" autocapitalize="none" spellcheck={false} />
      </Field>
      <Field label="Password">
        <input name="password" type="password" required autocomplete={first ? 'new-password' : 'current-password'} />
      </Field>
      {first && (
        <Field label="Password once more">
          <input name="again" type="password" required autocomplete="new-password" />
        </Field>
      )}
      {differ && (
        <p class="problem" role="alert">
          The two passwords differ. Type them once more.
        </p>
      )}
      <Problem of={problem} />
      <Button type="submit" kind="main" busy={busy}>
        {submit}
      </Button>
    </Form>
  );
}
