// Plain aligned tables for a terminal of 100 columns.

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Characters at most; longer texts are cut. */
  readonly most?: number;
}

const WIDTH = 100;

/** Rows under their titles, each with two spaces between columns; no row is wider than 100 characters. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => columns.map(({ most }, index) => cut(row[index] ?? '', most ?? WIDTH)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => (row[index] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, index) =>
        align === 'right'
          ? (row[index] ?? '').padStart(widths[index] ?? 0)
          : (row[index] ?? '').padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd()
      .slice(0, WIDTH);
  return [columns.map(({ title }) => title), ...cells].map((row) => `${line(row)}\n`).join('');
}

/** What comes from chargers and CSMSs is shown on one line, without anything a terminal would obey. */
export const cut = (text: string, most: number): string => {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
  return plain.length <= most ? plain : `${plain.slice(0, most - 3)}...`;
};

/** Text in lines of at most so many characters, each indented. */
export function wrapped(text: string, indent: number): string {
  const room = WIDTH - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of cut(text, 1000)
    .split(' ')
    .flatMap((each) => each.match(new RegExp(`.{1,${room}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}\n`).join('');
}

/** A span of time in the two largest units that matter. */
export function span(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** To the second, in UTC: `2025-03-01 08:00:00Z`. */
export const moment = (at: string | undefined): string =>
  at === undefined ? '-' : `${at.slice(0, 19).replace('T', ' ')}Z`;
