// The grid operator's limit of site.yaml as the model has it: power becomes current of each phase, never more than was meant.
import { circuitId } from '../gateway/kernel/ids.js';
import { ampere, watt, type Ampere, type Volt } from '../gateway/kernel/units.js';
import { currentOfLimit } from '../gateway/site/power-limit.js';
import {
  gridConnections,
  type Circuit,
  type Contact,
  type ContactInput,
  type GridOperatorLimit,
  type GridOperatorSource,
  type SerialLine,
} from '../gateway/site/topology.js';
import { parseQuantity } from './quantity.js';
import { documentedDefault } from './site-form.js';
import { connection } from './station-builder.js';
import { needed, one } from './values.js';
import { has, isSection, list, text, type Section } from './written.js';

const SOURCES = ['mqtt', 'csms', 'contact'] as const satisfies readonly GridOperatorSource[];

/**
 * @param nominal phase to neutral
 * @param lineOf what the serial line at an address is set to
 */
export function buildGridOperatorLimit(
  keys: Section,
  circuits: readonly Circuit[],
  nominal: Volt,
  lineOf: (connection: string) => SerialLine,
): GridOperatorLimit {
  const circuit = text(keys, 'circuit');
  const contacts = list(keys, 'contacts').filter(isSection);
  return {
    from: sourcesOf(keys).map((source) => one(SOURCES, source)),
    failsafe: limitOf(keys, 'failsafe', circuit, circuits, nominal),
    ...(circuit !== undefined && { circuit: circuitId(circuit) }),
    contacts: contacts.map((each, index): Contact => {
      const own = text(each, 'circuit');
      return {
        number: index + 1,
        limit: limitOf(each, 'limit', own ?? circuit, circuits, nominal),
        ...(own !== undefined && { circuit: circuitId(own) }),
        active: one(['closed', 'open'] as const, text(each, 'active') ?? documentedDefault('contact', 'active')),
        input: inputOf(each, lineOf),
      };
    }),
  };
}

/** As they are written: one word or a list; contacts that are written count where nothing else is said. */
export function sourcesOf(keys: Section): readonly string[] {
  if (!has(keys, 'from')) return has(keys, 'contacts') ? ['contact'] : ['mqtt'];
  const one = text(keys, 'from');
  return one === undefined ? list(keys, 'from').map(String) : [one];
}

function limitOf(
  keys: Section,
  key: string,
  circuit: string | undefined,
  circuits: readonly Circuit[],
  nominal: Volt,
): Ampere {
  const written = needed(keys, key);
  const current = parseQuantity(written, 'current');
  if (current.ok) return ampere(current.value);
  const power = parseQuantity(written, 'power');
  if (!power.ok) throw new Error(`${key} is neither a power nor a current in a site that was checked`);
  // A site with several connections has one circuit without a feeder for each: they are built alike.
  const meant = circuit ?? gridConnections(circuits)[0];
  const at = circuits.find(({ id }) => id === meant);
  return currentOfLimit({ power: watt(power.value) }, at, nominal);
}

function inputOf(keys: Section, lineOf: (connection: string) => SerialLine): ContactInput {
  const path = text(keys, 'file');
  if (path !== undefined) return { kind: 'file', path };
  const [, table = '', address, bit] = /^(\S+) (\d+)(?: bit (\d+))?$/.exec(needed(keys, 'input')) ?? [];
  return {
    kind: 'modbus',
    connection: connection(keys, lineOf(needed(keys, 'connection'))),
    unit: Number(text(keys, 'unit') ?? documentedDefault('contact', 'unit')),
    table: one(['coil', 'discrete-input', 'holding-register', 'input-register'] as const, table),
    address: Number(address),
    ...(bit !== undefined && { bit: Number(bit) }),
  };
}
