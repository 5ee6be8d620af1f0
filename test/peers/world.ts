// A whole world for one journey: chargers, the real gateway, an authority and an observer, and the rules that hold at its end.
import type { Test } from 'tap';
import { BillReader } from './bill-reader.js';
import { Changes } from './changes.js';
import { grantsOf, meteredVisits } from './charger-visits.js';
import type { BookedTransaction } from './csms-book.js';
import { freePort } from './free-port.js';
import { startInnerGateway, type LeapingClock } from './inner-gateway.js';
import { broken, type Evidence } from './invariants.js';
import { readJournal } from './journal-reader.js';
import { startGateway, type GatewayProcess } from './gateway-process.js';
import { RpcCharger, type ChargerOptions } from './rpc-charger.js';
import { RpcCsms } from './rpc-csms.js';
import type { OcppVersion } from './wire-record.js';

export interface WorldOptions {
  /** Version of each charger: CP1, CP2 ... at EVSE 1, 2 ... */
  readonly chargers: readonly OcppVersion[];
  readonly authority: OcppVersion;
  /** Of each charger, in place of `phases: L1 L2 L3`: more keys of its EVSE, as in site.yaml. */
  readonly evseKeys?: readonly string[];
  /** Chargers can switch phases. */
  readonly phaseSwitching?: boolean;
  /** More of `stations`, indented by two. */
  readonly stations?: string;
  /** Of a second CSMS that only looks on. */
  readonly observer?: OcppVersion;
  /** Of a CSMS that may only cap the site. */
  readonly limiter?: OcppVersion;
  /** Address of a broker elsewhere. */
  readonly broker?: string;
  /** More keys of it, as in site.yaml: `username`, `password`. */
  readonly brokerKeys?: string;
  /** More of site.yaml: `authorization`, `tariff` ... */
  readonly yaml?: string;
  /** Of each charger, in clear text; without them nobody has to prove anything. */
  readonly stationPasswords?: readonly string[];
  /** Seconds, that every CSMS asks for at boot. */
  readonly heartbeatInterval?: number;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** The box begins in 1970, and the uplink is down: nobody can tell it the time. */
  readonly lostInTime?: boolean;
  /** Runs the gateway in this process, by this clock. */
  readonly clock?: LeapingClock;
  /** Runs before the gateway starts: scripts for its first BootNotification. */
  readonly prepare?: (authority: RpcCsms, observer: RpcCsms | undefined) => void;
  /** Where the operator asks the gateway; nowhere unless given. */
  readonly consolePort?: number;
  /** Its id; SITE-01 unless given. */
  readonly site?: string;
  /** Of the gateway's process, beside the passwords. */
  readonly env?: Readonly<Record<string, string>>;
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
  /** Those made by `stranger`. */
  readonly strangers: readonly RpcCharger[];
  charger(number: number): RpcCharger;
  /** Another charger with the identity of an existing one, or of nobody. */
  stranger(options: Partial<ChargerOptions> & Pick<ChargerOptions, 'identity' | 'version'>): RpcCharger;
  /** Waits until the CSMSs have booted the gateway and been told all statuses. */
  ready(): Promise<void>;
  /** Connects and boots a charger, and waits until its set-up is through. */
  powerUp(number: number): Promise<RpcCharger>;
}

/** Of the only circuit, in A. */
const BREAKER = 125;

const short = (version: OcppVersion): string => version.slice('ocpp'.length);

/** Starts it all; what is left at the end of the test is checked and removed by itself. */
export async function openWorld(t: Test, options: WorldOptions): Promise<World> {
  const changes = new Changes();
  const strangers: RpcCharger[] = [];
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
  if (options.lostInTime === true) for (const csms of csmss) await csms.stop();
  options.prepare?.(authority, observer);
  const yaml = siteYaml(options, { port, brokerPort, csmss });
  const gateway = options.clock
    ? await startInnerGateway(yaml, options.clock, changes)
    : await startGateway(yaml, {
        changes,
        env: {
          ...options.env,
          ...Object.fromEntries(
            (options.stationPasswords ?? []).map((password, index) => [`CP${index + 1}_PASSWORD`, password]),
          ),
        },
        ...(options.consolePort !== undefined && { consolePort: options.consolePort }),
        logLevel: options.logLevel ?? 'info',
        withoutClock: options.lostInTime ?? false,
      });
  const chargers = options.chargers.map((version, index) => {
    const password = options.stationPasswords?.[index];
    return new RpcCharger({
      identity: `CP${index + 1}`,
      version,
      port,
      changes,
      register: 1000 * (index + 1),
      phaseSwitching: options.phaseSwitching ?? false,
      ...(password !== undefined && { password }),
    });
  });
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
    strangers,
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
      - { number: ${index + 1}, connector: Type2, max-current: 32 A, ${options.evseKeys?.[index] ?? 'phases: L1 L2 L3'}, fallback-current: 16 A }`,
  );
  if (options.stations !== undefined) stations.push(options.stations);
  // Each is called by its role.
  const csms = ({ url, version, record: { peer } }: RpcCsms): string =>
    `  ${peer}: { url: '${url}', ocpp: ${short(version)}, role: ${peer}, security-profile: 0 }`;
  const broker =
    options.broker === undefined
      ? ''
      : `, broker: { url: '${options.broker}'${options.brokerKeys === undefined ? '' : `, ${options.brokerKeys}`} }`;
  return `site:
  id: ${options.site ?? 'SITE-01'}
  name: Journey
  time-zone: Europe/Amsterdam
  nominal-voltage: 230 V
circuits:
  main: { breaker: ${BREAKER} A }
listen: { ocpp: '127.0.0.1:${port}' }
stations:
${stations.join('\n')}
csms:
${csmss.map(csms).join('\n')}
telemetry: { local-broker: { listen: '127.0.0.1:${brokerPort}' }${broker} }
${options.yaml ?? ''}
`;
}

/**
 * Ends the gateway and looks at everything there is: the seven rules, the books, and that nobody logged an error.
 * @param expectedErrors messages of log lines that the journey has provoked
 */
export async function checkSound(t: Test, world: World, expectedErrors: readonly RegExp[] = []): Promise<void> {
  await world.gateway.stop();
  t.same(broken(evidenceOf(world)), [], 'I1 to I7 hold');
  for (const csms of world.csmss) t.same(csms.book.faults(), [], `the book of the ${csms.record.peer} is sound`);
  const errors = world.gateway.lines.filter(
    ({ level, msg }) => level >= 50 && !expectedErrors.some((expected) => expected.test(msg)),
  );
  t.same(errors, [], 'the gateway logged no error');
}

function evidenceOf(world: World): Evidence {
  const journal = readJournal(world.gateway.dataDirectory);
  const chargers = [...world.chargers, ...world.strangers];
  return {
    wireFaults: [...world.csmss, ...chargers].flatMap(({ record }) => record.faults),
    chargers: world.chargers.map(({ identity }, index) => {
      const own = chargers.filter((charger) => charger.identity === identity);
      return {
        evse: index + 1,
        visits: own.flatMap(({ version, record }) => meteredVisits(version, record)),
        grants: own.flatMap(({ record }) => grantsOf(record)),
      };
    }),
    journal: journal.transactions,
    csmss: world.csmss.map(({ record, book }) => ({
      name: record.peer,
      transactions: [...book.transactions.values()],
      deadLetters: journal.deadLetters(record.peer),
      behind: journal.behind(record.peer),
    })),
    cap: BREAKER,
  };
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
