// One circuit: what flows in it, who takes it, and how it was in the last hours.
import type { JSX } from 'preact';
import { useConsole } from '../console-context.js';
import { amperes, rating } from '../format.js';
import { Facts, Panel, Title } from '../parts/panel.js';
import { CircuitConductors } from '../parts/phases.js';
import { addressOf } from '../place.js';
import { PHASES } from '../standing.js';
import { HistoryPanel } from './history-panel.js';

export function CircuitPage({ name }: { readonly name: string }): JSX.Element {
  const { drawing, live } = useConsole();
  const drawn = drawing.circuits.find(({ circuit }) => circuit === name);
  const standing = live.status?.circuits.find(({ circuit }) => circuit === name)?.standing;
  if (drawn === undefined)
    return (
      <>
        <Title>No such circuit</Title>
        <p>
          site.yaml has no circuit {name}. <a href={addressOf({ page: 'site' })}>To the site</a>
        </p>
      </>
    );
  const meter = drawing.meters.find((each) => each.meter === drawn.meter);
  const fed = drawing.circuits.filter(({ fedBy }) => fedBy === name);
  return (
    <>
      <p class="trail">
        <a href={addressOf({ page: 'site' })}>Site</a>
      </p>
      <Title>{`Circuit ${name}`}</Title>
      <div class="columns">
        <div class="stacked">
          <Panel title="Now">
            <div class="conductors" role="table" aria-label="Current of each phase against its limit">
              <div role="row">
                <CircuitConductors breaker_A={drawn.breaker_A} standing={standing} />
              </div>
            </div>
            <p class="legend" aria-hidden="true">
              <i class="swatch background" /> building <i class="swatch flow" /> cars <i class="swatch barred" /> not to
              be used
            </p>
          </Panel>
          <HistoryPanel path={`/api/circuits/${encodeURIComponent(name)}/history`} of={`circuit ${name}`} />
        </div>
        <div class="side">
          <Panel title="As on the wiring plan">
            <Facts
              of={[
                ['Breaker', rating(drawn.breaker_A)],
                drawn.fedBy === undefined
                  ? undefined
                  : ['Fed by', <a href={addressOf({ page: 'circuit', circuit: drawn.fedBy })}>{drawn.fedBy}</a>],
                ['Meter', meter === undefined ? 'none' : `${meter.meter} (${meter.device})`],
                fed.length === 0
                  ? undefined
                  : [
                      'Feeds',
                      fed.map(({ circuit }) => (
                        <a key={circuit} href={addressOf({ page: 'circuit', circuit })}>
                          {circuit}{' '}
                        </a>
                      )),
                    ],
                drawn.evses.length === 0
                  ? undefined
                  : [
                      'EVSEs',
                      drawn.evses.map((evse) => (
                        <a key={evse} href={addressOf({ page: 'evse', evse })}>
                          {evse}{' '}
                        </a>
                      )),
                    ],
              ]}
            />
          </Panel>
          {standing !== undefined && (
            <Panel title="Load balancing">
              <table class="plain">
                <thead>
                  <tr>
                    <th scope="col">A</th>
                    {PHASES.map((phase) => (
                      <th key={phase} scope="col">
                        {phase}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {(
                    [
                      ['Flows', standing.current_A],
                      ['Building', standing.background_A],
                      ['Cars may take', standing.granted_A],
                      ['Kept in reserve', standing.reserved_A],
                    ] as const
                  ).map(([title, values]) => (
                    <tr key={title}>
                      <th scope="row">{title}</th>
                      {PHASES.map((phase) => (
                        <td key={phase}>{amperes(values[phase])}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
              <p class="quiet">
                Limit {rating(standing.limit_A)}, by the{' '}
                {standing.limitedBy === 'gridOperator' ? 'grid operator' : 'breaker'}.
              </p>
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}
