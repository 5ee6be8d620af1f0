// The shapes that stand beside words of state: each can be told from the others without its colour.
import type { JSX } from 'preact';
import type { Glyph as Name } from '../standing.js';

const SHAPES: Readonly<Record<Name, JSX.Element>> = {
  charging: <path d="M9.2 1.5 3.5 9H7l-.6 5.5L12.5 7H9z" class="filled" />,
  free: <circle cx="8" cy="8" r="5.5" />,
  plugged: <path d="M5.5 2v3m5-3v3M3.5 5.2h9v2.3a4.5 4.5 0 0 1-9 0zM8 12v2.5" />,
  paused: <path d="M5.5 3.5v9m5-9v9" class="thick" />,
  reserved: <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 5v3.3l2.3 1.5" />,
  closed: <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6" />,
  warning: <path d="M8 2 14.5 13.5h-13zM8 6.5v3.2m0 1.6v.4" />,
  fault: <path d="M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2zM5.6 5.6l4.8 4.8m0-4.8-4.8 4.8" />,
  away: <path d="M2.5 2.5l11 11M5 6.2A5 5 0 0 0 3 8m10 0a7 7 0 0 0-4-3.2M5.6 10.4a3.6 3.6 0 0 1 3-1M8 13v.3" />,
  good: <path d="M2.8 8.6 6.4 12l6.8-7.6" class="thick" />,
  info: <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 7.3v3.4M8 5v.3" />,
  running: <path d="M8 2.5A5.5 5.5 0 1 1 2.5 8" class="turns" />,
};

/** Decoration: the word beside it says the same. */
export const Glyph = ({ name }: { readonly name: Name }): JSX.Element => (
  <svg class={`glyph is-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    {SHAPES[name]}
  </svg>
);

export const State = ({ glyph, word }: { readonly glyph: Name; readonly word: string }): JSX.Element => (
  <span class={`state is-${glyph}`}>
    <Glyph name={glyph} />
    <span>{word}</span>
  </span>
);
