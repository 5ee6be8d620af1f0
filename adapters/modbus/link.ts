// One Modbus bus or connection, shared by every unit behind it. Whoever implements it allows one transaction at a time.
import type { Result } from '../../gateway/kernel/result.js';
import type { BitFunction, IoPolicy, ReadFunction, WriteFunction } from './device-profile.js';

/** Why a request brought nothing. A fault other than `exception` says nothing of the device's state. */
export type ModbusFault =
  /** The device refused: 1 function, 2 address, 3 value, 4 failure, 5 acknowledge, 6 busy, 10 and 11 gateway (Modbus specification section 7). */
  | { readonly kind: 'exception'; readonly code: number }
  | { readonly kind: 'timeout' }
  /** An answer that does not fit the request: transaction, unit, function or length. */
  | { readonly kind: 'protocol'; readonly detail: string }
  /** No connection, or it broke during the request. */
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface ModbusLink {
  /** Registers `address` to `address + count - 1` as words in big-endian order; `count` from 1 to 125. */
  read(
    unit: number,
    fc: ReadFunction,
    address: number,
    count: number,
    io: IoPolicy,
  ): Promise<Result<Buffer, ModbusFault>>;
  /** A coil (function 1) or discrete input (function 2). */
  readBit(unit: number, fc: BitFunction, address: number, io: IoPolicy): Promise<Result<boolean, ModbusFault>>;
  /** Writes the words; function 6 takes one of them. Goes before waiting reads. */
  write(
    unit: number,
    fc: WriteFunction,
    address: number,
    words: Buffer,
    io: IoPolicy,
  ): Promise<Result<void, ModbusFault>>;
  /** Fails what is waiting and closes; resolves when the bus is free. */
  stop(): Promise<void>;
}

/** A link on which devices can be asked what they are. */
export interface IdentifyingLink extends ModbusLink {
  /** The basic identification: vendor, product code and revision, in Latin-1 (function 43/14, Modbus specification section 6.21). */
  identification(unit: number, io: IoPolicy): Promise<Result<DeviceIdentification, ModbusFault>>;
}

/** What a device says of itself; a text that it leaves out is absent. */
export interface DeviceIdentification {
  readonly vendor?: string;
  readonly product?: string;
  readonly revision?: string;
}

/** What a device says of itself is shown to people and written into files: Latin-1 without control characters. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e\xa0-\xff]/g, '').trim();

/** For logs. */
export function describeFault(fault: ModbusFault): string {
  switch (fault.kind) {
    case 'exception':
      return `exception ${fault.code}`;
    case 'timeout':
      return 'no answer in time';
    case 'protocol':
    case 'unreachable':
      return fault.detail;
  }
}
