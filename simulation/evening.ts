// Every EVSE does one visit, some of them with the uplink cut, and at the end all books are compared.
import type { Clock } from '../gateway/kernel/clock.js';
import { evseNumber, type EvseNumber } from '../gateway/kernel/ids.js';
import { seconds } from '../gateway/kernel/units.js';
import { compareBooks, type BilledVisit, type Difference } from './compare-books.js';
import { listenToSite } from './event-ear.js';
import { operatorDesk } from './operator-desk.js';
import type { SimulatedSite } from './site.js';
import { Visit, type UplinkLoss, type VisitReport } from './visit.js';
import { pause, until } from './wait.js';

/** What the simulation sees of the gateway that runs on it. */
export interface GatewayUnderTest {
  /** Every charge detail record that it keeps. */
  bills(): Promise<readonly BilledVisit[]>;
  readonly ocppPort: number;
  readonly brokerPort: number;
  readonly topicRoot: string;
  views(): readonly {
    readonly csms: string;
    readonly queued: number;
    readonly inFlight: boolean;
    readonly dead: number;
  }[];
  /** Every station is there and every cloud has accepted the site. */
  settled(): boolean;
}

export interface EveningReport {
  readonly ok: boolean;
  readonly authority: string;
  readonly visits: readonly VisitReport[];
  readonly csms: readonly {
    readonly name: string;
    readonly ocpp: string;
    readonly role: string;
    readonly transactions: number;
    readonly energy: number;
    readonly repeated: number;
    readonly waiting: number;
    readonly deadLetters: number;
  }[];
  readonly circuits: readonly {
    readonly circuit: string;
    readonly breaker: number;
    readonly highest: Readonly<Record<'L1' | 'L2' | 'L3', number>>;
    /** Ampere seconds above the breaker's rating in one go. */
    readonly overload: number;
  }[];
  readonly differences: readonly Difference[];
}

export interface EveningOptions {
  /** Clock seconds of energy in each visit. */
  readonly charge: number;
  /** How the uplink fails, by EVSE; those that are not listed keep it. */
  readonly uplink: ReadonlyMap<EvseNumber, UplinkLoss>;
  /** Told what is going on. */
  readonly progress: (text: string) => void;
}

/** One protocol each: started offline, stopped offline, and all of it offline. */
export const DEMO_UPLINK_LOSSES: EveningOptions['uplink'] = new Map([
  [evseNumber(1), 'both offline'],
  [evseNumber(3), 'stopped offline'],
  [evseNumber(5), 'started offline'],
  [evseNumber(7), 'stopped offline'],
]);

/** What a breaker bears for ever is 1.0 of its rating; a lift's start may go over it for this many ampere seconds. */
const BEARABLE_OVERLOAD = 20;
const SETTLING = 240;

export async function runEvening(
  simulated: SimulatedSite,
  gateway: GatewayUnderTest,
  clock: Clock,
  options: EveningOptions,
): Promise<EveningReport> {
  const { site } = simulated;
  const role = site.csms.find((csms) => csms.role === 'authority');
  const authority = role && simulated.csms.get(role.id);
  if (role === undefined || authority === undefined) throw new Error('a site needs an authority to reserve at');
  const ear = await listenToSite(gateway.brokerPort, gateway.topicRoot);
  simulated.connect(gateway.ocppPort);
  options.progress('waiting for chargers and clouds');
  const settled = await until(clock, SETTLING, () => gateway.settled());

  const losing = gate();
  const returning = gate();
  let up = true;
  const uplink = {
    get up() {
      return up;
    },
    lost: losing.opened,
    back: returning.opened,
  };
  const visits = [...simulated.world.evses.keys()].map((evse, i) => {
    const token = `DRIVER${String(i + 1).padStart(2, '0')}`;
    const plan = { number: i + 1, evse, token, uplink: options.uplink.get(evse) ?? 'none', charge: options.charge };
    return new Visit(plan, { simulated, authority, ear, clock, uplink });
  });

  options.progress('visits begin');
  await operatorDesk(authority.csms).sendCards(
    visits.map(({ plan }) => plan.token),
    1,
  );
  const running = visits.map(async (visit) => ({ visit, done: await visit.run() }));
  await Promise.all(
    visits.map(async (visit, i) => {
      await visit.held;
      if (visit.plan.uplink === 'none') await running[i];
      else if (visit.plan.uplink === 'stopped offline') await visit.charging;
    }),
  );
  if (options.uplink.size > 0) {
    options.progress('the uplink is cut');
    for (const server of simulated.csms.values()) await server.cutUplink();
    up = false;
    await pause(clock, seconds(5));
    losing.open();
    await Promise.all(
      visits.map(async (visit, i) => (visit.plan.uplink === 'started offline' ? visit.charging : running[i])),
    );
    for (const server of simulated.csms.values()) await server.restoreUplink();
    options.progress('the uplink is back');
    await until(clock, SETTLING, () => [...simulated.csms.values()].every(({ csms }) => csms.connected));
    up = true;
    returning.open();
  }
  await Promise.all(running);
  options.progress('waiting until every cloud has everything');
  const delivered = await until(clock, SETTLING, () =>
    gateway.views().every(({ queued, inFlight, dead }) => queued - dead <= 0 && !inFlight),
  );
  await pause(clock, seconds(2));
  await ear.stop();

  const bills = await gateway.bills();
  const views = gateway.views();
  const clouds = site.csms.flatMap((csms) => {
    const server = simulated.csms.get(csms.id);
    if (server === undefined) return [];
    const deadLetters = views.find((view) => view.csms === csms.id)?.dead ?? 0;
    return [{ csms, name: csms.id, book: server.csms.book, usesUid: csms.ocpp === '2.0.1', deadLetters }];
  });
  const differences: Difference[] = [
    ...(settled ? [] : [{ where: 'site', what: 'not every charger and cloud was there in time' }]),
    ...(delivered ? [] : [{ where: 'gateway', what: 'a queue never emptied' }]),
    ...compareBooks(
      visits.map((visit) => visit.truth()),
      bills,
      clouds,
    ),
  ];
  const reports = visits.map((visit) => visit.report());
  const circuits = simulated.world.circuits().map(({ circuit, highest, worstOverload }) => ({
    circuit: circuit.id,
    breaker: circuit.breaker,
    highest: { L1: tenth(highest.L1), L2: tenth(highest.L2), L3: tenth(highest.L3) },
    overload: tenth(worstOverload),
  }));
  return {
    ok:
      differences.length === 0 &&
      reports.every(({ ok }) => ok) &&
      circuits.every(({ overload }) => overload <= BEARABLE_OVERLOAD),
    authority: `${role.id} (${role.ocpp})`,
    visits: reports,
    csms: clouds.map(({ csms, name, book, deadLetters }) => {
      const booked = [...book.transactions.values()];
      return {
        name,
        ocpp: csms.ocpp,
        role: csms.role,
        transactions: booked.length,
        energy: booked.reduce((sum, { meterStart, meterStop }) => sum + ((meterStop ?? 0) - (meterStart ?? 0)), 0),
        repeated: booked.reduce((sum, { repeated }) => sum + repeated, 0),
        waiting: views.find((view) => view.csms === name)?.queued ?? 0,
        deadLetters,
      };
    }),
    circuits,
    differences,
  };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** A promise with its key outside. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
