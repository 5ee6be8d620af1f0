// What the schema cannot see of the grid operator's limit: circuits that must exist, and contacts that must be reachable.
import { errorAtKey, errorAtValue, type Fault } from './fault.js';
import { sourcesOf } from './grid-operator-builder.js';
import type { Path } from './place.js';
import { LINE_KEYS } from './serial-bus.js';
import { didYouMean } from './suggestion.js';
import { has, isSection, list, section, text, type Section } from './written.js';

const HERE: Path = ['balancing', 'grid-operator-limit'];

export function gridOperatorFaults(site: Section): readonly Fault[] {
  if (!has(section(site, 'balancing'), 'grid-operator-limit')) return [];
  const keys = section(section(site, 'balancing'), 'grid-operator-limit');
  const circuits = Object.keys(section(site, 'circuits'));
  const byContact = sourcesOf(keys).includes('contact');
  const faults = [...unknownCircuit(HERE, keys, circuits)];
  if (byContact && !has(keys, 'contacts'))
    faults.push(
      errorAtKey(
        'missing-key',
        HERE,
        'the limit comes from a contact, and no contacts are written',
        'write for example contacts: [{ connection: tcp://10.0.0.9:502, input: discrete-input 0, limit: 4.2 kW }]',
      ),
    );
  if (!byContact && has(keys, 'contacts'))
    faults.push(
      errorAtKey(
        'unknown-key',
        [...HERE, 'contacts'],
        'contacts are written that from does not name',
        'add contact to from',
      ),
    );
  list(keys, 'contacts').forEach((contact, index) => {
    if (isSection(contact)) faults.push(...contactFaults([...HERE, 'contacts', index], contact, circuits));
  });
  return faults;
}

function contactFaults(path: Path, keys: Section, circuits: readonly string[]): readonly Fault[] {
  const faults = [...unknownCircuit(path, keys, circuits)];
  const name = `contact ${Number(path.at(-1)) + 1}`;
  if (has(keys, 'file')) {
    for (const key of ['connection', 'unit', 'input', ...LINE_KEYS])
      if (has(keys, key))
        faults.push(
          errorAtKey('unknown-key', [...path, key], `${name} is read from a file: it has no ${key}`, 'leave it out'),
        );
    return faults;
  }
  for (const [key, example] of [
    ['connection', 'tcp://10.0.0.9:502'],
    ['input', 'discrete-input 0'],
  ] as const)
    if (!has(keys, key))
      faults.push(
        errorAtKey('missing-key', path, `${name} has no ${key}`, `write for example ${key}: ${example}, or file:`),
      );
  return faults;
}

function unknownCircuit(path: Path, keys: Section, circuits: readonly string[]): readonly Fault[] {
  const circuit = text(keys, 'circuit');
  if (circuit === undefined || circuits.includes(circuit)) return [];
  return [
    errorAtValue(
      'unknown-circuit',
      [...path, 'circuit'],
      `the grid operator limits ${circuit}, which does not stand under circuits`,
      didYouMean(circuit, circuits, 'add it under circuits'),
    ),
  ];
}
