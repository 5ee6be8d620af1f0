// site.yaml in, the model of the site out, or every fault with its place and what to write instead.
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { failed, ok, type Result } from '../gateway/kernel/result.js';
import type { Site } from '../gateway/site/topology.js';
import { readDocument } from './document.js';
import { firstBreak, placed, textFindings } from './document-findings.js';
import { inFileOrder, type Finding } from './finding.js';
import { meterPhases, phaseSwitch, unverified, whenSilent, wiringOf, type DeviceShelf } from './devices/shelf.js';
import { referenceFaults } from './references.js';
import { review, type ReviewContext } from './review.js';
import { schemaFaults } from './schema-faults.js';
import { siteForm } from './site-form.js';
import { readSecrets } from './secrets.js';
import { buildSite } from './site-builder.js';
import { entries, isSection, text, type Section } from './written.js';

export interface LoadOptions {
  /** The device profiles that the site may name. */
  readonly devices: DeviceShelf;
  /** The text of a file; throws where it cannot be read. The file system unless given. */
  readonly readFile?: (path: string) => string;
  /** For secrets written as `{ env: NAME }`; the environment of the process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LoadedSite {
  readonly site: Site;
  readonly warnings: readonly Finding[];
}

const fromDisk = (path: string): string => readFileSync(path, 'utf8');

/**
 * Reads and checks the site.yaml at `path`.
 * @returns the site and its warnings, or all findings when at least one is an error
 * @throws what `readFile` throws where the file itself cannot be read
 */
export function loadSite(path: string, options: LoadOptions): Result<LoadedSite, readonly Finding[]> {
  return loadSiteText((options.readFile ?? fromDisk)(path), path, options);
}

/** The same for a text at hand; `path` names it in findings and is where relative paths start. Never throws. */
export function loadSiteText(
  source: string,
  path: string,
  options: LoadOptions,
): Result<LoadedSite, readonly Finding[]> {
  const document = readDocument(source);
  const inText = textFindings(path, document);
  const broken = firstBreak(inText);
  if (broken !== undefined) return failed([broken]);
  const { written } = document;
  if (!isSection(written)) {
    const message = `${basename(path)} describes no site`;
    return failed([
      ...inText,
      {
        file: path,
        line: 1,
        column: 1,
        severity: 'error',
        code: 'empty',
        message,
        suggestion: 'begin with site:, circuits: and stations:',
      },
    ]);
  }

  const folder = dirname(resolve(path));
  const secrets = readSecrets(written, {
    folder,
    readFile: options.readFile ?? fromDisk,
    env: options.env ?? process.env,
  });
  const findings = [
    ...options.devices.findings,
    ...inText,
    ...placed(path, document, [
      ...schemaFaults(siteForm, document.typed),
      ...referenceFaults(written, options.devices),
      ...secrets.faults,
    ]),
  ];
  if (findings.some(({ severity }) => severity === 'error')) return failed(inFileOrder(findings));

  const site = buildSite(written, secrets, folder, wiringOf(options.devices));
  const all = inFileOrder([
    ...findings,
    ...placed(path, document, review(site, reviewContext(written, options.devices))),
  ]);
  return all.some(({ severity }) => severity === 'error') ? failed(all) : ok({ site, warnings: all });
}

const reviewContext = (written: Section, devices: DeviceShelf): ReviewContext => ({
  whenSilent: (name) => whenSilent(devices, name),
  unverified: (name) => unverified(devices, name),
  phaseSwitch: (name) => phaseSwitch(devices, name),
  meterPhases: (name) => meterPhases(devices, name),
  acceptedFallbackOverloads: new Set(
    entries(written, 'circuits')
      .filter(([, keys]) => text(keys, 'accept-fallback-overload') === 'true')
      .map(([name]) => name),
  ),
});
