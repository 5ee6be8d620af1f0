// The site.yaml of tests in which something dies: chargers without passwords on one circuit, perhaps a Modbus one, and two CSMSs.
import type { OcppVersion } from '../peers/wire-record.js';

export interface CrashSite {
  readonly port: number;
  /** In ampere: of the circuit, and of each EVSE. */
  readonly breaker: number;
  readonly maxCurrent: number;
  /** EVSEs of each OCPP charger; two of one charger are two EVSEs on one socket. */
  readonly chargers: readonly (readonly number[])[];
  /** A Modbus charger that starts for everybody. */
  readonly wallbox?: { readonly port: number; readonly evse: number };
  readonly authority: { readonly url: string; readonly version: OcppVersion };
  readonly observer: { readonly url: string; readonly version: OcppVersion };
}

export function crashSite(site: CrashSite): string {
  const { port, breaker, maxCurrent, chargers, wallbox } = site;
  const evse = (number: number): string =>
    `      - { number: ${number}, connector: Type2, max-current: ${maxCurrent} A, phases: L1 L2 L3, fallback-current: 6 A }`;
  const stations = chargers.map(
    (numbers, index) => `  CP${index + 1}:
    circuit: main
    security-profile: 0
    evses:
${numbers.map(evse).join('\n')}`,
  );
  if (wallbox !== undefined)
    stations.push(`  WB1:
    device: alfen-eve-ng9xx
    connection: tcp://127.0.0.1:${wallbox.port}
    circuit: main
    start: { free: DEPOT }
    evses:
${evse(wallbox.evse)}`);
  const csms = (role: 'authority' | 'observer'): string =>
    `  ${role}: { url: '${site[role].url}', ocpp: ${site[role].version.slice('ocpp'.length)}, role: ${role}, security-profile: 0 }`;
  return `site:
  id: SITE-01
  name: Crash
  time-zone: Europe/Amsterdam
  nominal-voltage: 230 V
circuits:
  main: { breaker: ${breaker} A }
listen: { ocpp: '127.0.0.1:${port}' }
stations:
${stations.join('\n')}
csms:
${csms('authority')}
${csms('observer')}
`;
}
