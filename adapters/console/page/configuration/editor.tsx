// The text of site.yaml with line numbers and marks where faults are; suggestions at the cursor, and what the key there means.
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { TextFinding } from '../../../../gateway/ports/configuration.js';
import { complete, helpAt, type Completion } from './complete.js';
import { pieces } from './highlight.js';
import type { JsonSchema } from './schema.js';

interface EditorProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly schema: JsonSchema | undefined;
  readonly faults: readonly TextFinding[];
  /** Another object each time: the cursor goes there. */
  readonly goTo: { readonly line: number; readonly column: number } | undefined;
}

interface Offered extends Completion {
  /** Of the suggestion that would be taken. */
  readonly chosen: number;
  /** Enter takes it only where somebody asked or chose: else it ends the line. */
  readonly asked: boolean;
}

export function Editor({ text, onText, schema, faults, goTo }: EditorProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const [offered, setOffered] = useState<Offered>();
  const [cursor, setCursor] = useState(0);
  const list = useId();
  const lines = useMemo(() => text.split('\n'), [text]);
  const longest = useMemo(() => Math.max(...lines.map((line) => line.length)), [lines]);
  const worst = useMemo(() => worstByLine(faults), [faults]);
  const help = useMemo(() => schema && helpAt(schema, text, cursor), [schema, text, cursor]);

  useEffect(() => {
    const element = area.current;
    if (goTo === undefined || element === null) return;
    const before = element.value.split('\n').slice(0, goTo.line - 1);
    const offset = before.reduce((sum, line) => sum + line.length + 1, 0) + Math.max(0, goTo.column - 1);
    element.focus({ preventScroll: true });
    element.setSelectionRange(offset, offset);
    setCursor(offset);
    const box = element.closest('.editor');
    box?.scrollTo({ top: ((goTo.line - 3) * element.scrollHeight) / element.value.split('\n').length });
    box?.scrollIntoView({ block: 'nearest' });
  }, [goTo]);

  const offer = (element: HTMLTextAreaElement, asked: boolean): void => {
    setCursor(element.selectionStart);
    if (schema === undefined || element.selectionStart !== element.selectionEnd) return setOffered(undefined);
    const found = complete(schema, element.value, element.selectionStart);
    const word = element.value.slice(found.from, found.to);
    const whole = found.suggestions.length === 1 && found.suggestions[0]?.label === word;
    const wanted = asked || word !== '';
    setOffered(wanted && !whole && found.suggestions.length > 0 ? { ...found, chosen: 0, asked } : undefined);
  };
  const take = (index: number): void => {
    const suggestion = offered?.suggestions[index];
    if (area.current === null || offered === undefined || suggestion === undefined) return;
    area.current.focus();
    area.current.setSelectionRange(offered.from, offered.to);
    write(suggestion.insert);
    setOffered(undefined);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    const { key, ctrlKey, currentTarget: element } = event;
    if (key === ' ' && ctrlKey) {
      event.preventDefault();
      offer(element, true);
    } else if (offered !== undefined && (key === 'ArrowDown' || key === 'ArrowUp')) {
      event.preventDefault();
      const count = offered.suggestions.length;
      const chosen = (offered.chosen + (key === 'ArrowDown' ? 1 : count - 1)) % count;
      setOffered({ ...offered, chosen, asked: true });
    } else if (offered !== undefined && (key === 'Tab' || (key === 'Enter' && offered.asked))) {
      event.preventDefault();
      take(offered.chosen);
    } else if (key === 'Escape' && offered !== undefined) {
      event.preventDefault();
      setOffered(undefined);
    } else if (key === 'Enter' && !ctrlKey) {
      event.preventDefault();
      write(`\n${indentAfter(element.value, element.selectionStart)}`);
    }
  };

  return (
    <div class="editing">
      <div class="editor">
        <ol class="gutter" aria-hidden="true">
          {lines.map((_, index) => (
            // A line has no other name than its number.
            <li key={index} class={worst.has(index + 1) ? `is-${worst.get(index + 1) ?? ''}` : ''}>
              {index + 1}
            </li>
          ))}
        </ol>
        <div class="sheet" style={{ minWidth: `${longest + 4}ch` }}>
          <pre aria-hidden="true">
            {lines.map((line, index) => (
              <Line key={index} text={line} fault={worst.get(index + 1)} />
            ))}
          </pre>
          <textarea
            ref={area}
            value={text}
            rows={lines.length}
            spellcheck={false}
            autocapitalize="none"
            autocomplete="off"
            wrap="off"
            aria-label="site.yaml"
            aria-describedby={`${list}-help`}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={list}
            {...(offered !== undefined && { 'aria-activedescendant': `${list}-${offered.chosen}` })}
            onInput={({ currentTarget }) => {
              onText(currentTarget.value);
              offer(currentTarget, false);
            }}
            onKeyDown={onKeyDown}
            onKeyUp={({ currentTarget }) => setCursor(currentTarget.selectionStart)}
            onClick={({ currentTarget }) => {
              setCursor(currentTarget.selectionStart);
              setOffered(undefined);
            }}
            onBlur={() => setOffered(undefined)}
          />
          <Suggestions id={list} of={offered} text={text} onTake={take} />
        </div>
      </div>
      <p class="help" id={`${list}-help`}>
        {help === undefined ? (
          <span>Ctrl+Space suggests what may stand at the cursor; Tab takes it, Escape closes the list.</span>
        ) : (
          <>
            <code>{help.path.filter((key) => key !== '[]').join(' › ')}</code> {help.text}
            {help.default !== undefined && (
              <>
                {' '}
                Default <code>{help.default}</code>.
              </>
            )}
            {help.example !== undefined && (
              <>
                {' '}
                Example <code>{help.example}</code>.
              </>
            )}
          </>
        )}
      </p>
    </div>
  );
}

interface SuggestionsProps {
  readonly id: string;
  readonly of: Offered | undefined;
  readonly text: string;
  readonly onTake: (index: number) => void;
}

function Suggestions({ id, of, text, onTake }: SuggestionsProps): JSX.Element {
  const chosen = useRef<HTMLLIElement>(null);
  useEffect(() => chosen.current?.scrollIntoView({ block: 'nearest' }), [of?.chosen]);
  const before = of === undefined ? [] : text.slice(0, of.from).split('\n');
  const place =
    of === undefined
      ? {}
      : { top: `calc(${before.length} * var(--line))`, left: `${Math.min(before.at(-1)?.length ?? 0, 40)}ch` };
  return (
    <ul id={id} class="suggestions" role="listbox" aria-label="Suggestions" hidden={of === undefined} style={place}>
      {of?.suggestions.map(({ label, detail }, index) => (
        <li
          key={label}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === of.chosen}
          {...(index === of.chosen && { ref: chosen })}
          onMouseDown={(event) => {
            // The text keeps the focus.
            event.preventDefault();
            onTake(index);
          }}
        >
          <b>{label}</b> <small>{detail}</small>
        </li>
      ))}
    </ul>
  );
}

const Line = ({ text, fault }: { readonly text: string; readonly fault: string | undefined }): JSX.Element => (
  <span class={fault === undefined ? 'text-line' : `text-line is-${fault}`}>
    {pieces(text).map(({ kind, text: piece }, index) =>
      kind === 'text' ? (
        piece
      ) : (
        <i key={index} class={kind}>
          {piece}
        </i>
      ),
    )}
  </span>
);

function worstByLine(faults: readonly TextFinding[]): ReadonlyMap<number, 'error' | 'warning'> {
  const worst = new Map<number, 'error' | 'warning'>();
  for (const { line, severity } of faults) if (worst.get(line) !== 'error') worst.set(line, severity);
  return worst;
}

/** A new line begins where the one before did, further in after one that ends with a colon. */
function indentAfter(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  const indent = /^ */.exec(line)?.[0] ?? '';
  return /:\s*$/.test(line) ? `${indent}  ` : indent;
}

/** Into the text that has the focus, as if it were typed: so that it can be undone, which no other way allows. */
function write(text: string): void {
  // oxlint-disable-next-line typescript/no-deprecated
  document.execCommand('insertText', false, text);
}
