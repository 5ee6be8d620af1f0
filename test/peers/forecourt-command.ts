// The `forecourt` command as an operator runs it: a process of its own, its words and its exit code.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../bundle/forecourt.js', import.meta.url));

export interface CommandOutput {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function forecourt(...args: readonly string[]): Promise<CommandOutput> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
      (err, out, words) => {
        const code = err === null ? 0 : typeof err.code === 'number' ? err.code : -1;
        resolve({ code, out, err: words });
      },
    );
  });
}
