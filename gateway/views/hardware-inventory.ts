// The site's hardware as components of the device model: the station, its EVSEs and their connectors, by slot.
import type { ReportedVariable, StationIdentity } from '../ports/csms.js';
import type { LiveSite } from '../site/live-state.js';
import type { ConnectorStatus } from '../site/station-event.js';
import { numberOfPhases, wattsPerAmpere, type Connector, type Evse, type Phase, type Site } from '../site/topology.js';
import type { SlotRow, SlotTable } from './slots.js';

export interface HardwareContext {
  readonly site: Site;
  readonly slots: SlotTable;
  readonly live: LiveSite;
  readonly identity: StationIdentity;
  readonly stationStatus: ConnectorStatus;
  readonly connectorStatus: (row: SlotRow) => ConnectorStatus;
}

type Where = Pick<ReportedVariable, 'component' | 'evse' | 'connector'>;

const STATES = 'Available,Occupied,Reserved,Unavailable,Faulted';

/** ConnectorEnumStringType of the 2.0.1 appendices. */
const CONNECTOR_TYPES: Readonly<Record<Connector['type'], string>> = {
  Type1: 'cType1',
  Type2: 'sType2',
  CCS1: 'cCCS1',
  CCS2: 'cCCS2',
  CHAdeMO: 'cG105',
  NACS: 'cTesla',
  Schuko: 's309-1P-16A',
  Other: 'Unknown',
};

export function hardwareInventory(context: HardwareContext): readonly ReportedVariable[] {
  const { slots, identity } = context;
  const station = { component: 'ChargingStation' };
  const own = (variable: string, value: string): ReportedVariable => readOnly(station, variable, 'string', value);
  const evses = new Map<number, SlotRow[]>();
  for (const row of slots.rows) evses.set(row.slot.evse, [...(evses.get(row.slot.evse) ?? []), row]);
  return [
    state(station, context.stationStatus),
    own('VendorName', identity.vendor),
    own('Model', identity.model),
    own('SerialNumber', identity.serialNumber),
    own('FirmwareVersion', identity.firmwareVersion),
    ...[...evses].flatMap(([number, rows]) => evseVariables(number, rows, context)),
  ];
}

/** ConnectorPhaseRotation's word for the wiring: R, S and T are the grid's L1, L2 and L3 (1.6 section 9.1.8). */
function phaseRotation(evse: Evse): string {
  const letters: Readonly<Record<Phase, string>> = { L1: 'R', L2: 'S', L3: 'T' };
  if (!evse.rotationKnown) return '';
  return evse.phases.length === 3 ? evse.phases.map((phase) => letters[phase]).join('') : '';
}

function evseVariables(
  number: number,
  rows: readonly SlotRow[],
  context: HardwareContext,
): readonly ReportedVariable[] {
  const where = { component: 'EVSE', evse: number };
  const statuses = rows.map((row) => context.connectorStatus(row));
  const [first] = rows;
  const evse = first && context.slots.evse(first.evse);
  const station = evse && context.live.station(evse.station);
  const about = (variable: string, value: string | undefined): ReportedVariable[] =>
    value === undefined ? [] : [readOnly(where, variable, 'string', value)];
  return [
    flag(where, 'Available', evse !== undefined),
    state(where, evseState(statuses)),
    ...(evse === undefined ? [] : hardware(where, evse, context)),
    ...about('Manufacturer', station?.inventory?.vendor),
    ...about('Model', station?.inventory?.model),
    ...about('SerialNumber', station?.inventory?.serialNumber),
    ...about('FirmwareVersion', station?.inventory?.firmwareVersion),
    ...rows.flatMap((row) => connectorVariables(row, evse, context)),
  ];
}

function hardware(where: Where, evse: Evse, { site }: HardwareContext): readonly ReportedVariable[] {
  const power = Math.round(evse.maxCurrent * wattsPerAmpere(evse, site.nominalVoltage));
  return [
    flag(where, 'AllowReset', true),
    readOnly(where, 'SupplyPhases', 'integer', String(numberOfPhases(evse))),
    { ...readOnly(where, 'Power', 'decimal', '0'), unit: 'W', max: power },
    readOnly(where, 'PhaseRotation', 'string', phaseRotation(evse)),
  ];
}

function connectorVariables(
  row: SlotRow,
  evse: Evse | undefined,
  context: HardwareContext,
): readonly ReportedVariable[] {
  const where = { component: 'Connector', evse: row.slot.evse, connector: row.slot.connector };
  const connector = evse?.connectors.find(({ number }) => number === row.connector);
  return [
    flag(where, 'Available', connector !== undefined),
    state(where, context.connectorStatus(row)),
    readOnly(where, 'ConnectorType', 'string', CONNECTOR_TYPES[connector?.type ?? 'Other']),
    readOnly(where, 'SupplyPhases', 'integer', String(evse === undefined ? 0 : numberOfPhases(evse))),
    ...(evse === undefined ? [] : [readOnly(where, 'PhaseRotation', 'string', phaseRotation(evse))]),
  ];
}

/** The EVSE is as busy as its busiest connector; it is free while one of them is. */
function evseState(statuses: readonly ConnectorStatus[]): ConnectorStatus {
  const order: readonly ConnectorStatus[] = ['Occupied', 'Reserved', 'Available', 'Faulted', 'Unavailable'];
  return order.find((status) => statuses.includes(status)) ?? 'Unavailable';
}

function state(where: Where, status: ConnectorStatus): ReportedVariable {
  return { ...readOnly(where, 'AvailabilityState', 'OptionList', status), values: STATES };
}

function flag(where: Where, variable: string, value: boolean): ReportedVariable {
  return readOnly(where, variable, 'boolean', String(value));
}

function readOnly(
  where: Where,
  variable: string,
  dataType: ReportedVariable['dataType'],
  value: string,
): ReportedVariable {
  return { ...where, variable, dataType, value, mutability: 'ReadOnly' };
}
