// The report of commissioning in Markdown: what was tried at each station, what was seen, when, and who did it.

interface Reported {
  readonly step: string;
  readonly evse?: number;
  readonly state: string;
  readonly detail?: string;
  readonly at?: string;
  readonly by?: string;
}

interface ReportedStation {
  readonly station: string;
  readonly steps: readonly Reported[];
}

export function commissioningReport(
  site: { readonly id: string; readonly name: string },
  at: string,
  stations: readonly ReportedStation[],
): string {
  const steps = stations.flatMap((each) => each.steps);
  const count = (state: string): number => steps.filter((each) => each.state === state).length;
  return [
    `# Commissioning of ${cell(site.name)} (${cell(site.id)})`,
    '',
    `As of ${at}: ${steps.length} steps at ${stations.length} stations, ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped, ${count('needs-car')} need a car, ${count('open')} open.`,
    ...stations.flatMap(section),
    '',
  ].join('\n');
}

const section = ({ station, steps }: ReportedStation): readonly string[] => [
  '',
  `## ${cell(station)}`,
  '',
  '| step | EVSE | state | what was seen | when | who |',
  '| --- | --- | --- | --- | --- | --- |',
  ...steps.map(({ step, evse, state, detail = '', at = '', by = '' }) => {
    const cells = [step, evse === undefined ? '' : `${evse}`, state, detail, at, by];
    return `| ${cells.map(cell).join(' | ')} |`;
  }),
];

/** Names of devices and people may hold anything; none of it is markup here. */
const cell = (text: string): string => text.replace(/[|<>`*_[\]\\]/g, '\\$&').replace(/\s+/g, ' ');
