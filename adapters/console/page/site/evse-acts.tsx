// What can be done with an EVSE, as far as whoever looks may do it and its state allows it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole, useMay } from '../console-context.js';
import type { EvseSummary } from '../../../../gateway/ports/console.js';
import { Button, useAct } from '../parts/act.js';
import { Dialog } from '../parts/dialog.js';
import { Panel } from '../parts/panel.js';
import { Problem } from '../parts/problem.js';
import { NeedsForm, ReserveForm, StartForm } from './evse-forms.js';

type Asking = 'start' | 'reserve' | 'needs' | 'reset';

export function EvseActs({ evse }: { readonly evse: EvseSummary }): JSX.Element | null {
  const { busy, problem, act } = useAct();
  const [asking, setAsking] = useState<Asking>();
  const charge = useMay('charge');
  const reserve = useMay('reserve');
  const number = evse.evse;
  const send = (what: string, done: string, body: object = {}): void =>
    void act({ path: `/api/evses/${number}/${what}`, body, done });
  if (!charge) return null;
  const charging = evse.transaction !== undefined;
  const operative = !evse.connectors.every(({ status }) => status === 'Unavailable');
  const close = (): void => setAsking(undefined);
  return (
    <Panel title="Control" class="is-control">
      <div class="acts">
        {charging ? (
          <Button kind="main" busy={busy} onClick={() => send('stop', `EVSE ${number} was told to stop`)}>
            Stop charging
          </Button>
        ) : (
          <Button kind="main" busy={busy} onClick={() => setAsking('start')}>
            Start charging
          </Button>
        )}
        <Button busy={busy} onClick={() => send('unlock', `EVSE ${number} was told to unlock`)}>
          Unlock connector
        </Button>
        <Button busy={busy} onClick={() => setAsking('needs')}>
          Departure and energy
        </Button>
        {reserve &&
          (evse.reservation === undefined ? (
            !charging && (
              <Button busy={busy} onClick={() => setAsking('reserve')}>
                Reserve
              </Button>
            )
          ) : (
            <Button busy={busy} onClick={() => send('release', `The reservation of EVSE ${number} has ended`)}>
              End reservation
            </Button>
          ))}
        <Button
          busy={busy}
          onClick={() =>
            send('availability', `EVSE ${number} was told to be ${operative ? 'unavailable' : 'available'}`, {
              operative: !operative,
            })
          }
        >
          {operative ? 'Take out of service' : 'Put into service'}
        </Button>
        <Button busy={busy} kind="danger" onClick={() => setAsking('reset')}>
          Reset charger {evse.station}
        </Button>
      </div>
      <Problem of={problem} />
      {asking === 'start' && <StartForm evse={number} onClose={close} />}
      {asking === 'reserve' && <ReserveForm evse={number} onClose={close} />}
      {asking === 'needs' && <NeedsForm evse={evse} onClose={close} />}
      {asking === 'reset' && <ResetForm station={evse.station} onClose={close} />}
    </Panel>
  );
}

function ResetForm({ station, onClose }: { readonly station: string; readonly onClose: () => void }): JSX.Element {
  const { busy, problem, act } = useAct();
  const { live } = useConsole();
  const charging =
    live.status?.evses.filter((each) => each.station === station && each.transaction !== undefined) ?? [];
  const reset = async (kind: 'soft' | 'hard'): Promise<void> => {
    const path = `/api/stations/${encodeURIComponent(station)}/reset`;
    if ((await act({ path, body: { kind }, done: `Charger ${station} was told to reset` })) !== undefined) onClose();
  };
  return (
    <Dialog title={`Reset charger ${station}?`} onClose={onClose}>
      <p>
        {charging.length === 0
          ? 'No car is charging at it.'
          : `Cars are charging at EVSE ${charging.map(({ evse }) => evse).join(', ')}: their transactions end.`}{' '}
        A soft reset lets the charger finish what it does; a hard one is like pulling its plug.
      </p>
      <Problem of={problem} />
      <div class="acts">
        <Button kind="danger" busy={busy} onClick={() => void reset('soft')}>
          Soft reset
        </Button>
        <Button kind="danger" busy={busy} onClick={() => void reset('hard')}>
          Hard reset
        </Button>
        <Button onClick={onClose}>Do nothing</Button>
      </div>
    </Dialog>
  );
}
