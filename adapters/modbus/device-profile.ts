// What is known of one make of Modbus device, as data: registers, states, control, watchdog, bus manners. Read by the drivers, never code.

import type { SerialLine } from '../../gateway/site/topology.js';
import type {
  CurrentControl,
  Match,
  PhaseSwitch,
  Reader,
  Recovery,
  RegisterWrite,
  StateRule,
  Watchdog,
} from './charger-behaviour.js';

export type NumberType = 'uint16' | 'int16' | 'uint32' | 'int32' | 'uint64' | 'int64' | 'float32' | 'float64';
/** `bit`: a coil or a discrete input, 0 or 1. */
export type RegisterType = NumberType | 'bit' | 'string';

export type Order = 'big' | 'little';
export type ReadFunction = 3 | 4;
/** Coils and discrete inputs. */
export type BitFunction = 1 | 2;
/** 5 writes a coil. */
export type WriteFunction = 5 | 6 | 16;

/** One value of a device. `value = (masked raw) * scale * 10^factor`, in the base units of the site model (A, W, Wh, V, s). */
export interface Register {
  /** 0-based PDU address; relative to what `DeviceProfile.addressing` says. */
  readonly address: number;
  readonly type: RegisterType;
  /** Length of a string in registers; numbers know their own. */
  readonly words?: number;
  /** Of a string; absent: one byte a character, two in a register. `hex`: its bytes, written in hexadecimal. */
  readonly encoding?: 'utf-16' | 'hex';
  /** Function to read it with; absent where it cannot be read. 1 and 2 for a bit. */
  readonly read?: ReadFunction | BitFunction;
  /** The device answers only who asks for this whole block of registers around it. */
  readonly block?: { readonly at: number; readonly words: number };
  /** Some devices of this make do not have it: the driver asks once and goes without it. */
  readonly optional?: true;
  /** Function to write it with; absent where it cannot be written. */
  readonly write?: WriteFunction;
  /** Absent: 1; negative where the device counts the other way round, such as export as positive. */
  readonly scale?: number;
  /** Name of the register that holds the power of ten (SunSpec scale factor). */
  readonly factor?: string;
  /** What a limit is counted in; absent: A. `W`: of all phases together. */
  readonly unit?: 'W';
  /** Raw values that mean "not available"; a float's NaN always does. */
  readonly sentinels?: readonly number[];
  /** Raw values that mean 0. */
  readonly zeros?: readonly number[];
  /** Applied to the raw value of an unsigned register before everything else: a field of a bit register. */
  readonly mask?: number;
  readonly shift?: number;
  /** Overrides the profile's order. */
  readonly wordOrder?: Order;
  readonly byteOrder?: Order;
  /** `station`: the station's own unit and base address instead of the EVSE's. */
  readonly of?: 'station';
  /** Smallest and largest value it takes, in its base unit; 0 is always allowed where the profile writes it. */
  readonly min?: number;
  readonly max?: number;
  /** Every value the source lists, for registers that a state is decided by. */
  readonly values?: readonly (number | string)[];
  /** Values, in its base unit, that it must never hold: on some devices 0 lifts a limit. */
  readonly never?: readonly number[];
  /** A write wears the device's flash: written only where a person asks for it, never by a driver. */
  readonly wears?: true;
  /** What about this register has one source or none. */
  readonly unverified?: readonly ('address' | 'scale' | 'sign' | 'write function' | 'values')[];
}

/** Devices of the same registers that count otherwise, told apart by what they hold: the first that matches is it. */
export interface Variant {
  readonly name: string;
  /** Read by the profile's own scales. */
  readonly when: Readonly<Record<string, Match>>;
  /** By register; replaces the profile's. */
  readonly scales: Readonly<Record<string, number>>;
}

/** Manners on the bus; every absent entry is unlimited. */
export interface IoPolicy {
  /** Answer time in milliseconds; absent: 1000 on a serial port, else 1500. */
  readonly timeoutMs?: number;
  /** Absent: 125, the protocol's limit. */
  readonly maxRegistersPerRead?: number;
  /** The device refuses to read more than one value at a time. */
  readonly exactReads?: true;
  /** Silence between an answer and the next request on the same link; the longest that a device asks for holds for all behind it. */
  readonly requestDelayMs?: number;
  /** Between two requests to this device. */
  readonly minReadIntervalMs?: number;
  readonly minWriteIntervalMs?: number;
  /** The device is asked nothing for so long after a write. */
  readonly settleAfterWriteMs?: number;
  /** Times that a request is sent until it is answered; 2 for a device that sleeps and is woken by the first. Serial lines only. */
  readonly attempts?: number;
  /** The device drops a connection that was silent for so long; the link closes it first. */
  readonly idleCloseSeconds?: number;
  /** Connections the device takes, for the electrician: one link is shared by everything on the same address. */
  readonly maxConnections?: number;
}

/** Which unit id answers for what. A `unit` in site.yaml replaces the number, save where the device knows only one. */
export type UnitRule =
  | { readonly kind: 'fixed'; readonly unit: number; readonly only?: true }
  /** EVSE n of the station answers on unit + n - 1. */
  | { readonly kind: 'per-evse'; readonly unit: number; readonly station: number };

export type Addressing =
  | { readonly kind: 'absolute' }
  /** A register of EVSE n is at address + first + (n - 1) x stride, n from 1. */
  | { readonly kind: 'stride'; readonly first: number; readonly stride: number }
  /** Addresses are offsets in a model block that is looked for behind the marker "SunS" at one of the bases. */
  | { readonly kind: 'sunspec'; readonly bases: readonly number[]; readonly models: readonly SunSpecModel[] };

export interface SunSpecModel {
  readonly id: number;
  /** Phases it measures; the rest count as 0. */
  readonly phases: 1 | 2 | 3;
}

/** What a register holds on this device, and hardly on another. */
export interface Expectation {
  readonly register: string;
  /** A regular expression over a string, a list of numbers, or a range. */
  readonly expect: string | readonly number[] | { readonly from: number; readonly to: number };
}

export interface Detection extends Expectation {
  /** `source`: a driver or manual does this; `inferred`: ours, does not prove the model. */
  readonly basis: 'source' | 'inferred';
}

/** How the device is told from others by whoever does not know yet what it is, beside its detection. */
export interface Identification {
  /** Regular expressions, without regard to case, over what it says by function 43/14 or as a SunSpec device. */
  readonly vendor?: string;
  readonly product?: string;
  /** Each of them must hold, too. */
  readonly also: readonly Expectation[];
  /** Registers that nobody who is looking for devices may read: reading them acts on this device, or locks it. */
  readonly neverRead: readonly RegisterRange[];
  /** Why this device must not be looked for at all; it is not asked for, and is written by hand. */
  readonly neverProbe?: string;
}

export interface RegisterRange {
  readonly read: ReadFunction;
  /** Addresses in the request, both inclusive. */
  readonly from: number;
  readonly to: number;
}

export type Transport = 'tcp' | 'udp' | 'rtu' | 'ascii';

interface DeviceBasics {
  readonly id: string;
  readonly vendor: string;
  readonly model: string;
  /** What it speaks itself; `rtu` and `ascii` on a serial line, whatever that is reached through. */
  readonly transports: readonly Transport[];
  readonly port?: number;
  /** Settings of its serial line as delivered. */
  readonly serial?: SerialLine;
  readonly unit: UnitRule;
  readonly byteOrder: Order;
  readonly wordOrder: Order;
  readonly addressing: Addressing;
  readonly io: IoPolicy;
  readonly detection: Detection;
  readonly identification: Identification;
  readonly registers: Readonly<Record<string, Register>>;
  readonly variants: readonly Variant[];
  /** Facts that have one source or none, beside those of single registers. */
  readonly unverified: readonly string[];
  /** Written, where the device holds something else, before its registers mean what is said here. */
  readonly setup: readonly RegisterWrite[];
  /** What the electrician has to know or set in the device. */
  readonly quirks: readonly string[];
  readonly sources: readonly string[];
}

export interface ChargerProfile extends DeviceBasics {
  readonly kind: 'charger';
  readonly states: readonly StateRule[];
  readonly control: CurrentControl;
  readonly watchdog: Watchdog;
  readonly phases?: PhaseSwitch;
  readonly reader?: Reader;
  readonly recovery: readonly Recovery[];
}

export interface MeterProfile extends DeviceBasics {
  readonly kind: 'meter';
  /** `by-power`: the meter gives the size of a current, the sign of the phase's power its direction. */
  readonly currentSign: 'by-power' | 'own';
  /** How many phases it measures; a SunSpec meter tells it by its model. */
  readonly phases: 1 | 2 | 3;
}

export type DeviceProfile = ChargerProfile | MeterProfile;

/** What a person should be told of a profile before trusting it, one line each. */
export function unverifiedFacts(profile: DeviceProfile): readonly string[] {
  const ofRegisters = Object.entries(profile.registers).flatMap(([name, register]) =>
    (register.unverified ?? []).map((what) => `${name}: ${what} not verified`),
  );
  return [...profile.unverified.map((what) => `${what} not verified`), ...ofRegisters];
}
