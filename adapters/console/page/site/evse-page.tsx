// One EVSE: how it stands, why it has the current it has, and what can be done with it.
import type { JSX } from 'preact';
import { useConsole } from '../console-context.js';
import type { EvseSummary } from '../../../../gateway/ports/console.js';
import type { DrawnEvse } from '../contract.js';
import { duration, energy, money, power, rating, secondsBetween } from '../format.js';
import { EventList } from '../parts/event-list.js';
import { State } from '../parts/glyph.js';
import { Facts, Panel, Title } from '../parts/panel.js';
import { Conductor } from '../parts/phases.js';
import { addressOf } from '../place.js';
import { evseStanding, PHASES } from '../standing.js';
import { EvseActs } from './evse-acts.js';
import { HistoryPanel } from './history-panel.js';

const SHOWN_EVENTS = 8;

export function EvsePage({ number }: { readonly number: number }): JSX.Element {
  const { drawing, live } = useConsole();
  const drawn = drawing.evses.find(({ evse }) => evse === number);
  const evse = live.status?.evses.find((each) => each.evse === number);
  if (drawn === undefined)
    return (
      <>
        <Title>No such EVSE</Title>
        <p>
          site.yaml has no EVSE {number}. <a href={addressOf({ page: 'site' })}>To the site</a>
        </p>
      </>
    );
  const own = live.events.filter(
    ({ subject }) => subject === `evse/${number}` || subject === `station/${drawn.station}`,
  );
  return (
    <>
      <p class="trail">
        <a href={addressOf({ page: 'site' })}>Site</a> ›{' '}
        <a href={addressOf({ page: 'circuit', circuit: drawn.circuit })}>{drawn.circuit}</a>
      </p>
      <Title>{`EVSE ${number}`}</Title>
      <div class="columns">
        <div class="stacked">
          <Now drawn={drawn} evse={evse} />
          {evse !== undefined && <EvseActs evse={evse} />}
          <HistoryPanel path={`/api/evses/${number}/history`} of={`EVSE ${number}`} />
        </div>
        <div class="side">
          <Wiring drawn={drawn} />
          <Panel title="Its events">
            <EventList events={own.slice(0, SHOWN_EVENTS)} />
          </Panel>
        </div>
      </div>
    </>
  );
}

function Now({ drawn, evse }: { readonly drawn: DrawnEvse; readonly evse: EvseSummary | undefined }): JSX.Element {
  const { live, time } = useConsole();
  const standing = evseStanding(evse, live.status);
  const now = live.status?.at ?? '';
  const transaction = evse?.transaction;
  const limit_A = evse?.limit_A ?? evse?.offered_A;
  const errors = evse?.connectors.flatMap(({ error }) => error ?? []) ?? [];
  return (
    <Panel title="Now" class="is-now">
      <p class="headline">
        <State {...standing} />
        {evse?.power_W !== undefined && transaction !== undefined && <b>{power(evse.power_W)}</b>}
      </p>
      {evse !== undefined && <p class="explanation">{evse.explanation}</p>}
      {errors.length > 0 && <p class="explanation is-fault">The charger reports: {errors.join(', ')}.</p>}
      {transaction !== undefined && (
        <div class="conductors" role="table" aria-label="Current of each phase against its limit">
          <div role="row">
            {PHASES.filter((phase) => drawn.phases.includes(phase)).map((phase) => (
              <Conductor
                key={phase}
                phase={phase}
                current_A={evse?.current_A?.[phase]}
                scale_A={drawn.max_A}
                limit_A={limit_A}
                showLimit
              />
            ))}
          </div>
        </div>
      )}
      <Facts
        of={[
          limit_A === undefined ? undefined : ['Limit', rating(limit_A)],
          transaction?.energy_Wh === undefined ? undefined : ['Energy', energy(transaction.energy_Wh)],
          transaction?.cost === undefined ? undefined : ['Cost', money(transaction.cost)],
          transaction === undefined
            ? undefined
            : [
                'Since',
                `${time.moment(transaction.startedAt, now)} (${duration(secondsBetween(transaction.startedAt, now))})`,
              ],
          transaction?.idToken === undefined ? undefined : ['Driver', <code>{transaction.idToken}</code>],
          evse?.reservation === undefined
            ? undefined
            : ['Reserved', `${evse.reservation.idToken} until ${time.moment(evse.reservation.until, now)}`],
          evse?.needs?.departure === undefined ? undefined : ['Departs', time.moment(evse.needs.departure, now)],
          evse?.needs?.energy_Wh === undefined ? undefined : ['Still needs', energy(evse.needs.energy_Wh)],
        ]}
      />
    </Panel>
  );
}

function Wiring({ drawn }: { readonly drawn: DrawnEvse }): JSX.Element {
  const { live, drawing } = useConsole();
  const station = live.status?.stations.find((each) => each.station === drawn.station);
  const device = drawing.stations.find((each) => each.station === drawn.station)?.device;
  const make = [station?.vendor, station?.model].filter((each) => each !== undefined).join(' ');
  return (
    <Panel title="As on the wiring plan">
      <Facts
        of={[
          ['Charger', <a href={addressOf({ page: 'trace', peer: `station/${drawn.station}` })}>{drawn.station}</a>],
          make === '' && device === undefined ? undefined : ['Model', make === '' ? device : make],
          station?.firmwareVersion === undefined ? undefined : ['Firmware', station.firmwareVersion],
          station?.protocol === undefined ? undefined : ['Speaks', station.protocol],
          ['Circuit', <a href={addressOf({ page: 'circuit', circuit: drawn.circuit })}>{drawn.circuit}</a>],
          ['Connectors', drawn.connectors.map(({ connector, type }) => `${connector}: ${type}`).join(', ')],
          ['At most', rating(drawn.max_A)],
          ['Phases', drawn.phases.join(' ')],
          ['Without gateway', rating(drawn.fallback_A)],
        ]}
      />
    </Panel>
  );
}
