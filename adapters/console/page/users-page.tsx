// Who may sign in, and as what; everybody may change the own password here.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole, useMay } from './console-context.js';
import type { Role, UserSummary } from '../../../gateway/ports/console-users.js';
import { Button, useAct } from './parts/act.js';
import { Dialog } from './parts/dialog.js';
import { Field, Form, FormDialog, type Filled } from './parts/form.js';
import { Panel, Title } from './parts/panel.js';
import { Problem } from './parts/problem.js';
import { useAsked } from './use-asked.js';

const ROLES: readonly (readonly [Role, string])[] = [
  ['viewer', 'looks'],
  ['electrician', 'also starts and stops, traces, configures and commissions'],
  ['operator', 'also reserves, sends dead letters once more, and keeps the users'],
];

export function UsersPage(): JSX.Element {
  const { session } = useConsole();
  const operator = useMay('users');
  return (
    <>
      <Title>Users</Title>
      {session.setup ? (
        <p>No user was made yet: the notice above begins with the first.</p>
      ) : (
        <>
          {operator && <UserList />}
          <OwnPassword />
        </>
      )}
    </>
  );
}

function UserList(): JSX.Element {
  const { answer, problem, again } = useAsked<{ users: readonly UserSummary[] }>('/api/users');
  const [adding, setAdding] = useState(false);
  return (
    <Panel title="Who may sign in" aside={<Button onClick={() => setAdding(true)}>Add a user</Button>}>
      <Problem of={problem} />
      <ul class="users">
        {answer?.users.map((user) => (
          <UserRow key={user.name} of={user} again={again} />
        ))}
      </ul>
      {adding && <AddUser onClose={() => setAdding(false)} again={again} />}
    </Panel>
  );
}

interface UserProps {
  readonly of: UserSummary;
  readonly again: () => void;
}

function UserRow({ of, again }: UserProps): JSX.Element {
  const { time, session, live, refresh } = useConsole();
  const { busy, problem, act } = useAct();
  const [removing, setRemoving] = useState(false);
  const path = `/api/users/${encodeURIComponent(of.name)}`;
  const now = live.status?.at ?? '';
  const own = of.name === session.name;
  const setRole = async (role: string): Promise<void> => {
    const changed = await act({ path, method: 'PATCH', body: { role }, done: `${of.name} is now ${role}` });
    // Whoever takes the keeping of users from himself may not ask for them any more.
    if (changed !== undefined && own) refresh();
    else again();
  };
  const remove = async (): Promise<void> => {
    if ((await act({ path, method: 'DELETE', done: `${of.name} may no longer sign in` })) === undefined) return;
    setRemoving(false);
    again();
  };
  return (
    <li>
      <b>{of.name}</b>
      <small>
        since {time.day(of.createdAt)}
        {of.lastSeenAt !== undefined && `, last seen ${time.moment(of.lastSeenAt, now)}`}
      </small>
      <label class="role">
        <span class="hidden">Role of {of.name}</span>
        <select value={of.role} onChange={({ currentTarget }) => void setRole(currentTarget.value)}>
          {ROLES.map(([role]) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      </label>
      {!own && (
        <Button label={`Remove ${of.name}`} onClick={() => setRemoving(true)}>
          Remove
        </Button>
      )}
      <Problem of={removing ? undefined : problem} />
      {removing && (
        <Dialog title={`Remove ${of.name}?`} onClose={() => setRemoving(false)}>
          <p>Nobody can sign in by this name any more, and whoever is signed in by it is signed out.</p>
          <Problem of={problem} />
          <div class="acts">
            <Button kind="danger" busy={busy} onClick={() => void remove()}>
              Remove
            </Button>
            <Button onClick={() => setRemoving(false)}>Keep</Button>
          </div>
        </Dialog>
      )}
    </li>
  );
}

function AddUser({ onClose, again }: { readonly onClose: () => void; readonly again: () => void }): JSX.Element {
  const { busy, problem, act } = useAct();
  const send = async (value: Filled): Promise<void> => {
    const body = { name: value('name').trim(), password: value('password'), role: value('role') };
    if ((await act({ path: '/api/users', body, done: `${body.name} may sign in` })) === undefined) return;
    onClose();
    again();
  };
  return (
    <FormDialog
      title="Add a user"
      submit="Add"
      busy={busy}
      problem={problem}
      onSend={(value) => void send(value)}
      onClose={onClose}
    >
      <Field label="Name">
        <input name="name" required autocomplete="off" autocapitalize="none" spellcheck={false} />
      </Field>
      <Field label="Password">
        <input name="password" type="password" required autocomplete="new-password" />
      </Field>
      <Field label="Role">
        <select name="role">
          {ROLES.map(([role, what]) => (
            <option key={role} value={role}>
              {role}: {what}
            </option>
          ))}
        </select>
      </Field>
    </FormDialog>
  );
}

function OwnPassword(): JSX.Element {
  const { session } = useConsole();
  const { busy, problem, act } = useAct();
  const change = async (password: string, form: HTMLFormElement): Promise<void> => {
    const path = `/api/users/${encodeURIComponent(session.name)}`;
    const done = 'Your password was changed';
    if ((await act({ path, method: 'PATCH', body: { password }, done })) !== undefined) form.reset();
  };
  return (
    <Panel title="Your password">
      <Form class="narrow" onSend={(value, form) => void change(value('password'), form)}>
        <input type="hidden" name="username" autocomplete="username" value={session.name} />
        <Field label="New password">
          <input name="password" type="password" required autocomplete="new-password" />
        </Field>
        <Problem of={problem} />
        <Button type="submit" busy={busy}>
          Change
        </Button>
      </Form>
    </Panel>
  );
}
