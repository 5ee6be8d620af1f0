// Joins the configuration of a running gateway: the loader of site.yaml, the file on its disk, and what puts another one in force.
import type { DeviceShelf } from '../site-config/devices/shelf.js';
import type { Finding } from '../site-config/finding.js';
import { loadSiteText } from '../site-config/loader.js';
import { siteForm } from '../site-config/site-form.js';
import { differenceOf } from '../site-config/text-difference.js';
import type { Clock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import type { TextFinding } from './ports/configuration.js';
import type { SiteFiles } from './ports/site-files.js';
import { Configuration, type CheckedText, type ConfigurationDependencies } from './shell/configuration.js';
import type { Site } from './site/topology.js';

/** Where the site that the gateway starts with is from. */
export interface SiteSource {
  readonly files: SiteFiles;
  /** What was read of it at the start. */
  readonly text: string;
  /** The device profiles as they are on the disk now. */
  readonly devices: () => DeviceShelf;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What is changed. */
export interface Running {
  /** As it is in force. */
  readonly site: Site;
  readonly told: ConfigurationDependencies['told'];
  readonly clock: Clock;
  readonly log: Log;
  /** @throws Error when it cannot be put in force: nothing has changed */
  readonly putInForce: (next: Site, devices: DeviceShelf) => Promise<void>;
}

/** @throws Error when the revisions that are on the disk cannot be read */
export function composeConfiguration(
  { files, text, devices, env }: SiteSource,
  running: Running,
): Promise<Configuration> {
  const { site, told, clock, log, putInForce } = running;
  const check = (source: string): CheckedText => {
    const shelf = devices();
    const loaded = loadSiteText(source, files.path, { devices: shelf, env });
    if (!loaded.ok) return { findings: loaded.error.map(textFinding) };
    const next = loaded.value.site;
    return {
      findings: loaded.value.warnings.map(textFinding),
      candidate: { site: next, putInForce: () => putInForce(next, shelf) },
    };
  };
  return Configuration.open(
    { files, site, check, diff: differenceOf, schema: siteForm.schema, told, clock, log },
    text,
  );
}

const textFinding = ({ severity, line, column, message, suggestion }: Finding): TextFinding => ({
  severity,
  line,
  column,
  message,
  ...(suggestion !== undefined && { action: suggestion }),
});
