// Draws a site in a terminal: every EVSE, every circuit against its breaker, every cloud's queue.
import { PHASES, type PerPhase } from '../gateway/site/topology.js';
import type { Ampere } from '../gateway/kernel/units.js';

export interface SitePicture {
  readonly title: string;
  /** Where the console's page is looked at; absent: it has none. */
  readonly page: string | undefined;
  /** Seconds since the start, in clock time. */
  readonly elapsed: number;
  readonly uplink: boolean;
  readonly evses: readonly {
    readonly evse: number;
    readonly station: string;
    readonly protocol: string;
    readonly status: string;
    readonly car: string | undefined;
    readonly current: PerPhase<Ampere>;
    /** What the gateway allows, in A; absent: nothing told. */
    readonly limit: number | undefined;
    /** Of the running or last transaction. */
    readonly kiloWattHours: number | undefined;
  }[];
  readonly circuits: readonly {
    readonly circuit: string;
    readonly breaker: number;
    readonly current: PerPhase<Ampere>;
    readonly charging: PerPhase<Ampere>;
  }[];
  readonly csms: readonly {
    readonly name: string;
    readonly ocpp: string;
    readonly role: string;
    readonly accepted: boolean;
    readonly queued: number;
    readonly dead: number;
  }[];
}

const BAR = 24;
const ESC = String.fromCharCode(27);
/** Home the cursor, and clear what is left of the line and below. */
export const HOME = `${ESC}[H`;
const TO_LINE_END = `${ESC}[K`;
const BELOW = `${ESC}[J`;
export const CLEAR = `${ESC}[2J${ESC}[H${ESC}[?25l`;
export const SHOW_CURSOR = `${ESC}[?25h`;

const amperes = (current: PerPhase<Ampere>): string =>
  PHASES.map((phase) => current[phase].toFixed(1).padStart(5)).join('');

/** `#` chargers, `=` the building, `!` above the breaker. */
export function bar(charging: number, total: number, breaker: number): string {
  const cells = (value: number): number => Math.max(0, Math.min(BAR, Math.round((value / breaker) * BAR)));
  const all = cells(total);
  const building = cells(total - charging);
  const text = '='.repeat(building) + '#'.repeat(Math.max(0, all - building)) + '.'.repeat(BAR - all);
  return `${text}${total > breaker ? '!' : '|'}`;
}

export function drawSite(picture: SitePicture): readonly string[] {
  const { title, page, elapsed, uplink, evses, circuits, csms } = picture;
  const lines = [
    `${title}   ${clockText(elapsed)}   uplink ${uplink ? 'up' : 'DOWN'}`,
    ...(page === undefined ? [] : [`the console's page: ${page}`]),
    '',
    'EVSE station protocol   status       car               L1   L2   L3 A  limit     kWh',
  ];
  for (const { evse, station, protocol, status, car, current, limit, kiloWattHours } of evses) {
    lines.push(
      `${String(evse).padStart(4)} ${station.padEnd(7)} ${protocol.padEnd(10)} ${status.padEnd(12)} ` +
        `${(car ?? '').padEnd(14)} ${amperes(current)}  ${(limit === undefined ? '-' : `${limit.toFixed(1)}`).padStart(5)} ` +
        (kiloWattHours === undefined ? '' : kiloWattHours.toFixed(3)).padStart(7),
    );
  }
  lines.push('', `circuit  breaker  ${PHASES.map((phase) => phase.padEnd(BAR + 9)).join('')}`);
  for (const { circuit, breaker, current, charging } of circuits) {
    const bars = PHASES.map(
      (phase) => `${bar(charging[phase], current[phase], breaker)} ${current[phase].toFixed(1).padStart(5)}  `,
    );
    lines.push(`${circuit.padEnd(8)} ${`${breaker} A`.padStart(6)}   ${bars.join('')}`);
  }
  lines.push('');
  for (const { name, ocpp, role, accepted, queued, dead } of csms) {
    const link = accepted ? 'online' : 'OFFLINE';
    const trouble = dead > 0 ? `, ${dead} given up` : '';
    lines.push(
      `${name.padEnd(9)} OCPP ${ocpp.padEnd(5)} ${role.padEnd(9)} ${link.padEnd(7)} ${queued} waiting${trouble}`,
    );
  }
  lines.push('', '# chargers  = building  ! above the breaker           Ctrl-C ends the demo');
  return lines;
}

/** The whole screen, drawn over the last one without a flicker. */
export const onScreen = (lines: readonly string[], columns: number): string =>
  `${HOME}${lines.map((line) => `${line.slice(0, columns)}${TO_LINE_END}\n`).join('')}${BELOW}`;

/** One line for a log. */
export function inOneLine({ elapsed, uplink, evses, circuits, csms }: SitePicture): string {
  const active = evses
    .filter(({ car }) => car !== undefined)
    .map(({ evse, current, limit }) => {
      const most = Math.max(...PHASES.map((phase) => current[phase]));
      return `${evse}:${most.toFixed(0)}/${limit === undefined ? '-' : limit.toFixed(0)}A`;
    });
  const loads = circuits.map(({ circuit, breaker, current }) => {
    const most = Math.max(...PHASES.map((phase) => current[phase]));
    return `${circuit} ${most.toFixed(0)}/${breaker}A`;
  });
  const queues = csms.map(({ name, accepted, queued }) => `${name} ${accepted ? 'online' : 'offline'} ${queued}`);
  return `${clockText(elapsed)} uplink ${uplink ? 'up' : 'down'} | ${active.join(' ') || 'no cars'} | ${loads.join(', ')} | ${queues.join(', ')}`;
}

function clockText(elapsed: number): string {
  const part = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${part(elapsed / 3600)}:${part((elapsed / 60) % 60)}:${part(elapsed % 60)}`;
}
