// Where the console listens: on the box itself, until it knows users.
import { errorAtValue, type Fault } from './fault.js';
import { documentedDefault } from './site-form.js';
import { address } from './values.js';
import { section, text, type Section } from './written.js';

export interface ConsoleAddress {
  readonly host: string;
  readonly port: number;
}

const written = (site: Section): string =>
  text(section(site, 'console'), 'listen') ?? documentedDefault('console', 'listen');

/** undefined: switched off. */
export function consoleAddress(site: Section): ConsoleAddress | undefined {
  const listen = written(site);
  return listen === 'none' ? undefined : address(listen);
}

export function consoleFaults(site: Section): readonly Fault[] {
  const listen = written(site);
  const colon = listen.lastIndexOf(':');
  if (colon === -1 || isLoopback(listen.slice(0, colon))) return [];
  return [
    errorAtValue(
      'console-for-everybody',
      ['console', 'listen'],
      `at ${listen} everybody on the network could look at the site and operate it: the console knows no users yet`,
      `write 127.0.0.1${listen.slice(colon)}, and come from elsewhere through ssh -L 8080:127.0.0.1${listen.slice(colon)}`,
    ),
  ];
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host);
