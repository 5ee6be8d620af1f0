// The difference between two texts, and what each of its parts does to the running gateway.
import type { JSX } from 'preact';
import type { ConfigurationEffect } from '../contract.js';
import { State } from '../parts/glyph.js';
import type { Glyph } from '../standing.js';
import { diffLines, type DiffLine } from './diff-lines.js';

const SIGNS: Readonly<Record<DiffLine['kind'], string>> = { added: '+', removed: '−', same: ' ', place: '' };
const SPOKEN: Readonly<Record<DiffLine['kind'], string>> = {
  added: 'added: ',
  removed: 'removed: ',
  same: '',
  place: '',
};

export const DiffView = ({ of }: { readonly of: string }): JSX.Element => (
  <div class="diff" role="region" aria-label="Difference" tabIndex={0}>
    {diffLines(of).map(({ kind, text }, index) => (
      // A line of a difference has no other name than its place.
      <p key={index} class={`is-${kind}`}>
        <span aria-hidden="true">{SIGNS[kind]}</span>
        <span class="hidden">{SPOKEN[kind]}</span>
        <code>{text}</code>
      </p>
    ))}
  </div>
);

const EFFECTS: Readonly<Record<ConfigurationEffect['effect'], { readonly glyph: Glyph; readonly word: string }>> = {
  live: { glyph: 'good', word: 'At once' },
  reconnects: { glyph: 'running', word: 'Connects anew' },
  restart: { glyph: 'warning', word: 'At the next restart' },
};

export function Effects({ of }: { readonly of: readonly ConfigurationEffect[] }): JSX.Element {
  if (of.length === 0) return <p class="quiet">Nothing that the gateway does would change.</p>;
  return (
    <ul class="effects">
      {of.map(({ what, effect, subject }) => (
        <li key={`${subject} ${what}`}>
          <State {...EFFECTS[effect]} />
          <span>
            <b>{subject}</b> {what}
          </span>
        </li>
      ))}
    </ul>
  );
}
