// What is wrong, or strange, in a site.yaml: where it stands and what to write instead.

export type Severity = 'error' | 'warning';

/** Every kind of finding and what it means; `forecourt check` prints the code, the manual explains it. */
export const FINDING_CODES = {
  syntax: 'The file is not readable as YAML at this place.',
  'duplicate-key': 'The same word stands twice in one section; only one of them could count.',
  'unknown-key': 'The word is not one that can stand here.',
  'missing-key': 'Something that has no safe default is not written.',
  empty: 'A word is written with nothing after it.',
  'wrong-shape': 'A text, a list or a section stands where something else belongs.',
  'unit-missing': 'A number without its unit.',
  'unit-wrong': 'A unit that does not measure what is asked, or is not spelt as the trade spells it.',
  'not-a-quantity': 'The text is not a number with a unit.',
  'out-of-range': 'The number cannot be right.',
  'choose-one-of': 'The word is not one of those that can be chosen.',
  'bad-form': 'The text does not have the form that is needed here.',
  'repeated-phase': 'One phase is written on two conductors of an EVSE or meter.',
  'unknown-time-zone': 'There is no time zone of this name.',
  'unknown-circuit': 'The circuit that is named does not stand under circuits.',
  'unknown-meter': 'The meter that is named does not stand under meters.',
  'unknown-evse': 'No station has an EVSE of this number.',
  'unknown-device': 'There is no device profile of this name.',
  'unknown-register': 'A device profile names a register that it does not have, or that cannot be read or written so.',
  'circuit-loop': 'A circuit feeds itself over others.',
  'duplicate-evse': 'Two EVSEs have one number.',
  'duplicate-unit': 'Two devices answer to one unit on one bus or address.',
  'bus-settings-differ':
    'Devices on one serial bus are given, or delivered with, different speed, parity, stop bits or frames.',
  'wrong-transport': 'The device does not speak on such a connection.',
  'meter-used-twice': 'One meter is named by two circuits.',
  'needs-device': 'A setting of Modbus devices stands at a station without a device.',
  'no-credentials': 'A charger may connect without proving who it is.',
  'weak-password': 'A password is too short to protect anything.',
  'secret-missing': 'The file or environment variable that holds a secret is not there, or is empty.',
  'secret-in-the-open': 'A password stands in the file itself, for everyone to read who reads the file.',
  'needs-tls': 'The security profile asks for encryption that is not configured.',
  'console-address': 'The console listens at an address; the names that browsers know it by are written apart.',
  'not-built': 'The setting is accepted, and nothing acts on it yet.',
  'branch-bigger-than-feeder': 'A circuit has a larger breaker than the one that feeds it.',
  'evse-above-breaker': 'An EVSE can take more than the breaker of its circuit carries.',
  'current-order': "An EVSE's minimum or fallback current is above its maximum.",
  'fallback-exceeds-breaker':
    'All EVSEs together may take more than a breaker carries once they have lost the gateway.',
  'meter-lost-exceeds-breaker': 'The current for the time without a meter is above the breaker.',
  'no-meter-lost-current': 'A metered circuit does not say what EVSEs may take while its meter is lost.',
  'meter-unused': 'A meter that no circuit names: it is read for nothing.',
  'phase-not-metered': 'EVSEs take current on a phase that the meter of their circuit does not measure.',
  'circuit-unused': 'A circuit that feeds nothing.',
  'phases-not-rotated':
    'Every EVSE has the same grid phase on its first conductor, so one-phase cars all load that phase.',
  'rotation-unknown': 'The phase rotation of an EVSE is not known, so a one-phase car counts on every phase.',
  'no-watchdog': 'The charger keeps its last limit, or takes all it can get, when the gateway falls silent.',
  'not-verified': 'A fact about a device has one source or none, and was not tried.',
  'phase-switching-wiring': 'An EVSE is to switch phases that is not wired to three known ones.',
  'cannot-switch-phases': 'The charger has no known way to switch phases.',
  'phase-switching-needs': 'The charger switches phases only with something that has to be fitted or set.',
  'line-to-line-voltage':
    'An EVSE hangs between two phases that have more voltage between them than any charger takes.',
  'transformer-order': 'A circuit before a transformer is fed by one behind it.',
  'evse-before-transformer': 'A charger hangs before the transformer, at another voltage than the site has.',
  'no-limit-source':
    "The grid operator's limit has no way to reach the gateway, so that its fail-safe value holds for ever.",
  'no-authority': 'No CSMS decides about an EVSE.',
  'several-authorities': 'Two CSMS both decide about an EVSE.',
} as const satisfies Readonly<Record<string, string>>;

export type FindingCode = keyof typeof FINDING_CODES;

export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly message: string;
  /** What to write instead; absent where only the reader can know. */
  readonly suggestion?: string;
}

/** In the order of the file; errors before warnings in one place. */
export const inFileOrder = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort(
    (a, b) =>
      a.line - b.line || a.column - b.column || (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0),
  );
