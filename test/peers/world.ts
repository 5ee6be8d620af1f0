// A whole world for one journey: chargers, the real gateway, an authority and an observer, and the rules that hold at its end.
import type { Test } from 'tap';
import { BillReader } from './bill-reader.js';
import { Changes } from './changes.js';
import type { BookedTransaction } from './csms-book.js';
import { freePort } from './free-port.js';
import { startGateway, type GatewayProcess } from './gateway-process.js';
import { RpcCharger, type ChargerOptions } from './rpc-charger.js';
import { RpcCsms } from './rpc-csms.js';
import type { OcppVersion } from './wire-record.js';

export interface WorldOptions {
  /** Version of each charger: CP1, CP2 ... at EVSE 1, 2 ... */
  readonly chargers: readonly OcppVersion[];
  readonly authority: OcppVersion;
  /** Of a second CSMS that only looks on. */
  readonly observer?: OcppVersion;
  /** Of a CSMS that may only cap the site. */
  readonly limiter?: OcppVersion;
  /** Address of a broker elsewhere. */
  readonly broker?: string;
  /** More of site.yaml: `authorization`, `tariff` ... */
  readonly yaml?: string;
  /** Of each charger, in clear text; without them nobody has to prove anything. */
  readonly stationPasswords?: readonly string[];
  /** Seconds, that every CSMS asks for at boot. */
  readonly heartbeatInterval?: number;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
}

export interface World {
  readonly changes: Changes;
  readonly gateway: GatewayProcess;
  readonly authority: RpcCsms;
  /** The second CSMS. @throws Error when the world has none */
  readonly observer: RpcCsms;
  /** The CSMS that may only cap the site. */
  readonly limiter: RpcCsms | undefined;
  readonly csmss: readonly RpcCsms[];
  /** The charge detail records that the site keeps for itself. */
  readonly bills: BillReader;
  /** Where chargers connect. */
  readonly port: number;
  readonly chargers: readonly RpcCharger[];
  charger(number: number): RpcCharger;
  /** Another charger with the identity of an existing one, or of nobody. */
  stranger(options: Partial<ChargerOptions> & Pick<ChargerOptions, 'identity' | 'version'>): RpcCharger;
  /** Waits until the CSMSs have booted the gateway and been told all statuses. */
  ready(): Promise<void>;
  /** Connects and boots a charger, and waits until its set-up is through. */
  powerUp(number: number): Promise<RpcCharger>;
}

const short = (version: OcppVersion): string => version.slice('ocpp'.length);

/** Starts it all; what is left at the end of the test is checked and removed by itself. */
export async function openWorld(t: Test, options: WorldOptions): Promise<World> {
  const changes = new Changes();
  const { heartbeatInterval = 300 } = options;
  const authority = await RpcCsms.listen({ name: 'authority', version: options.authority, changes, heartbeatInterval });
  const observer =
    options.observer &&
    (await RpcCsms.listen({
      name: 'observer',
      version: options.observer,
      changes,
      heartbeatInterval,
      firstTransactionId: 90_001,
    }));
  const limiter =
    options.limiter &&
    (await RpcCsms.listen({ name: 'limiter', version: options.limiter, changes, heartbeatInterval }));
  const port = await freePort();
  const brokerPort = await freePort();
  const csmss = [authority, ...(observer ? [observer] : []), ...(limiter ? [limiter] : [])];
  const gateway = await startGateway(siteYaml(options, { port, brokerPort, csmss }), {
    changes,
    env: Object.fromEntries(
      (options.stationPasswords ?? []).map((password, index) => [`CP${index + 1}_PASSWORD`, password]),
    ),
    logLevel: options.logLevel ?? 'info',
  });
  const chargers = options.chargers.map((version, index) => {
    const password = options.stationPasswords?.[index];
    return new RpcCharger({
      identity: `CP${index + 1}`,
      version,
      port,
      changes,
      register: 1000 * (index + 1),
      ...(password !== undefined && { password }),
    });
  });
  const strangers: RpcCharger[] = [];
  const bills = await BillReader.connect(brokerPort, changes);

  t.teardown(async () => {
    for (const charger of [...chargers, ...strangers]) await charger.drop();
    await bills.close();
    await gateway.remove();
    for (const csms of csmss) await csms.stop();
  });

  const world: World = {
    changes,
    gateway,
    authority,
    limiter,
    csmss,
    bills,
    port,
    chargers,
    get observer() {
      if (observer === undefined) throw new Error('there is no observer');
      return observer;
    },
    charger(number) {
      const charger = chargers[number - 1];
      if (charger === undefined) throw new Error(`there is no charger ${number}`);
      return charger;
    },
    stranger(wanted) {
      const charger = new RpcCharger({ port, changes, ...wanted });
      strangers.push(charger);
      return charger;
    },
    async ready() {
      for (const csms of csmss)
        await changes.until(`${csms.record.peer} to know every connector`, () =>
          chargers.every((_, index) => csms.book.status(index + 1) !== undefined),
        );
    },
    async powerUp(number) {
      const charger = world.charger(number);
      await charger.powerUp();
      await charger.act.available();
      await changes.until(`${charger.identity} to be set up`, () =>
        [...charger.act.settings.entries()].some(
          ([key, value]) => /TxUpdatedMeasurands|MeterValuesSampledData/.test(key) && value.includes('SoC'),
        ),
      );
      return charger;
    },
  };
  return world;
}

interface Addresses {
  readonly port: number;
  readonly brokerPort: number;
  readonly csmss: readonly RpcCsms[];
}

function siteYaml(options: WorldOptions, { port, brokerPort, csmss }: Addresses): string {
  const stations = options.chargers.map(
    (_, index) => `  CP${index + 1}:
    circuit: main
    ${options.stationPasswords ? `password: { env: CP${index + 1}_PASSWORD }` : 'security-profile: 0'}
    evses:
      - { number: ${index + 1}, connector: Type2, max-current: 32 A, phases: L1 L2 L3, fallback-current: 16 A }`,
  );
  // Each is called by its role.
  const csms = ({ url, version, record: { peer } }: RpcCsms): string =>
    `  ${peer}: { url: '${url}', ocpp: ${short(version)}, role: ${peer}, security-profile: 0 }`;
  const broker = options.broker === undefined ? '' : `, broker: { url: '${options.broker}' }`;
  return `site:
  id: SITE-01
  name: Journey
  time-zone: Europe/Amsterdam
  nominal-voltage: 230 V
circuits:
  main: { breaker: 125 A }
listen: { ocpp: '127.0.0.1:${port}' }
stations:
${stations.join('\n')}
csms:
${csmss.map(csms).join('\n')}
telemetry: { local-broker: { listen: '127.0.0.1:${brokerPort}' }${broker} }
${options.yaml ?? ''}
`;
}

/** The rules of every journey: frames, message ids, registers and sequence numbers, and that nobody crashed. */
export function checkSound(t: Test, world: World): void {
  const faults = [...world.csmss, ...world.chargers].flatMap(({ record }) => record.faults);
  t.same(faults, [], 'every frame is valid, in turn, and under an id of its own');
  for (const csms of world.csmss) t.same(csms.book.faults(), [], `the book of the ${csms.record.peer} is sound`);
  const open = world.chargers.filter(({ act }) => act.transaction !== undefined).length;
  for (const csms of world.csmss)
    t.equal(csms.book.open().length, open, `what is open for the ${csms.record.peer} is open at a charger`);
  const errors = world.gateway.lines.filter(({ level }) => level >= 50);
  t.same(errors, [], 'the gateway logged no error');
}

/** The meter, both books and the bill agree about a transaction that has ended. */
export async function checkEnergy(
  t: Test,
  world: World,
  slot: number,
  expected: { readonly from: number; readonly to: number },
): Promise<readonly BookedTransaction[]> {
  const { from, to } = expected;
  const bill = await world.changes.until('the bill', () => {
    const latest = world.bills.latest(slot);
    return latest?.meterStop_Wh === to && latest;
  });
  t.match(bill, { meterStart_Wh: from, meterStop_Wh: to, energy_Wh: to - from, estimated: false }, 'the bill');
  return world.csmss.map((csms) => {
    const booked = csms.book.latest(slot);
    if (booked === undefined) throw new Error(`the ${csms.record.peer} has no transaction on ${slot}`);
    t.match(booked, { ended: true, meterStart: from, meterStop: to }, csms.record.peer);
    return booked;
  });
}
