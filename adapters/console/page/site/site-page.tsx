// The site at a glance: its figures, what wants attention, the one-line diagram, and what happened last.
import type { JSX } from 'preact';
import { useConsole } from '../console-context.js';
import { power, rating } from '../format.js';
import { EventList } from '../parts/event-list.js';
import { State } from '../parts/glyph.js';
import { Panel, Title } from '../parts/panel.js';
import { addressOf, addressOfSubject, subjectWords } from '../place.js';
import { attention } from '../standing.js';
import { Diagram } from './diagram.js';
import { siteFigures } from './figures.js';

const SHOWN_EVENTS = 12;

export function SitePage(): JSX.Element {
  const { live } = useConsole();
  return (
    <>
      <Title>Site</Title>
      <Figures />
      <div class="columns">
        <AttentionPanel />
        <Panel title="One-line diagram" class="is-diagram">
          <Diagram />
        </Panel>
        <Panel
          title="Last events"
          aside={<a href={addressOf({ page: 'events' })}>All events</a>}
          class="is-last-events"
        >
          <EventList events={live.events.slice(0, SHOWN_EVENTS)} />
        </Panel>
      </div>
    </>
  );
}

function Figures(): JSX.Element | null {
  const { drawing, live } = useConsole();
  if (live.status === undefined) return <p role="status">Waiting for the first values …</p>;
  const figures = siteFigures(drawing, live.status);
  const { tightest } = figures;
  const away = live.status.csms.filter(({ connected, accepted }) => !connected || !accepted).length;
  const queued = live.status.csms.reduce((sum, each) => sum + each.queued, 0);
  return (
    <dl class="figures">
      <div>
        <dt>From the grid</dt>
        <dd>{figures.power_W === undefined ? '–' : power(figures.power_W)}</dd>
      </div>
      <div>
        <dt>EVSEs charging</dt>
        <dd>
          {figures.charging} <small>of {figures.evses}</small>
        </dd>
      </div>
      {tightest !== undefined && (
        <div>
          <dt>Least room, {tightest.phase}</dt>
          <dd>
            {rating(tightest.room_A)} <small>of {rating(tightest.limit_A)}</small>
          </dd>
        </div>
      )}
      <div>
        <dt>Uplink</dt>
        <dd class="words">
          {live.status.csms.length === 0 ? (
            <span class="quiet">no CSMS</span>
          ) : (
            <a href={addressOf({ page: 'uplink' })}>
              {away === 0 ? <State glyph="good" word="Connected" /> : <State glyph="away" word={`${away} away`} />}
              {queued > 0 && <small> {queued} waiting</small>}
            </a>
          )}
        </dd>
      </div>
      {live.status.gridOperator !== undefined && <GridOperator />}
    </dl>
  );
}

function GridOperator(): JSX.Element {
  const { live } = useConsole();
  const limits = Object.entries(live.status?.gridOperator?.limits_A ?? {});
  return (
    <div>
      <dt>Grid operator</dt>
      <dd class="words">
        {live.status?.gridOperator?.failsafe === true && <State glyph="warning" word="Fail-safe" />}
        <span>
          {limits.length === 0 ? 'no limit' : limits.map(([name, limit_A]) => `${name} ${rating(limit_A)}`).join(', ')}
        </span>
      </dd>
    </div>
  );
}

function AttentionPanel(): JSX.Element {
  const { live } = useConsole();
  const found = live.status === undefined ? [] : attention(live.status);
  return (
    <Panel title="Wants attention" class="is-attention">
      {found.length === 0 ? (
        <p class="all-well">
          {live.status !== undefined && <State glyph="good" word="Nothing: all is as it should be" />}
        </p>
      ) : (
        <ul class="attention">
          {found.map(({ severity, subject, text }) => {
            const address = addressOfSubject(subject);
            const name = subjectWords(subject);
            return (
              <li key={`${subject} ${text}`}>
                <State glyph={severity} word="" />
                <span>
                  {address === undefined ? <b>{name}</b> : <a href={address}>{name}</a>} {text}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
