// Reads the evening.yaml of `forecourt simulate`: cars, building loads and grid operator's limits, or every fault with its place.
import { circuitId, evseNumber, type CircuitId } from '../../gateway/kernel/ids.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { ampere, milliseconds, watt, wattHour, type Milliseconds } from '../../gateway/kernel/units.js';
import type { Site } from '../../gateway/site/topology.js';
import { isDirectCurrent } from '../../gateway/site/topology.js';
import { readDocument } from '../../site-config/document.js';
import { firstBreak, placed, textFindings } from '../../site-config/document-findings.js';
import { errorAtKey, errorAtValue, type Fault } from '../../site-config/fault.js';
import { inFileOrder, type Finding } from '../../site-config/finding.js';
import { documentedDefault, readForm } from '../../site-config/form.js';
import { parseQuantity, type Dimension } from '../../site-config/quantity.js';
import { schemaFaults } from '../../site-config/schema-faults.js';
import { nearest } from '../../site-config/suggestion.js';
import { validateEvening } from '../../site-config/validators.js';
import { entries, isSection, list, text, type Section } from '../../site-config/written.js';
import type { CurveName, LoadDescription } from './loads.js';
import { DAY, type OperatorLimit, type PlannedCar, type Span } from './planned-car.js';

const form = readForm('an evening', new URL('./evening.schema.json', import.meta.url), validateEvening);

export interface Evening {
  /** Undefined: the file names no cars, and they are to be made up. */
  readonly cars: readonly PlannedCar[] | undefined;
  readonly loads: ReadonlyMap<CircuitId, LoadDescription>;
  readonly operatorLimits: readonly OperatorLimit[];
}

/**
 * @param path names the file in findings
 * @param span what of the day is tried out: cars that are not there then are left out
 */
export function readEvening(source: string, path: string, site: Site, span: Span): Result<Evening, readonly Finding[]> {
  const document = readDocument(source);
  const inText = textFindings(path, document);
  const broken = firstBreak(inText);
  if (broken !== undefined) return failed([broken]);
  const { written } = document;
  if (!isSection(written)) {
    const message = `${path} describes no evening`;
    const suggestion = 'begin with cars: or load:';
    return failed([{ file: path, line: 1, column: 1, severity: 'error', code: 'empty', message, suggestion }]);
  }
  const ofSchema = schemaFaults(form, document.typed);
  const faults = ofSchema.length > 0 ? ofSchema : referenceFaults(written, site);
  const findings = [...inText, ...placed(path, document, faults)];
  if (findings.length > 0) return failed(inFileOrder(findings));
  return ok({
    cars: Object.hasOwn(written, 'cars') ? carsOf(written, site, span) : undefined,
    loads: new Map(entries(written, 'load').map(([name, keys]) => [circuitId(name), loadOf(keys)])),
    operatorLimits: list(written, 'grid-operator-limit')
      .filter(isSection)
      .map((keys) => operatorLimit(keys, span)),
  });
}

function referenceFaults(written: Section, site: Site): readonly Fault[] {
  const circuits = site.circuits.map(({ id }) => String(id));
  const evses = site.stations.flatMap((station) => station.evses.map(({ number }) => String(number)));
  const faults: Fault[] = [];
  for (const [name] of entries(written, 'load')) {
    if (circuits.includes(name)) continue;
    const meant = nearest(name, circuits);
    const instead = meant === undefined ? `there are ${circuits.join(', ')}` : `did you mean ${meant}?`;
    faults.push(errorAtKey('unknown-circuit', ['load', name], `the site has no circuit ${name}`, instead));
  }
  list(written, 'cars').forEach((keys, index) => {
    if (!isSection(keys)) return;
    const evse = text(keys, 'evse') ?? 'any';
    if (evse !== 'any' && !evses.includes(evse)) {
      const instead = `write any, or one of ${evses.slice(0, 12).join(', ')}`;
      faults.push(errorAtValue('unknown-evse', ['cars', index, 'evse'], `the site has no EVSE ${evse}`, instead));
    }
    if (text(keys, 'arrival') === text(keys, 'departure')) {
      const message = `car ${index + 1} leaves when it comes`;
      faults.push(errorAtValue('out-of-range', ['cars', index, 'departure'], message, 'write another time'));
    }
  });
  return faults;
}

function carsOf(written: Section, site: Site, span: Span): readonly PlannedCar[] {
  const directCurrent = new Set(
    site.stations.flatMap(({ evses }) => evses.filter(isDirectCurrent).map(({ number }) => Number(number))),
  );
  return list(written, 'cars')
    .filter(isSection)
    .flatMap((keys, index): PlannedCar[] => {
      const [arrival, departure] = stayIn(span, clockTime(keys, 'arrival'), clockTime(keys, 'departure'));
      if (departure <= 0 || arrival >= span.length) return [];
      const evse = text(keys, 'evse') ?? documentedDefault(form, 'car', 'evse');
      const from = text(keys, 'charges-from');
      const waits = from === undefined ? undefined : after(arrival + span.from, clockTime(keys, 'charges-from'));
      return [
        {
          name: text(keys, 'name') ?? `car ${index + 1}`,
          arrival: milliseconds(Math.max(0, arrival)),
          departure: milliseconds(departure),
          energy: wattHour(quantity(keys, 'car', 'energy', 'energy')),
          phases: Number(text(keys, 'phases') ?? documentedDefault(form, 'car', 'phases')) as 1 | 2 | 3,
          maxCurrent: ampere(quantity(keys, 'car', 'max-current', 'current')),
          ...(evse !== 'any' && { evse: evseNumber(Number(evse)) }),
          directCurrent: evse !== 'any' && directCurrent.has(Number(evse)),
          ...(waits !== undefined && { chargesFrom: milliseconds(arrival + waits) }),
        },
      ];
    });
}

/** From one time of the day to the next time that it is so late. */
const after = (from: number, until: number): number => (((until - from) % DAY) + DAY) % DAY;

/** A car that comes at a time that is not shown has come before: it is there at the beginning, or it has left again. */
function stayIn({ from, length }: Span, arrival: number, departure: number): readonly [number, number] {
  const since = after(from, arrival);
  const begins = since < length ? since : since - DAY;
  return [begins, begins + after(arrival, departure)];
}

function loadOf(keys: Section): LoadDescription {
  const curve = text(keys, 'curve');
  const current = (key: string) => ampere(quantity(keys, 'load', key, 'current'));
  return {
    ...(text(keys, 'constant') !== undefined && { constant: current('constant') }),
    ...(curve !== undefined && { curve: { name: curve as CurveName, peak: current('peak') } }),
    ...(text(keys, 'lift') !== undefined && { lift: current('lift') }),
  };
}

function operatorLimit(keys: Section, span: Span): OperatorLimit {
  const [from, to] = stayIn(span, clockTime(keys, 'from'), clockTime(keys, 'to'));
  return {
    from: milliseconds(from),
    to: milliseconds(to),
    limit: watt(quantity(keys, 'operator-limit', 'limit', 'power')),
  };
}

/** `17:10` in milliseconds after midnight. */
export function timeOfDay(written: string): Milliseconds | undefined {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(written) ?? [];
  return hours === undefined ? undefined : milliseconds((Number(hours) * 60 + Number(minutes)) * 60_000);
}

const clockTime = (keys: Section, key: string): Milliseconds => timeOfDay(text(keys, key) ?? '') ?? milliseconds(0);

function quantity(keys: Section, definition: string, key: string, dimension: Dimension): number {
  const parsed = parseQuantity(text(keys, key) ?? documentedDefault(form, definition, key), dimension);
  if (!parsed.ok) throw new Error(`${key} is not a ${dimension} in an evening that was checked`);
  return parsed.value;
}
