// A device profile as its file writes it, once the schema has found it good: device.schema.json says what each key means.
import type {
  Addressing,
  Confirmation,
  Detection,
  DeviceProfile,
  MeterProfile,
  Order,
  PhaseSwitch,
  Register,
  RegisterType,
  RegisterWrite,
  StateRule,
  Watchdog,
} from '../../adapters/modbus/device-profile.js';
import type { SerialLine } from '../../gateway/site/topology.js';

/** A profile as the schema has found it good: every key that it requires is there, and every quantity has its unit. */
export interface WrittenProfile {
  readonly kind: 'charger' | 'meter';
  readonly vendor: string;
  readonly model: string;
  readonly transports: DeviceProfile['transports'];
  readonly port?: number;
  readonly serial?: {
    readonly 'baud-rate': number;
    readonly parity?: SerialLine['parity'];
    readonly 'stop-bits'?: SerialLine['stopBits'];
  };
  readonly unit: {
    readonly number: number;
    readonly only?: boolean;
    readonly 'per-evse'?: boolean;
    readonly station?: number;
  };
  readonly 'byte-order'?: Order;
  readonly 'word-order'?: Order;
  readonly addressing?: {
    readonly first?: number;
    readonly stride?: number;
    readonly sunspec?: Omit<Extract<Addressing, { kind: 'sunspec' }>, 'kind'>;
  };
  readonly bus?: Readonly<Record<string, number | string | boolean>>;
  readonly detect: {
    readonly register: string;
    readonly matches?: string;
    readonly values?: readonly number[];
    readonly from?: number;
    readonly to?: number;
    readonly basis: Detection['basis'];
  };
  readonly registers: Readonly<Record<string, WrittenRegister>>;
  readonly states?: readonly { readonly when: Readonly<Record<string, WrittenMatch>>; readonly is: StateRule['is'] }[];
  readonly control?: {
    /** Several where each phase has its own. */
    readonly setpoint: string | readonly string[];
    readonly before?: readonly RegisterWrite[];
    readonly step: string;
    readonly min: string;
    readonly max: string;
    readonly pause: readonly RegisterWrite[];
    readonly resume?: readonly RegisterWrite[];
    readonly 'confirm-limit': readonly WrittenConfirmation[];
    readonly 'confirm-pause': readonly WrittenConfirmation[];
  };
  readonly watchdog?: {
    readonly kind: Watchdog['kind'];
    readonly note?: string;
    readonly refresh?: string;
    readonly valid?: string;
    readonly register?: string;
    readonly token?: number;
    readonly 'falls-to'?: 'fallback-current' | 'full-power';
    readonly remaining?: string;
    readonly timeout?: string;
    readonly 'timeout-read'?: string;
    readonly 'fallback-current'?: string;
    readonly 'fallback-current-read'?: string;
  };
  readonly 'phase-switching'?: PhaseSwitch;
  readonly 'current-sign'?: MeterProfile['currentSign'];
  readonly phases?: MeterProfile['phases'];
  readonly setup?: readonly RegisterWrite[];
  readonly notes?: readonly string[];
  readonly sources: readonly string[];
}

export interface WrittenRegister extends Omit<Register, 'address' | 'wordOrder' | 'byteOrder' | 'wears'> {
  readonly at: number;
  readonly type: RegisterType;
  readonly 'word-order'?: Order;
  readonly 'byte-order'?: Order;
  readonly wears?: boolean;
}

export type WrittenMatch =
  | number
  | string
  | {
      readonly 'bits-set'?: number;
      readonly 'bits-clear'?: number;
      readonly 'one-of'?: readonly (number | string)[];
      readonly from?: number;
      readonly to?: number;
    };

export interface WrittenConfirmation {
  readonly register: string;
  readonly rule: Confirmation['rule'];
  readonly slack?: string;
}
