// site.yaml at run time: write, check, see the difference, apply on trial, keep or go back.
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, refusedBy, type Refused } from '../api.js';
import { useConsole } from '../console-context.js';
import type { CheckedConfiguration, ConfigurationDifference } from '../contract.js';
import { Button } from '../parts/act.js';
import { Panel, Title } from '../parts/panel.js';
import { Problem } from '../parts/problem.js';
import { useAsked } from '../use-asked.js';
import { ApplyForm } from './apply-form.js';
import { DiffView, Effects } from './diff-view.js';
import { Editor } from './editor.js';
import { Faults } from './faults.js';
import { Changes } from './changes.js';
import type { JsonSchema } from './schema.js';

/** After the last key: long enough to finish a word. */
const CHECK_AFTER_MS = 700;

export function ConfigurationPage(): JSX.Element {
  const { configuration } = useConsole();
  const { answer: schema } = useAsked<JsonSchema>('/api/config/schema');
  const current = configuration.answer;
  const [base, setBase] = useState<typeof current>(current);
  const [text, setText] = useState(current?.text ?? '');
  const [difference, setDifference] = useState<ConfigurationDifference>();
  const [applying, setApplying] = useState(false);
  const [goTo, setGoTo] = useState<{ line: number; column: number }>();
  const [problem, setProblem] = useState<Refused>();
  const { checked, check, setChecked } = useCheck(text, base?.text);
  const changed = base !== undefined && text !== base.text;

  // What runs has changed, by an apply or by its coming back: it is shown, unless somebody is writing.
  useEffect(() => {
    if (current === undefined || (current.text === base?.text && current.revision === base.revision)) return;
    if (base === undefined || text === base.text || text === current.text) {
      setBase(current);
      setText(current.text);
    }
  }, [current]);

  const write = useCallback((written: string) => {
    setText(written);
    setDifference(undefined);
  }, []);
  const compare = async (): Promise<void> => {
    setProblem(undefined);
    try {
      setDifference(await ask<ConfigurationDifference>('/api/config/diff', 'POST', { text }));
    } catch (err) {
      setProblem(refusedBy(err));
    }
  };
  const overtaken = changed && current !== undefined && current.revision !== base.revision && current.text !== text;
  const errors = checked?.faults.filter(({ severity }) => severity === 'error').length ?? 0;
  return (
    <>
      <Title>Configuration</Title>
      <Problem of={configuration.problem} />
      {overtaken && (
        <aside class="notice" aria-label="Changed meanwhile">
          <p>The configuration that runs is another one than you began with.</p>
          <Button
            onClick={() => {
              setBase(current);
              write(current.text);
            }}
          >
            Take that, and lose what you wrote
          </Button>
        </aside>
      )}
      {base !== undefined && (
        <Panel
          title={base.path}
          aside={changed ? 'changed, not applied' : `revision ${base.revision}`}
          class="is-editor"
        >
          <Editor text={text} onText={write} schema={schema} faults={checked?.faults ?? []} goTo={goTo} />
          <div class="acts">
            <Button onClick={() => void check(text)}>Check</Button>
            <Button disabled={!changed} onClick={() => void compare()}>
              See the difference
            </Button>
            <Button kind="main" disabled={!changed || errors > 0} onClick={() => setApplying(true)}>
              Apply …
            </Button>
            <Button disabled={!changed} onClick={() => write(base.text)}>
              Undo all
            </Button>
          </div>
          <Problem of={problem} />
          {checked !== undefined && <Faults of={checked} onGo={(line, column) => setGoTo({ line, column })} />}
        </Panel>
      )}
      {difference !== undefined && (
        <Panel title="What would change">
          <Effects of={difference.effects} />
          <DiffView of={difference.diff} />
        </Panel>
      )}
      <Changes />
      {applying && (
        <ApplyForm
          text={text}
          onClose={() => setApplying(false)}
          onFaults={(faults) => {
            setApplying(false);
            setChecked({ faults });
          }}
          onApplied={() => {
            setApplying(false);
            setDifference(undefined);
            configuration.again();
          }}
        />
      )}
    </>
  );
}

/** Checks what is written a moment after the last key, and when it is told to. */
function useCheck(text: string, base: string | undefined) {
  const [checked, setChecked] = useState<CheckedConfiguration>();
  const turn = useRef(0);
  const check = useCallback(async (written: string): Promise<void> => {
    const mine = ++turn.current;
    try {
      const answer = await ask<CheckedConfiguration>('/api/config/check', 'POST', { text: written });
      if (mine === turn.current) setChecked(answer);
    } catch (err) {
      const { message, action } = refusedBy(err);
      const fault = { severity: 'error', line: 1, column: 1, message: `not checked: ${message}`, action } as const;
      if (mine === turn.current) setChecked({ faults: [fault] });
    }
  }, []);
  useEffect(() => {
    if (base === undefined) return undefined;
    if (text === base) {
      turn.current++;
      setChecked(undefined);
      return undefined;
    }
    const timer = setTimeout(() => void check(text), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, base, check]);
  return { checked, check, setChecked };
}
