// A machine whose clock is right, for tests that are not about time.
import type { Clock } from '../../gateway/kernel/clock.js';
import { timestamp } from '../../gateway/kernel/units.js';
import type { Machine } from '../../gateway/ports/machine.js';

export const knowing = (clock: Clock): Machine => ({
  boot: 'the only boot',
  released: timestamp(0),
  lastSynchronised: () => clock.now(),
});
