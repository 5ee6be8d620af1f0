// Each example site is started as a whole gateway: what an electrician copies must run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { composeGateway } from '../../gateway/compose.js';
import type { Site } from '../../gateway/site/topology.js';
import { systemClock } from '../../gateway/system-clock.js';
import { systemMachine } from '../../gateway/system-machine.js';
import { openShelf } from '../../site-config/devices/shelf.js';
import { loadSite } from '../../site-config/loader.js';
import { recordingLog } from '../fakes/recording-log.js';

const EXAMPLES = ['small-office', 'car-park', 'depot', 'garage', 'workplace'];

/** On free ports and a fresh directory; everything else as the file says. */
function elsewhere(site: Site, dataDirectory: string): Site {
  const { ocpp } = site.listen;
  const { localBroker, ...telemetry } = site.telemetry;
  return {
    ...site,
    dataDirectory,
    ...(site.console && { console: { ...site.console, port: 0 } }),
    listen: ocpp === undefined ? {} : { ocpp: { ...ocpp, host: '127.0.0.1', port: 0 } },
    telemetry: { ...telemetry, ...(localBroker && { localBroker: { ...localBroker, host: '127.0.0.1', port: 0 } }) },
  };
}

for (const name of EXAMPLES) {
  void t.test(`${name} starts, shows every EVSE to every CSMS, and stops`, async (t) => {
    const loaded = loadSite(`site-config/examples/${name}.yaml`, {
      devices: openShelf(),
      env: { FORECOURT_DC_02: 'a-password-of-16-or-more' },
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    if (!loaded.ok) return t.fail(loaded.error.map(({ message }) => message).join('; '));
    const directory = mkdtempSync(join(tmpdir(), 'forecourt-example-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const site = elsewhere(loaded.value.site, directory);
    const log = recordingLog();
    const running = await composeGateway(site, openShelf(), systemClock, systemMachine(), log, '0.0.0');
    const evses = site.stations.flatMap((station) => station.evses.map(({ number }) => number));
    t.ok(evses.length > 0);
    for (const number of evses) t.ok(running.gateway.live.evse(number), `EVSE ${number}`);
    t.equal(running.gateway.views.length, site.csms.length);
    const hasOcpp = site.stations.some(({ link }) => link.kind === 'ocpp');
    if (hasOcpp) {
      const answer = await fetch(`http://127.0.0.1:${running.ocppPort ?? 0}/`);
      t.equal(answer.status, 426, 'the door for chargers is open');
    }
    t.equal((await fetch(`http://127.0.0.1:${running.consolePort ?? 0}/health`)).status, 200, 'the console answers');
    await running.stop();
    return undefined;
  });
}
