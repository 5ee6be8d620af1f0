// One EVSE of a Modbus charger of any profile: shows its hardware in the registers and obeys what is written, watchdog included.
import type { EvseState, Match } from '../adapters/modbus/charger-behaviour.js';
import type { ChargerProfile } from '../adapters/modbus/device-profile.js';
import type { RegisterValue } from '../adapters/modbus/register-value.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { ampere } from '../gateway/kernel/units.js';
import { wattsPerAmpere, type Evse } from '../gateway/site/topology.js';
import type { EvseHardware } from './evse.js';
import { RegisterMap, type Units } from './register-map.js';

type Face = ReadonlyMap<string, RegisterValue>;

export class ModbusCharger {
  readonly #profile: ChargerProfile;
  readonly #evse: Evse;
  readonly #hardware: EvseHardware;
  readonly #clock: Clock;
  readonly #registers: RegisterMap;
  readonly #faces: ReadonlyMap<EvseState, Face>;
  /** By register, in A: one for all phases, or one for each, of which the least counts. */
  readonly #setpoints = new Map<string, number>();
  /** Registers that hold what stops the energy. */
  readonly #paused = new Set<string>();
  /** What it falls back to, set by the electrician in the charger or by the gateway over the bus. */
  #fallback: number;
  #timeout: number;
  /** When the watchdog was last fed; undefined while it is not running. */
  #fedAt: number | undefined;
  #fallen = false;
  /** Of the meter, in Wh, when the car came. */
  #pluggedAt: number;
  #cards = 0;

  /** @param unit as in site.yaml */
  constructor(
    profile: ChargerProfile,
    evse: Evse,
    hardware: EvseHardware,
    units: Units,
    unit: number | undefined,
    clock: Clock,
  ) {
    this.#profile = profile;
    this.#evse = evse;
    this.#hardware = hardware;
    this.#clock = clock;
    this.#registers = new RegisterMap(profile, units, evse.stationEvse, unit);
    this.#fallback = evse.fallbackCurrent;
    this.#pluggedAt = hardware.register;
    const { watchdog, control } = profile;
    // A time-out register that starts the clock is off as delivered.
    this.#timeout = watchdog.kind === 'none' || watchdog.kind === 'rewrite-timeout' ? 0 : watchdog.seconds;
    this.#faces = new Map((['A', 'B', 'C'] as const).map((state) => [state, faceOf(profile, state)]));
    for (const { register, value } of control.resume) this.#registers.show(register, value);
    for (const register of [control.setpoint, ...control.alsoSet]) {
      this.#setpoints.set(register, evse.maxCurrent);
      this.#registers.show(register, this.#inUnitOf(register, evse.maxCurrent));
    }
    if (control.deviceMax !== undefined) this.#registers.show(control.deviceMax, evse.maxCurrent);
    this.#registers.onWrite((written) => this.#obey(written));
    if (watchdog.kind === 'any-traffic')
      this.#registers.onRequest(() => {
        this.#feed();
        this.#apply();
      });
    this.#apply();
    this.#introduce();
    this.show();
  }

  /** Fallen back to its own current because nobody fed its watchdog. */
  get fallen(): boolean {
    return this.#fallen;
  }

  /** Holds a card to its reader. @param token as the reader prints it */
  present(token: string): void {
    const { reader, registers } = this.#profile;
    if (reader === undefined) throw new Error(`${this.#profile.id} has no reader`);
    this.#cards += 1;
    const isText = registers[reader.token]?.type === 'string';
    this.#registers.show(reader.token, isText ? token : Number.parseInt(token, 16));
    if (reader.counter !== undefined) this.#registers.show(reader.counter, this.#cards);
    if (reader.length !== undefined) this.#registers.show(reader.length, token.length / 2);
  }

  /** Lets the watchdog run and shows the hardware's state; called after every step of the world. */
  show(): void {
    this.#watch();
    const { car, currents, power, register, charging, offered, voltage } = this.#hardware;
    if (car === undefined) this.#pluggedAt = register;
    const state: EvseState = car === undefined ? 'A' : charging ? 'C' : 'B';
    for (const [name, value] of this.#faces.get(state) ?? []) this.#registers.show(name, value);
    const phases = ['L1', 'L2', 'L3'] as const;
    phases.forEach((phase, i) => {
      const current = currents[i] ?? 0;
      this.#registers.show(`Current.Import.${phase}`, current);
      this.#registers.show(`Voltage.${phase}`, voltage);
      this.#registers.show(`Power.Active.Import.${phase}`, current * voltage);
      this.#registers.show(`Energy.Active.Import.Register.${phase}`, register / phases.length);
    });
    this.#registers.show('Current.Import', Math.max(...currents));
    this.#registers.show('Power.Active.Import', power);
    this.#registers.show('Energy.Active.Import.Register', register);
    this.#registers.show('Energy.Active.Import.Session', register - this.#pluggedAt);
    this.#registers.show('Current.Offered', offered);
    const { phases: phaseSwitch } = this.#profile;
    if (phaseSwitch !== undefined)
      this.#registers.show(phaseSwitch.register, this.#hardware.conductors === 1 ? phaseSwitch.one : phaseSwitch.three);
    this.#showWatchdog();
  }

  #obey(written: ReadonlyMap<string, number>): void {
    const { control, watchdog, phases } = this.#profile;
    for (const [name, value] of written) {
      const stops = control.pause.filter(({ register }) => register === name);
      if (stops.some((pause) => pause.value === value)) this.#paused.add(name);
      else if (stops.length > 0) this.#paused.delete(name);
      if (name === phases?.register) this.#hardware.usePhases(value === phases.one ? 1 : 3);
      if (this.#setpoints.has(name)) this.#setSetpoint(name, value);
      else if (stops.length > 0) this.#fallen = false;
      if (watchdog.kind === 'none') continue;
      if (name === watchdog.fallbackCurrent) this.#fallback = this.#inAmpere(name, value);
      if (name === watchdog.timeout) this.#timeout = value;
      const token = watchdog.kind === 'write-token' && name === watchdog.register && value === watchdog.token;
      if (token || (watchdog.kind === 'rewrite-timeout' && name === watchdog.timeout)) this.#feed();
    }
    this.#apply();
    this.show();
  }

  #setSetpoint(register: string, value: number): void {
    const { control, watchdog } = this.#profile;
    const current = this.#inAmpere(register, value);
    this.#setpoints.set(register, current);
    this.#fallen = false;
    // A setpoint outside the range withdraws the release where pausing writes both (CHARX).
    const pausesBySetpoint = control.pause.some((pause) => pause.register === control.setpoint);
    if (pausesBySetpoint && control.resume.length > 0 && current < control.min) {
      for (const pause of control.pause) {
        this.#paused.add(pause.register);
        this.#registers.show(pause.register, pause.value);
      }
    }
    if (watchdog.kind === 'rewrite-setpoint') this.#feed();
  }

  #feed(): void {
    this.#fedAt = this.#clock.monotonic();
    if (this.#profile.watchdog.kind !== 'rewrite-timeout') this.#fallen = false;
  }

  #watch(): void {
    if (this.#fallen || this.#timeout === 0 || this.#fedAt === undefined) return;
    if (this.#clock.monotonic() - this.#fedAt < this.#timeout * 1000) return;
    this.#fallen = true;
    this.#apply();
  }

  #apply(): void {
    const { control } = this.#profile;
    const told = this.#paused.size > 0 ? 0 : Math.min(...this.#setpoints.values());
    const allowed = this.#fallen ? this.#silentCurrent() : told;
    const current = allowed < control.min ? 0 : Math.min(allowed, control.max, this.#evse.maxCurrent);
    this.#hardware.limit(ampere(current));
    this.#hardware.enable(current > 0);
    // What it has taken, where it shows that in registers of their own.
    for (const { register, rule, value } of told === 0 ? control.confirmPause : control.confirmLimit)
      if (rule === 'equals' && this.#profile.registers[register]?.write === undefined)
        this.#registers.show(register, value ?? this.#inUnitOf(register, told));
  }

  #silentCurrent(): number {
    const { watchdog } = this.#profile;
    if (watchdog.kind === 'none' || watchdog.fallsTo === 'fallback-current') return this.#fallback;
    return watchdog.fallsTo === 'stop' ? 0 : this.#evse.maxCurrent;
  }

  #wattsPerAmpere(register: string): number {
    return this.#profile.registers[register]?.unit === 'W' ? wattsPerAmpere(this.#evse, this.#hardware.voltage) : 1;
  }

  #inUnitOf(register: string, current: number): number {
    return current * this.#wattsPerAmpere(register);
  }

  #inAmpere(register: string, value: number): number {
    return value / this.#wattsPerAmpere(register);
  }

  #showWatchdog(): void {
    const { watchdog } = this.#profile;
    if (watchdog.kind === 'none') return;
    const current = watchdog.fallbackCurrentReadBack ?? watchdog.fallbackCurrent;
    if (current !== undefined) this.#registers.show(current, this.#inUnitOf(current, this.#fallback));
    const show = (register: string | undefined, value: number): void => {
      if (register !== undefined) this.#registers.show(register, value);
    };
    show(watchdog.timeoutReadBack ?? watchdog.timeout, this.#timeout);
    if (watchdog.kind !== 'rewrite-setpoint') return;
    const since = this.#fedAt === undefined ? Infinity : (this.#clock.monotonic() - this.#fedAt) / 1000;
    show(watchdog.remaining, Math.max(0, Math.round(this.#timeout - since)));
  }

  #introduce(): void {
    const { vendor, registers, detection } = this.#profile;
    const number = 100_000 + this.#evse.number;
    const expected = recognisable(detection);
    this.#registers.show('Limit.Current.Hardware', this.#evse.maxCurrent);
    const texts: Readonly<Record<string, string>> = {
      'Device.Vendor': vendor,
      'Device.Model': 'Simulated',
      'Device.Firmware': '1.0',
      'Device.Serial': `SIM${number}`,
    };
    for (const [name, text] of Object.entries(texts)) {
      const register = registers[name];
      if (register === undefined) continue;
      this.#registers.show(name, register.type === 'string' ? text : number);
    }
    if (expected !== undefined) this.#registers.show(detection.register, expected);
  }
}

/** A number that the device is detected by; of a text its maker's name serves. */
function recognisable({ expect }: ChargerProfile['detection']): number | undefined {
  if (typeof expect !== 'string') return 'from' in expect ? expect.from : expect[0];
  // KEBA's product code is a number that is looked at as text.
  return expect.startsWith('^3') ? 312_345 : undefined;
}

/** The first combination of listed register values that the profile's table takes for this state. */
function faceOf(profile: ChargerProfile, wanted: EvseState): Face {
  const names = [...new Set(profile.states.flatMap((rule) => Object.keys(rule.when)))];
  for (const values of combinations(profile, names)) {
    const rule = profile.states.find(({ when }) =>
      Object.entries(when).every(([name, match]) => fits(match, values.get(name))),
    );
    if (rule?.is === wanted) return values;
  }
  throw new Error(`${profile.id} has no way to show state ${wanted}`);
}

function* combinations(profile: ChargerProfile, [name, ...rest]: readonly string[]): Generator<Face> {
  if (name === undefined) {
    yield new Map();
    return;
  }
  for (const value of possible(profile, name)) {
    for (const others of combinations(profile, rest)) yield new Map([[name, value], ...others]);
  }
}

/** The values that its source lists, or such as the table asks for. */
function possible(profile: ChargerProfile, name: string): readonly RegisterValue[] {
  const asked = profile.states.flatMap(({ when }) => {
    const match = when[name];
    if (match === undefined) return [];
    if (typeof match !== 'object') return [match];
    if ('oneOf' in match) return match.oneOf;
    return 'from' in match ? [match.from, match.to].filter(Number.isFinite) : [];
  });
  return profile.registers[name]?.values ?? [0, ...asked];
}

function fits(match: Match, value: RegisterValue | undefined): boolean {
  if (value === undefined) return false;
  if (typeof match !== 'object') return match === value;
  if ('oneOf' in match) return match.oneOf.includes(value);
  if (typeof value !== 'number') return false;
  if ('from' in match) return value >= match.from && value <= match.to;
  return 'bitsSet' in match ? (value & match.bitsSet) === match.bitsSet : (value & match.bitsClear) === 0;
}
