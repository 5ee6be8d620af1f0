// A device profile as its file writes it, once the schema has found it good: device.schema.json says what each key means.
import type {
  Confirmation,
  PhaseSwitch,
  Reader,
  RegisterWrite,
  StateRule,
  Watchdog,
} from '../../adapters/modbus/charger-behaviour.js';
import type {
  Addressing,
  Detection,
  DeviceProfile,
  MeterProfile,
  Order,
  Register,
  RegisterRange,
  RegisterType,
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
  readonly detect: WrittenExpectation & { readonly basis: Detection['basis'] };
  readonly identify?: {
    readonly vendor?: string;
    readonly product?: string;
    readonly also?: readonly WrittenExpectation[];
    readonly 'never-read'?: readonly RegisterRange[];
    readonly 'never-probe'?: string;
  };
  readonly registers: Readonly<Record<string, WrittenRegister>>;
  readonly states?: readonly { readonly when: WrittenCondition; readonly is: StateRule['is'] }[];
  readonly control?: {
    /** Several where each phase has its own. */
    readonly setpoint: string | readonly string[];
    readonly before?: readonly RegisterWrite[];
    readonly step: string;
    readonly min: string;
    readonly max: string;
    readonly 'device-max'?: string;
    readonly interval?: string;
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
    readonly enable?: readonly RegisterWrite[];
    readonly 'falls-to'?: 'fallback-current' | 'stop' | 'full-power' | 'unknown';
    readonly remaining?: string;
    readonly timeout?: string;
    readonly 'timeout-read'?: string;
    readonly 'fallback-current'?: string;
    readonly 'fallback-current-read'?: string;
  };
  readonly 'phase-switching'?: PhaseSwitch;
  readonly reader?: Reader;
  readonly recovery?: readonly { readonly when: WrittenCondition; readonly write: readonly RegisterWrite[] }[];
  readonly variants?: readonly {
    readonly name: string;
    readonly when: WrittenCondition;
    readonly scales: Readonly<Record<string, number>>;
  }[];
  readonly unverified?: readonly string[];
  readonly 'current-sign'?: MeterProfile['currentSign'];
  readonly phases?: MeterProfile['phases'];
  readonly setup?: readonly RegisterWrite[];
  readonly notes?: readonly string[];
  readonly sources: readonly string[];
}

export interface WrittenExpectation {
  readonly register: string;
  readonly matches?: string;
  readonly values?: readonly number[];
  readonly from?: number;
  readonly to?: number;
}

export interface WrittenRegister extends Omit<Register, 'address' | 'wordOrder' | 'byteOrder' | 'wears' | 'optional'> {
  readonly at: number;
  readonly type: RegisterType;
  readonly 'word-order'?: Order;
  readonly 'byte-order'?: Order;
  readonly wears?: boolean;
  readonly optional?: boolean;
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

export type WrittenCondition = Readonly<Record<string, WrittenMatch>>;

export interface WrittenConfirmation {
  readonly register: string;
  readonly rule: Confirmation['rule'];
  readonly value?: number;
  readonly slack?: string;
}
