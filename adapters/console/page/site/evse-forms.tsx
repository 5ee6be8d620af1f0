// What has to be said to start a charge, to reserve an EVSE, and to tell when a car leaves and with how much.
import type { ComponentChildren, JSX } from 'preact';
import { useConsole } from '../console-context.js';
import type { EvseSummary } from '../../../../gateway/ports/console.js';
import { useAct } from '../parts/act.js';
import { Field, FormDialog, type Filled } from '../parts/form.js';

interface ActFormProps {
  readonly title: string;
  readonly path: string;
  readonly submit: string;
  readonly done: string;
  readonly body: (value: Filled) => object;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Sends what was filled in, and closes when the gateway has taken it. */
function ActForm({ title, path, submit, done, body, onClose, children }: ActFormProps): JSX.Element {
  const { busy, problem, act } = useAct();
  const send = async (value: Filled): Promise<void> => {
    if ((await act({ path, body: body((name) => value(name).trim()), done })) !== undefined) onClose();
  };
  return (
    <FormDialog
      title={title}
      submit={submit}
      busy={busy}
      problem={problem}
      onSend={(value) => void send(value)}
      onClose={onClose}
    >
      {children}
    </FormDialog>
  );
}

export const StartForm = ({ evse, onClose }: { readonly evse: number; readonly onClose: () => void }): JSX.Element => (
  <ActForm
    title={`Start charging at EVSE ${evse}`}
    path={`/api/evses/${evse}/start`}
    submit="Start charging"
    done={`EVSE ${evse} was told to start`}
    body={(value) => (value('idToken') === '' ? {} : { idToken: value('idToken') })}
    onClose={onClose}
  >
    <Field label="Card number" hint="Empty: the console's own, which the site pays.">
      <input name="idToken" maxLength={36} autocomplete="off" autocapitalize="characters" spellcheck={false} />
    </Field>
  </ActForm>
);

export const ReserveForm = ({
  evse,
  onClose,
}: {
  readonly evse: number;
  readonly onClose: () => void;
}): JSX.Element => (
  <ActForm
    title={`Reserve EVSE ${evse}`}
    path={`/api/evses/${evse}/reserve`}
    submit="Reserve"
    done={`EVSE ${evse} is kept for the driver`}
    body={(value) => ({ idToken: value('idToken'), minutes: Number(value('minutes')) })}
    onClose={onClose}
  >
    <Field label="Card number">
      <input name="idToken" required maxLength={36} autocomplete="off" autocapitalize="characters" spellcheck={false} />
    </Field>
    <Field label="For how long, minutes">
      <input name="minutes" type="number" required min={1} max={1440} step={1} defaultValue="30" inputMode="numeric" />
    </Field>
  </ActForm>
);

export function NeedsForm({
  evse,
  onClose,
}: {
  readonly evse: EvseSummary;
  readonly onClose: () => void;
}): JSX.Element {
  const { time } = useConsole();
  return (
    <ActForm
      title={`When does the car at EVSE ${evse.evse} leave?`}
      path={`/api/evses/${evse.evse}/needs`}
      submit="Tell load balancing"
      done={`Load balancing knows what EVSE ${evse.evse} needs`}
      body={(value) => ({
        departure: value('departure') === '' ? null : time.instant(value('departure')),
        energy_Wh: value('energy') === '' ? null : Math.round(Number(value('energy')) * 1000),
      })}
      onClose={onClose}
    >
      <Field label="Departure" hint="Empty: not known.">
        <input name="departure" type="datetime-local" />
      </Field>
      <Field label="Energy until then, kWh" hint="Empty: as much as it takes.">
        <input name="energy" type="number" min={0.1} max={500} step={0.1} inputMode="decimal" />
      </Field>
    </ActForm>
  );
}
