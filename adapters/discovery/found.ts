// What looking for devices has brought, one entry for each device that answered.
import type { DeviceIdentification } from '../modbus/link.js';
import type { ModbusConnection } from '../../gateway/site/topology.js';

export interface FoundDevice {
  readonly connection: ModbusConnection;
  readonly unit: number;
  /** Profiles that it may be, the most likely ones only; none: no known device. */
  readonly candidates: readonly Candidate[];
  /** What it says by function 43/14 or as a SunSpec device. */
  readonly says: DeviceIdentification;
}

export interface Candidate {
  readonly profile: string;
  readonly kind: 'charger' | 'meter';
  /** Something that only this model holds was read; otherwise what was read is merely plausible. */
  readonly proven: boolean;
  readonly vendor?: string;
  readonly model?: string;
  readonly serialNumber?: string;
  readonly firmwareVersion?: string;
  /** Of a charger: how many EVSEs answer. */
  readonly evses: number;
  /** Of a charger, per phase, in A; absent where it does not tell. */
  readonly maxCurrent?: number;
}

export interface Progress {
  /** In words, for the terminal of whoever waits. */
  say(text: string): void;
}
