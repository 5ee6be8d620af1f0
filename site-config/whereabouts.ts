// Where the gateway of a site is found, for the commands that ask it: they need neither its secrets nor a faultless file.
import { dirname, resolve } from 'node:path';
import { failed, ok, type Result } from '../gateway/kernel/result.js';
import { localConsole, type ConsoleAddress } from './console-address.js';
import { readDocument } from './document.js';
import { dataDirectory } from './site-builder.js';
import { modbusDevices, withPort } from './serial-bus.js';
import { entries, evsesOf, isSection, section, text } from './written.js';

export interface Whereabouts {
  readonly site: string;
  readonly csms: readonly string[];
  readonly dataDirectory: string;
  /** Of its Modbus devices, as written but for a port that is left out. */
  readonly connections: readonly string[];
  /** The numbers of its EVSEs. */
  readonly evses: readonly number[];
  /** Absent: the console is switched off. */
  readonly console?: ConsoleAddress;
}

/** @returns where the site is, or in words why the file does not say so */
export function readWhereabouts(source: string, path: string): Result<Whereabouts, string> {
  const document = readDocument(source);
  const broken = document.faults.find(({ code }) => code === 'syntax');
  if (broken !== undefined) return failed(`${path}:${broken.place.line}:${broken.place.column}: ${broken.message}`);
  const { written } = document;
  const site = isSection(written) ? text(section(written, 'site'), 'id') : undefined;
  if (!isSection(written) || site === undefined) return failed(`${path} describes no site: it has no site id`);
  const console = localConsole(written);
  return ok({
    site,
    csms: entries(written, 'csms').map(([name]) => name),
    dataDirectory: dataDirectory(written, dirname(resolve(path))),
    connections: modbusDevices(written).map(({ connection }) => withPort(connection)),
    evses: evsesOf(written).flatMap(({ number }) => number ?? []),
    ...(console && { console }),
  });
}
