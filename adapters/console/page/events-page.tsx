// All events that the gateway still has, to be searched.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from './console-context.js';
import { EventList } from './parts/event-list.js';
import { Field, has, SearchField } from './parts/form.js';
import { Panel, Title } from './parts/panel.js';

const SEVERITIES = [
  ['all', 'All'],
  ['warning', 'Warnings and faults'],
  ['fault', 'Faults'],
] as const;

export function EventsPage(): JSX.Element {
  const { live } = useConsole();
  const [least, setLeast] = useState<string>('all');
  const [words, setWords] = useState('');
  const shown = live.events.filter(
    ({ severity, subject, text, fault = '', kind }) =>
      (least === 'all' || severity === 'fault' || severity === least) &&
      has(words, `${subject} ${text} ${fault} ${kind}`),
  );
  return (
    <>
      <Title>Events</Title>
      <Panel title="Newest first" aside={<span>{`${shown.length} of ${live.events.length}`}</span>}>
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <Field label="Show">
            <select value={least} onChange={({ currentTarget }) => setLeast(currentTarget.value)}>
              {SEVERITIES.map(([value, title]) => (
                <option key={value} value={value}>
                  {title}
                </option>
              ))}
            </select>
          </Field>
          <SearchField words={words} examples="evse/3, CP01, FC-…" onWords={setWords} />
        </form>
        <EventList events={shown} />
      </Panel>
    </>
  );
}
