// A site whose gateway is killed: chargers of three kinds that do not give up, and two CSMSs that write down everything.
import type { Test } from 'tap';
import type { SimulatedCharger } from '../adapters/station-modbus/charger-bench.js';
import { Changes } from '../peers/changes.js';
import { freePort } from '../peers/free-port.js';
import { startGateway, type GatewayProcess } from '../peers/gateway-process.js';
import { RpcCsms } from '../peers/rpc-csms.js';
import type { OcppVersion } from '../peers/wire-record.js';
import { startAlfen } from './alfen.js';
import { crashSite } from './crash-site.js';
import { IssuedIds } from './ledger.js';
import { StubbornCharger } from './stubborn-charger.js';

export interface CrashWorld {
  readonly changes: Changes;
  readonly gateway: GatewayProcess;
  readonly authority: RpcCsms;
  readonly observer: RpcCsms;
  readonly csmss: readonly RpcCsms[];
  /** Of the 1.6 CSMS. */
  readonly issued: IssuedIds;
  readonly ocpp: readonly StubbornCharger[];
  readonly wallbox: SimulatedCharger;
  readonly kills: number;
  /** Kills the gateway when the next message of that kind leaves a charger, after `delay` ms; it is started again at once. */
  killAt(step: string, delay: number): void;
  /** SIGKILL now, and up again. */
  killNow(): Promise<void>;
  /** When a kill that is under way is over. */
  up(): Promise<void>;
}

/** @param authority its version; the observer speaks the other one */
export async function openCrashWorld(t: Test, authorityVersion: OcppVersion): Promise<CrashWorld> {
  const changes = new Changes();
  const other: OcppVersion = authorityVersion === 'ocpp1.6' ? 'ocpp2.0.1' : 'ocpp1.6';
  const authority = await RpcCsms.listen({ name: 'authority', version: authorityVersion, changes });
  const observer = await RpcCsms.listen({ name: 'observer', version: other, changes });
  const csmss = [authority, observer];
  const issued = new IssuedIds(700);
  issued.serve(authorityVersion === 'ocpp1.6' ? authority : observer);

  const { registers: wallbox, slave } = await startAlfen();
  const port = await freePort();
  const yaml = crashSite({
    port,
    breaker: 125,
    maxCurrent: 32,
    chargers: [[1], [2]],
    wallbox: { port: slave.port, evse: 3 },
    authority,
    observer,
  });
  const gateway = await startGateway(yaml, { changes });
  let trap: { readonly step: string; readonly delay: number } | undefined;
  let up: Promise<void> = Promise.resolve();
  let kills = 0;
  const killNow = (): Promise<void> => {
    kills++;
    up = up.then(() => gateway.kill()).then(() => gateway.start());
    // Whoever waits for it is told; an unanswered failure must not end the test run before.
    up.catch(() => undefined);
    return up;
  };
  const sending = (step: string): void => {
    if (trap?.step !== step) return;
    const { delay } = trap;
    trap = undefined;
    setTimeout(() => void killNow().catch(() => undefined), delay);
  };
  const versions: readonly OcppVersion[] = ['ocpp1.6', 'ocpp2.0.1'];
  const ocpp = versions.map(
    (version, index) =>
      new StubbornCharger({ identity: `CP${index + 1}`, version, port, changes, gatewayUp: () => up, sending }),
  );
  t.teardown(async () => {
    await up.catch(() => undefined);
    for (const { peer } of ocpp) await peer.drop();
    await gateway.remove();
    for (const csms of csmss) await csms.stop();
    await slave.stop();
  });
  for (const charger of ocpp) await charger.boot();
  return {
    changes,
    gateway,
    authority,
    observer,
    csmss,
    issued,
    ocpp,
    wallbox,
    get kills() {
      return kills;
    },
    killAt(step, delay) {
      trap = { step, delay };
    },
    killNow,
    up: () => up,
  };
}
