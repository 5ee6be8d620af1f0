// What is wrong with a YAML document as findings of its file: a fault knows its path, the document knows its line and column.
import type { SiteDocument } from './document.js';
import type { Fault } from './fault.js';
import { inFileOrder, type Finding } from './finding.js';

/** What is wrong with the text itself, in the order in which it was met. */
export const textFindings = (file: string, { faults }: SiteDocument): readonly Finding[] =>
  faults.map(({ place, ...fault }) => ({ file, ...place, severity: 'error', ...fault }));

/** What follows from a broken text, further faults of the text included, only repeats in other words that it is broken. */
export const firstBreak = (findings: readonly Finding[]): Finding | undefined =>
  inFileOrder(findings).find(({ code }) => code === 'syntax');

export const placed = (file: string, document: SiteDocument, faults: readonly Fault[]): readonly Finding[] =>
  faults.map(({ path, at, ...fault }) => ({
    file,
    ...(at === 'key' ? document.keyAt(path) : document.valueAt(path)),
    ...fault,
  }));
