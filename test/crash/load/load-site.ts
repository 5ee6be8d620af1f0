// The site.yaml of the crash harness.

/** @param evses of each OCPP charger; two of one charger are two EVSEs on one socket */
export const loadSite = (
  port: number,
  modbus: number,
  evses: readonly (readonly number[])[],
  wallbox: number,
  clouds: readonly { readonly url: string; readonly version: string }[],
): string => `site:
  id: SITE-01
  name: Crash
  time-zone: Europe/Amsterdam
  nominal-voltage: 230 V
circuits:
  main: { breaker: 250 A }
listen: { ocpp: '127.0.0.1:${port}' }
stations:
${evses
  .map(
    (numbers, index) => `  CP${index + 1}:
    circuit: main
    security-profile: 0
    evses:
${numbers.map(evse).join('\n')}`,
  )
  .join('\n')}
  WB1:
    device: alfen-eve-ng9xx
    connection: tcp://127.0.0.1:${modbus}
    circuit: main
    start: { free: DEPOT }
    evses:
${evse(wallbox)}
csms:
${['authority', 'observer']
  .map(
    (role, index) =>
      `  ${role}: { url: '${clouds[index]?.url}', ocpp: ${clouds[index]?.version}, role: ${role}, security-profile: 0 }`,
  )
  .join('\n')}
authorization: { offline: accept-unknown }
`;

const evse = (number: number): string =>
  `      - { number: ${number}, connector: Type2, max-current: 16 A, phases: L1 L2 L3, fallback-current: 6 A }`;
