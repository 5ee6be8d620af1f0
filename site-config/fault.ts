// A finding before it has a line and column: it knows its path in the file, the document knows where that stands.
import type { FindingCode, Severity } from './finding.js';
import type { Path } from './place.js';

export interface Fault {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly path: Path;
  /** Whether the finding points at the key or at the value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly suggestion?: string;
}

const fault =
  (severity: Severity, at: 'key' | 'value') =>
  (code: FindingCode, path: Path, message: string, suggestion?: string): Fault => ({
    code,
    severity,
    path,
    at,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });

export const errorAtKey = fault('error', 'key');
export const errorAtValue = fault('error', 'value');
export const warningAtKey = fault('warning', 'key');
export const warningAtValue = fault('warning', 'value');
