// No user was made yet: what that means, and the way to the first one.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from './console-context.js';
import { Button } from './parts/act.js';
import { Dialog } from './parts/dialog.js';
import { CredentialsForm } from './sign-in.js';

export function SetUpNotice(): JSX.Element {
  const { refresh, announce } = useConsole();
  const [open, setOpen] = useState(false);
  return (
    <aside class="notice" aria-label="First set-up">
      <p>
        <strong>No user yet.</strong> The console answers on the gateway itself only, and whoever is there may do
        everything.
      </p>
      <Button onClick={() => setOpen(true)}>Make the first user</Button>
      {open && (
        <Dialog title="The first user" onClose={() => setOpen(false)}>
          <p>An operator, who can then make others. After that the console asks everybody to sign in.</p>
          <CredentialsForm
            path="/api/setup"
            submit="Make the user and sign in"
            first
            onDone={() => {
              setOpen(false);
              announce('The first user was made; you are signed in');
              refresh();
            }}
          />
          <Button onClick={() => setOpen(false)}>Not now</Button>
        </Dialog>
      )}
    </aside>
  );
}
