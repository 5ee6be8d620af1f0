// Puts the console together: users, what they may look at and do, and the server that they reach it by.
import { fileURLToPath } from 'node:url';
import { accountFile, writeLocalToken } from '../adapters/console/account-file.js';
import { actRoutes } from '../adapters/console/act-routes.js';
import { configurationRoutes } from '../adapters/console/configuration-routes.js';
import { scryptSecrets } from '../adapters/console/secrets.js';
import { traceRoutes } from '../adapters/console/trace-routes.js';
import { openConsole, type ConsoleServer } from '../adapters/console/server.js';
import type { EventRecorder } from './console/event-recorder.js';
import { Users } from './console/users.js';
import type { Gateway } from './gateway.js';
import { FAULTS } from './kernel/faults.js';
import type { SiteConfiguration } from './ports/configuration.js';
import type { SiteConsole, Traces } from './ports/console.js';
import type { ConsoleRoute } from './ports/console-routes.js';
import type { AdapterContext } from './ports/station.js';
import type { ConsoleSettings, Site } from './site/topology.js';

/** Beside the folder of the code, whether it is bundled or not. */
const PAGE = fileURLToPath(new URL('../console-page', import.meta.url));

export interface ConsoleParts {
  readonly site: Site;
  readonly console: SiteConsole;
  readonly gateway: Gateway;
  readonly recorder: EventRecorder;
  readonly trace: Traces;
  /** Absent where the site is from no file. */
  readonly configuration?: SiteConfiguration;
  /** The addresses of further capabilities. */
  readonly routes: readonly ConsoleRoute[];
}

/** Never throws: the gateway works without its console. */
export async function composeConsole(
  settings: ConsoleSettings,
  { site, console, gateway, recorder, trace, configuration, routes }: ConsoleParts,
  context: AdapterContext,
): Promise<ConsoleServer> {
  const { clock, log } = context;
  const { dataDirectory } = site;
  const users = await Users.open({
    store: accountFile(dataDirectory),
    secrets: scryptSecrets(),
    clock,
    log,
    told: (name, text, severity) => recorder.tell({ kind: 'user', severity, subject: `user/${name}`, text }),
  });
  const localToken = await writeLocalToken(dataDirectory).catch((err: unknown) => {
    log.error({ err, fault: FAULTS.consoleUsersLost.code }, 'the token of the command line cannot be written');
    return undefined;
  });
  const { setupToken } = users;
  if (setupToken !== undefined)
    log.info(
      { setupToken },
      'the console has no users, and is open on the box only; this token makes the first one (deploy/CONSOLE.md)',
    );
  return openConsole(
    settings,
    {
      site: console,
      users,
      routes: [
        ...actRoutes(site.id, gateway.acts, () => clock.now()),
        ...traceRoutes(trace, () => console.drawing()),
        ...(configuration === undefined ? [] : configurationRoutes(site.id, configuration)),
        ...routes,
      ],
      page: PAGE,
      ...(localToken !== undefined && { localToken }),
    },
    context,
  );
}
