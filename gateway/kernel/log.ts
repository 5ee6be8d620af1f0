// What the core and the adapters log to: pino's call shape, without pino.

/** Fields that identify what a line is about; names are fixed so that logs can be searched. */
export interface LogFields {
  readonly station?: string;
  readonly evse?: number;
  readonly transaction?: string;
  readonly csms?: string;
  readonly meter?: string;
  readonly circuit?: string;
  /** A code of the error catalogue (kernel/faults.ts). */
  readonly fault?: string;
  readonly err?: unknown;
  readonly [field: string]: unknown;
}

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** For whoever has nobody to tell. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A token as logs, traces and pages may show it: the first two characters and the length. */
export const maskToken = (token: string): string =>
  token.length <= 2 ? '*'.repeat(token.length) : `${token.slice(0, 2)}***(${token.length})`;
