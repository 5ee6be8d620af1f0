// Where the console listens, and where the command line finds it: beyond the box only once it knows users.
import type { ConsoleSettings } from '../gateway/site/topology.js';
import { errorAtValue, type Fault } from './fault.js';
import { documentedDefault } from './site-form.js';
import { address } from './values.js';
import { list, section, text, type Section } from './written.js';

export interface ConsoleAddress {
  readonly host: string;
  readonly port: number;
}

const listen = (site: Section): string =>
  text(section(site, 'console'), 'listen') ?? documentedDefault('console', 'listen');

/** undefined: switched off. */
export function consoleSettings(site: Section): ConsoleSettings | undefined {
  if (listen(site) === 'none') return undefined;
  const written = section(site, 'console');
  return {
    ...address(listen(site)),
    names: list(written, 'names').filter((name) => typeof name === 'string'),
    startToken: text(written, 'start-token') ?? documentedDefault('console', 'start-token'),
  };
}

/** Where programs on the box reach it: whatever site.yaml says, it listens on a loopback address too. undefined: switched off. */
export function localConsole(site: Section): ConsoleAddress | undefined {
  if (listen(site) === 'none') return undefined;
  const { host, port } = address(listen(site));
  return { host: isLoopback(host) ? host : '127.0.0.1', port };
}

/** A name would have to be looked up before anybody could listen. */
export function consoleFaults(site: Section): readonly Fault[] {
  const written = listen(site);
  if (written === 'none') return [];
  const { host, port } = address(written);
  if (isLoopback(host) || /^[0-9.]+$/.test(host) || host.includes(':')) return [];
  return [
    errorAtValue(
      'console-address',
      ['console', 'listen'],
      `${host} is a name, and the console listens at an address`,
      `write 0.0.0.0:${port} for every address of the box, and names: [${host}] for what browsers call it`,
    ),
  ];
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
