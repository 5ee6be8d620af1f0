// Writes the site.yaml of the bench: N chargers on sub-distributions of 50, a 1.6 authority and a 2.0.1 observer.
import { identityOf } from './charger.js';

export interface BenchSite {
  readonly chargers: number;
  readonly port: number;
  readonly authority: number;
  readonly observer: number;
  readonly dataDirectory: string;
}

const PER_CIRCUIT = 50;
/** The biggest breaker that site.yaml takes, in ampere. */
const MOST = 6300;
const TURNED = ['L1 L2 L3', 'L2 L3 L1', 'L3 L1 L2'];

export function benchSite({ chargers, port, authority, observer, dataDirectory }: BenchSite): string {
  const circuits = Math.ceil(chargers / PER_CIRCUIT);
  const lines = [
    'site: { id: BENCH-01, name: Bench, time-zone: Europe/Amsterdam, nominal-voltage: 230 V }',
    `data-directory: ${dataDirectory}`,
    'console: { listen: none }',
    `listen: { ocpp: 127.0.0.1:${port} }`,
    'circuits:',
    `  main: { breaker: ${Math.min(MOST, circuits * 500)} A, accept-fallback-overload: true }`,
  ];
  for (let i = 1; i <= circuits; i++) lines.push(`  deck-${i}: { fed-by: main, breaker: 500 A }`);
  lines.push('stations:');
  for (let i = 1; i <= chargers; i++) {
    lines.push(
      `  ${identityOf(i)}: { circuit: deck-${Math.ceil(i / PER_CIRCUIT)}, security-profile: 0, evses: [` +
        `{ number: ${i}, connector: Type2, max-current: 16 A, phases: ${TURNED[i % TURNED.length]}, fallback-current: 6 A }] }`,
    );
  }
  lines.push(
    'csms:',
    `  operator: { url: "ws://127.0.0.1:${authority}/ocpp", ocpp: 1.6, role: authority, security-profile: 0 }`,
    `  landlord: { url: "ws://127.0.0.1:${observer}/ocpp", ocpp: 2.0.1, role: observer, security-profile: 0 }`,
  );
  return `${lines.join('\n')}\n`;
}
