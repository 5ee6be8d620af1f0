// The registers of one simulated Modbus device by name: shows values on the bus, and tells by name what the gateway wrote.
import type { DeviceProfile, Register } from '../adapters/modbus/device-profile.js';
import type { RegisterValue } from '../adapters/modbus/register-value.js';
import type { SlaveUnit } from './modbus-slave.js';
import { fromWords, toWords, wordCount } from './register-words.js';

/** Powers of ten that a simulated device shows beside its integers: a whole building has to fit into 16 bits. */
const factorOf = (register: string): number => (register.endsWith('.W_SF') ? 1 : register.endsWith('.A_SF') ? -2 : 0);

/** The block of a SunSpec device: the marker, one model, and the end of the list. */
const SUNSPEC = { marker: [0x5375, 0x6e53], end: [0xffff, 0], meterLength: 105 } as const;

interface Place {
  readonly name: string;
  readonly register: Register;
  readonly unit: number;
  readonly address: number;
}

/** All units that one TCP port serves; devices are put on it one after the other. */
export type Units = Map<number, SlaveUnit>;

export class RegisterMap {
  readonly #profile: DeviceProfile;
  readonly #units: Units;
  readonly #places: readonly Place[];
  readonly #listeners = new Map<number, (written: ReadonlyMap<string, number>) => void>();

  /**
   * @param instance number of the EVSE inside its station, from 1; 1 for a meter
   * @param unit as in site.yaml; absent: the profile's own
   */
  constructor(profile: DeviceProfile, units: Units, instance: number, unit: number | undefined) {
    this.#profile = profile;
    this.#units = units;
    const base = this.#layOut(unit);
    this.#places = Object.entries(profile.registers).map(([name, register]) => ({
      name,
      register,
      unit: this.#unitOf(register, instance, unit),
      address: register.address + this.#offset(register, instance, base),
    }));
    for (const place of this.#places) {
      const memory = this.#memory(place);
      // A block is answered as a whole, with what nobody here knows the meaning of.
      const { block, address } = place.register;
      for (let i = 0; i < (block?.words ?? 0); i++) memory.set(place.address - address + (block?.at ?? 0) + i, 0);
      for (let i = 0; i < wordCount(place.register); i++) {
        if (!memory.has(place.address + i)) memory.set(place.address + i, 0);
      }
    }
    for (const { name, register } of this.#places) if (name.endsWith('_SF')) this.#put(name, register, factorOf(name));
  }

  has(name: string): boolean {
    return this.#profile.registers[name] !== undefined;
  }

  /** Shows a value; nothing where the device has no such register. */
  show(name: string, value: RegisterValue): void {
    const register = this.#profile.registers[name];
    if (register !== undefined) this.#put(name, register, value);
  }

  /** Calls back with every request to one of the device's units. */
  onRequest(listener: () => void): void {
    for (const number of new Set(this.#places.map((place) => place.unit))) {
      const unit = this.#units.get(number);
      if (unit === undefined) continue;
      const before = unit.onRequest;
      this.#units.set(number, {
        ...unit,
        onRequest: () => {
          before?.();
          listener();
        },
      });
    }
  }

  /** Calls back with the registers that a write has touched, in base units. */
  onWrite(listener: (written: ReadonlyMap<string, number>) => void): void {
    for (const unit of new Set(this.#places.map((place) => place.unit))) this.#listeners.set(unit, listener);
    for (const [number, unit] of this.#units) {
      const before = unit.onWrite;
      if (!this.#listeners.has(number)) continue;
      this.#units.set(number, {
        ...unit,
        onWrite: (address, values) => {
          before?.(address, values);
          const written = this.#written(number, address, values.length);
          if (written.size > 0) listener(written);
        },
        onBit: (address, value) => {
          unit.onBit?.(address, value);
          const place = this.#places.find(
            (each) => each.unit === number && each.address === address && each.register.type === 'bit',
          );
          if (place !== undefined) listener(new Map([[place.name, value]]));
        },
      });
    }
  }

  #written(unit: number, address: number, count: number): ReadonlyMap<string, number> {
    const touched = this.#places.filter(
      (place) =>
        place.unit === unit &&
        place.register.write !== undefined &&
        place.register.type !== 'bit' &&
        place.address < address + count &&
        address < place.address + wordCount(place.register),
    );
    return new Map(
      touched.map((place) => {
        const holding = this.#units.get(unit)?.holding;
        const words = Array.from({ length: wordCount(place.register) }, (_, i) => holding?.get(place.address + i) ?? 0);
        return [place.name, fromWords(place.register, this.#profile, words)];
      }),
    );
  }

  #put(name: string, register: Register, value: RegisterValue): void {
    const place = this.#places.find((each) => each.name === name);
    if (place === undefined) return;
    const memory = this.#memory(place);
    const words = toWords(
      register,
      this.#profile,
      value,
      register.factor === undefined ? 0 : factorOf(register.factor),
    );
    words.forEach((word, i) => memory.set(place.address + i, word));
  }

  #memory({ unit: number, register }: Pick<Place, 'unit' | 'register'>): Map<number, number> {
    let unit = this.#units.get(number);
    if (unit === undefined) {
      unit = { holding: new Map(), input: new Map(), bits: new Map() };
      this.#units.set(number, unit);
    }
    if (register.type === 'bit') return unit.bits ?? unit.holding;
    return register.read === 4 ? (unit.input ?? unit.holding) : unit.holding;
  }

  #unitOf(register: Register, instance: number, unit: number | undefined): number {
    const rule = this.#profile.unit;
    if (rule.kind === 'fixed') return rule.only === true ? rule.unit : (unit ?? rule.unit);
    return register.of === 'station' ? rule.station : (unit ?? rule.unit) + instance - 1;
  }

  #offset(register: Register, instance: number, sunSpecBase: number): number {
    const { addressing } = this.#profile;
    if (addressing.kind === 'absolute') return 0;
    if (addressing.kind === 'sunspec') return sunSpecBase;
    return register.of === 'station' ? 0 : addressing.first + addressing.stride * (instance - 1);
  }

  /** Writes what a SunSpec device is found by. @returns where its model begins */
  #layOut(unit: number | undefined): number {
    const { addressing } = this.#profile;
    if (addressing.kind !== 'sunspec') return 0;
    const marker = addressing.bases[0] ?? 0;
    const base = marker + SUNSPEC.marker.length;
    // The last model listed that measures three phases: wye or delta, as a grid connection is.
    const model = addressing.models.find(({ phases }) => phases === 3)?.id ?? 0;
    const memory = this.#memory({
      unit: unit ?? this.#profile.unit.unit,
      register: { address: 0, type: 'uint16', read: 3 },
    });
    const put = (at: number, words: readonly number[]): void => words.forEach((word, i) => memory.set(at + i, word));
    put(marker, SUNSPEC.marker);
    put(
      base + 2,
      Array.from({ length: SUNSPEC.meterLength }, () => 0),
    );
    put(base, [model, SUNSPEC.meterLength]);
    put(base + 2 + SUNSPEC.meterLength, SUNSPEC.end);
    return base;
  }
}
