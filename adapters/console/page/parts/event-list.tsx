// What happened, newest first.
import type { JSX } from 'preact';
import { useConsole } from '../console-context.js';
import type { ConsoleEvent } from '../../../../gateway/ports/console.js';
import { addressOfSubject, subjectWords } from '../place.js';
import { Glyph } from './glyph.js';

export function EventList({ events }: { readonly events: readonly ConsoleEvent[] }): JSX.Element {
  const { time, live } = useConsole();
  const now = live.status?.at ?? new Date().toISOString();
  if (events.length === 0) return <p class="quiet">Nothing has happened yet.</p>;
  return (
    <ol class="events">
      {events.map((event, index) => {
        const address = addressOfSubject(event.subject);
        const name = subjectWords(event.subject);
        return (
          // Two events may be alike in all they say, but for their place.
          <li key={`${event.at} ${events.length - index}`} class={`is-${event.severity}`}>
            <time dateTime={event.at}>{time.moment(event.at, now)}</time>
            <Glyph name={event.severity} />
            {event.severity !== 'info' && <span class="hidden">{event.severity}: </span>}
            <span class="subject">{address === undefined ? name : <a href={address}>{name}</a>}</span>
            <span class="text">
              {event.text}
              {event.fault !== undefined && <code> {event.fault}</code>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
