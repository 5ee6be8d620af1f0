// What a station can do, as data: nothing has to be tried to find out that it is unsupported.

export interface Capabilities {
  readonly protocol: 'ocpp1.6' | 'ocpp2.0.1' | 'modbus';
  /** Obeys a current setpoint. */
  readonly currentLimit: boolean;
  /** Most setpoints in 24 hours, where each is written to a memory of the charger that wears out; absent: no bound. */
  readonly setpointsPerDay?: number;
  /** Falls back to the fallback current by itself when the gateway is silent: proven profile or watchdog. */
  readonly fallback: boolean;
  /** Time after which a silent station has certainly fallen back, in milliseconds; absent where it never does. */
  readonly fallbackAfter?: number;
  readonly reservation: boolean;
  readonly remoteStart: boolean;
  readonly unlock: boolean;
  readonly localList: boolean;
  /** Entries that its list can hold (LocalAuthListMaxLength); absent where it has not told. */
  readonly localListEntries?: number;
  readonly phaseSwitching: boolean;
  readonly trigger: boolean;
  readonly reader: boolean;
}
