// The real gateway inside the test's own process, on real sockets, with a clock that runs faster than the wall.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { composeGateway, type RunningGateway } from '../../gateway/compose.js';
import type { Clock } from '../../gateway/kernel/clock.js';
import { systemClock } from '../../gateway/system-clock.js';
import { fastClock } from '../../simulation/fast-clock.js';
import { loadSiteText } from '../../site-config/loader.js';
import { knowing } from '../fakes/fake-machine.js';
import { recordingLog } from '../fakes/recording-log.js';
import { devices } from '../site-config/devices.js';

export interface FastGateway {
  readonly running: RunningGateway;
  readonly clock: Clock;
  readonly log: ReturnType<typeof recordingLog>;
}

/**
 * @param yaml a site.yaml without `data-directory`
 * @param speed seconds that pass for the gateway in one of the wall; peers have so much less time to answer
 */
export async function startFastGateway(t: Test, yaml: string, speed: number): Promise<FastGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-'));
  const loaded = loadSiteText(
    `data-directory: ${folder}\nconsole: { listen: none }\n${yaml}`,
    join(folder, 'site.yaml'),
    { devices, env: {} },
  );
  if (!loaded.ok) throw new Error(loaded.error.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  const clock = fastClock(speed, systemClock);
  const log = recordingLog();
  const running = await composeGateway(loaded.value.site, devices, clock, knowing(clock), log, '0.0.0');
  t.teardown(async () => {
    await running.stop();
    rmSync(folder, { recursive: true });
  });
  return { running, clock, log };
}
