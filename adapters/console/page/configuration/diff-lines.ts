// A unified diff as lines that can be shown one by one, each with what it is.

export interface DiffLine {
  readonly kind: 'added' | 'removed' | 'same' | 'place';
  readonly text: string;
}

export const diffLines = (unified: string): readonly DiffLine[] =>
  unified
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => line !== '' && !/^(---|\+\+\+|\\|diff |index )/.test(line))
    .map((line) => {
      const text = line.slice(1);
      if (line.startsWith('+')) return { kind: 'added', text };
      if (line.startsWith('-')) return { kind: 'removed', text };
      return line.startsWith('@@') ? { kind: 'place', text: line } : { kind: 'same', text };
    });
