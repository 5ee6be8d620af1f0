// The gateway's command line on a box whose clock has no battery and no time server: it shows how long the machine has been up.
import { runGateway } from '../../gateway/cli-run.js';
import { timestamp } from '../../gateway/kernel/units.js';
import { systemClock } from '../../gateway/system-clock.js';
import { systemMachine } from '../../gateway/system-machine.js';

const [, , , ...args] = process.argv;
process.exit(
  await runGateway(args, '0', {
    clock: { ...systemClock, now: () => timestamp(Math.floor(systemClock.monotonic())) },
    machine: { ...systemMachine(), released: timestamp(Date.UTC(2026, 0, 1)), lastSynchronised: () => undefined },
  }),
);
