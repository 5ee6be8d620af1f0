// A site on a disk that can be spoilt: the real gateway, a charger of each version that does not give up, and two CSMSs.
import { spawn } from 'node:child_process';
import type { Test } from 'tap';
import { crashSite } from '../crash/crash-site.js';
import { entryOf, IssuedIds, type Entry } from '../crash/ledger.js';
import { StubbornCharger } from '../crash/stubborn-charger.js';
import { Changes } from '../peers/changes.js';
import { freePort } from '../peers/free-port.js';
import { startGateway, type GatewayProcess } from '../peers/gateway-process.js';
import { RpcCsms } from '../peers/rpc-csms.js';
import type { OcppVersion, Payload } from '../peers/wire-record.js';

/** A gateway that waits for its disk asks it again after at most ten seconds. */
const PATIENCE = 40_000;

export interface DiskWorld {
  readonly changes: Changes;
  readonly gateway: GatewayProcess;
  readonly authority: RpcCsms;
  readonly observer: RpcCsms;
  readonly csmss: readonly RpcCsms[];
  readonly chargers: readonly StubbornCharger[];
  /** What a CSMS has heard of the transaction begun with this token. */
  heard(csms: RpcCsms, token: string): Entry;
  /** The newest status of the station as a whole that each CSMS was told. */
  stationStatus(csms: RpcCsms): string;
  /** Waits until both CSMSs were last told this of the station. */
  toldStation(status: 'Faulted' | 'Available'): Promise<void>;
  /** Both books hold one whole transaction with the charger's own registers. */
  checkVisit(t: Test, token: string, from: number): Promise<void>;
}

/** @param dataDirectory on the disk in question; the gateway makes its own beside the test otherwise */
export async function openDiskWorld(t: Test, dataDirectory: string | undefined, yaml = ''): Promise<DiskWorld> {
  const changes = new Changes();
  const authority = await RpcCsms.listen({ name: 'authority', version: 'ocpp1.6', changes });
  const observer = await RpcCsms.listen({ name: 'observer', version: 'ocpp2.0.1', changes });
  const csmss = [authority, observer];
  const issued = new IssuedIds(700);
  issued.serve(authority);
  const port = await freePort();
  const site = crashSite({ port, breaker: 125, maxCurrent: 32, chargers: [[1], [2]], authority, observer });
  const gateway = await startGateway(site + yaml, {
    changes,
    ...(dataDirectory !== undefined && { dataDirectory }),
  });
  const versions: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
  const gatewayUp = async (): Promise<void> => {
    const up = (): boolean => gateway.lines.filter(({ msg }) => msg === 'gateway is up').length > gateway.exits.length;
    await changes.until('the gateway to be up', up, PATIENCE);
  };
  const chargers = versions.map(
    (version, index) =>
      new StubbornCharger({ identity: `CP${index + 1}`, version, port, changes, gatewayUp, sending: () => undefined }),
  );
  t.teardown(async () => {
    for (const { peer } of chargers) await peer.drop();
    await gateway.remove();
    for (const csms of csmss) await csms.stop();
  });
  for (const charger of chargers) await charger.boot();
  await changes.until('every connector to be known', () =>
    csmss.every(({ book }) => chargers.every((_, index) => book.status(index + 1) !== undefined)),
  );

  const world: DiskWorld = {
    changes,
    gateway,
    authority,
    observer,
    csmss,
    chargers,
    heard: (csms, token) => entryOf(csms, token, issued),
    stationStatus: (csms) => csms.calls.flatMap(({ payload }) => stationStatusIn(payload)).at(-1) ?? 'Available',
    async toldStation(status) {
      for (const csms of csmss)
        await changes.until(
          `the ${csms.record.peer} to be told that the station is ${status}`,
          () => world.stationStatus(csms) === status,
          PATIENCE,
        );
    },
    async checkVisit(t, token, from) {
      for (const csms of csmss) {
        const name = `${token} at the ${csms.record.peer}`;
        await changes.until(`the end of ${name}`, () => world.heard(csms, token).ended, PATIENCE);
        const { faults, meterStart, meterStop } = world.heard(csms, token);
        t.same(faults, [], `${name}: one transaction, in order, without a gap`);
        t.same([meterStart, meterStop], [from, from + 700], `${name}: the charger's registers`);
      }
    },
  };
  return world;
}

/** 1.6: StatusNotification of connector 0; 2.0.1: NotifyEvent of ChargingStation.AvailabilityState. */
function stationStatusIn(payload: Payload): readonly string[] {
  if (payload['connectorId'] === 0) return [String(payload['status'])];
  const events = (payload['eventData'] ?? []) as readonly {
    readonly component: { readonly name: string };
    readonly variable: { readonly name: string };
    readonly actualValue: string;
  }[];
  return events.flatMap(({ component, variable, actualValue }) =>
    component.name === 'ChargingStation' && variable.name === 'AvailabilityState' ? [actualValue] : [],
  );
}

/**
 * Lets system calls of a running process fail until the answer is called.
 * @param inject as strace writes it: `fdatasync:error=EIO`
 */
export async function failing(t: Test, pid: number, inject: string): Promise<() => Promise<void>> {
  const calls = inject.split(':')[0] ?? '';
  const strace = spawn('strace', ['-f', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${inject}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => strace.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    strace.once('exit', (code) => reject(new Error(`strace ended with ${code}`)));
    // Every thread is told of; the newest of them, SQLite's among them, are there when the first is.
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('attached')) resolve();
    });
  });
  const stop = async (): Promise<void> => {
    strace.kill('SIGINT');
    await ended;
  };
  t.teardown(stop);
  return stop;
}
