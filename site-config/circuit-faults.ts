// What can be wrong between circuits: feeders and meters that do not exist, loops, meters in two places.
import { errorAtValue, type Fault } from './fault.js';
import { didYouMean } from './suggestion.js';
import { entries, section, text, type Section } from './written.js';

export function circuitFaults(site: Section): readonly Fault[] {
  const all = entries(site, 'circuits');
  const names = all.map(([name]) => name);
  const meterNames = Object.keys(section(site, 'meters'));
  const feeders = new Map(all.map(([name, keys]) => [name, text(keys, 'fed-by')]));
  const metered = new Map<string, string>();
  return all.flatMap(([name, keys]) => {
    const faults: Fault[] = [];
    const feeder = text(keys, 'fed-by');
    if (feeder !== undefined && !names.includes(feeder)) {
      faults.push(
        errorAtValue(
          'unknown-circuit',
          ['circuits', name, 'fed-by'],
          `circuit ${name} is fed by ${feeder}, which does not stand under circuits`,
          didYouMean(
            feeder,
            names.filter((other) => other !== name),
            'add it under circuits',
          ),
        ),
      );
    }
    if (loops(name, feeders)) {
      faults.push(
        errorAtValue(
          'circuit-loop',
          ['circuits', name, 'fed-by'],
          `circuit ${name} feeds itself: ${loopFrom(name, feeders).join(' <- ')}`,
          'leave out fed-by at the grid connection',
        ),
      );
    }
    const meter = text(keys, 'meter');
    if (meter !== undefined && !meterNames.includes(meter)) {
      faults.push(
        errorAtValue(
          'unknown-meter',
          ['circuits', name, 'meter'],
          `circuit ${name} is measured by ${meter}, which does not stand under meters`,
          didYouMean(meter, meterNames, 'add it under meters'),
        ),
      );
    }
    const other = meter === undefined ? undefined : metered.get(meter);
    if (meter !== undefined && other !== undefined) {
      faults.push(
        errorAtValue(
          'meter-used-twice',
          ['circuits', name, 'meter'],
          `meter ${meter} already measures circuit ${other}`,
          'name it at the circuit whose whole current flows through it',
        ),
      );
    }
    if (meter !== undefined) metered.set(meter, other ?? name);
    return faults;
  });
}

/** True where following the feeders from `name` comes back to `name`; a loop further up is that circuit's fault. */
const loops = (name: string, feeders: ReadonlyMap<string, string | undefined>): boolean =>
  loopFrom(name, feeders).at(-1) === name && loopFrom(name, feeders).length > 1;

function loopFrom(name: string, feeders: ReadonlyMap<string, string | undefined>): readonly string[] {
  const way = [name];
  let at = feeders.get(name);
  while (at !== undefined && way.length <= feeders.size) {
    way.push(at);
    if (at === name) break;
    at = feeders.get(at);
  }
  return way;
}
