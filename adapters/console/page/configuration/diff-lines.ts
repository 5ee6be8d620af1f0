// A unified diff as lines that can be shown one by one, each with what it is.

export interface DiffLine {
  readonly kind: 'added' | 'removed' | 'same' | 'place';
  readonly text: string;
}

export const diffLines = (unified: string): readonly DiffLine[] =>
  unified
    // What names the two texts stands above; further down, a line may look like it.
    .replace(/^(={3,}\n)?--- .*\n\+\+\+ .*\n/, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('\\'))
    .map((line) => {
      const text = line.slice(1);
      if (line.startsWith('+')) return { kind: 'added', text };
      if (line.startsWith('-')) return { kind: 'removed', text };
      return line.startsWith(' ') ? { kind: 'same', text } : { kind: 'place', text: line };
    });
