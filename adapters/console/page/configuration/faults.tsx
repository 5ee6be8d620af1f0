// What is wrong with a site.yaml, and what the electrical review warns of: each a way to its line.
import type { JSX } from 'preact';
import type { CheckedConfiguration } from '../contract.js';
import { Glyph, State } from '../parts/glyph.js';

interface FaultsProps {
  readonly of: CheckedConfiguration;
  readonly onGo: (line: number, column: number) => void;
}

export function Faults({ of: { faults }, onGo }: FaultsProps): JSX.Element {
  const errors = faults.filter(({ severity }) => severity === 'error').length;
  return (
    <div class="faults">
      <p role="status">
        {errors > 0 ? (
          <State glyph="fault" word={`${errors} ${errors === 1 ? 'fault' : 'faults'}: this cannot be applied`} />
        ) : (
          <State glyph="good" word="Checked: this can be applied" />
        )}
      </p>
      <ul>
        {faults.map(({ severity, line, column, message, action }) => (
          <li key={`${line} ${column} ${message}`} class={`is-${severity}`}>
            <Glyph name={severity === 'error' ? 'fault' : 'warning'} />
            <button type="button" class="link-like" onClick={() => onGo(line, column)}>
              Line {line}
            </button>
            <span>
              {message}
              {action !== undefined && <small> {action}</small>}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
