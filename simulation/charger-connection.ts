// A simulated charger's line to the gateway: dials, and dials again with a growing wait, as long as it is plugged in.
import { dial } from '../adapters/ocpp-j/client.js';
import type { OcppConnection, OcppVersion } from '../adapters/ocpp-j/contract.js';
import type { CancelTimer, Clock } from '../gateway/kernel/clock.js';
import type { Log } from '../gateway/kernel/log.js';
import { seconds } from '../gateway/kernel/units.js';
import type { SimulatedCharger } from './charger.js';

const FIRST_WAIT = 1;
const LONGEST_WAIT = 30;

export interface ChargerLine {
  /** Breaks the socket without a word; it dials again after its back-off. */
  cut(): void;
  /** Hangs up for good. */
  stop(): void;
}

export interface ChargerLineSettings {
  /** Of the gateway, without the identity. */
  readonly url: string;
  readonly version: OcppVersion;
  readonly password?: string;
  readonly clock: Clock;
  readonly log: Log;
}

export function connectCharger(charger: SimulatedCharger, settings: ChargerLineSettings): ChargerLine {
  const { clock, log, url, version, password } = settings;
  const { id } = charger.settings;
  let connection: OcppConnection | undefined;
  let wait = FIRST_WAIT;
  let stopped = false;
  let cancelRetry: CancelTimer = () => undefined;
  const abort = new AbortController();

  const again = (): void => {
    if (stopped) return;
    cancelRetry = clock.after(seconds(wait), start);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
  const closed = (): void => {
    connection = undefined;
    charger.detach();
    again();
  };
  const connect = async (): Promise<void> => {
    const outcome = await dial({
      url,
      identity: id,
      version,
      ...(password !== undefined && { password }),
      clock,
      log,
      about: { station: id },
      handler: charger.protocol.handler,
      closed,
      signal: abort.signal,
    });
    if (!outcome.ok) return again();
    connection = outcome.connection;
    if (stopped) return connection.terminate();
    if (await charger.attach(outcome.connection)) wait = FIRST_WAIT;
    else outcome.connection.terminate();
  };
  const start = (): void => {
    connect().catch((err: unknown) => log.error({ err, station: id }, 'simulated charger failed'));
  };
  start();
  return {
    cut: () => connection?.terminate(),
    stop() {
      stopped = true;
      cancelRetry();
      abort.abort();
      connection?.terminate();
    },
  };
}
