// One EVSE of a Modbus charger of any profile: shows its hardware in the registers and obeys what is written, watchdog included.
import type { ChargerProfile, EvseState, Match } from '../adapters/modbus/device-profile.js';
import type { RegisterValue } from '../adapters/modbus/register-value.js';
import type { Clock } from '../gateway/kernel/clock.js';
import { ampere } from '../gateway/kernel/units.js';
import type { Evse } from '../gateway/site/topology.js';
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
  /** By register: one for all phases, or one for each, of which the least counts. */
  readonly #setpoints = new Map<string, number>();
  #enabled = true;
  /** What it falls back to, set by the electrician in the charger or by the gateway over the bus. */
  #fallback: number;
  #timeout: number;
  /** When the watchdog was last fed; undefined while it is not running. */
  #fedAt: number | undefined;
  #fallen = false;

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
    const { watchdog } = profile;
    // A time-out register that starts the clock is off as delivered.
    this.#timeout = watchdog.kind === 'none' || watchdog.kind === 'rewrite-timeout' ? 0 : watchdog.seconds;
    this.#faces = new Map((['A', 'B', 'C'] as const).map((state) => [state, faceOf(profile, state)]));
    for (const { register, value } of profile.control.resume) this.#registers.show(register, value);
    for (const register of [profile.control.setpoint, ...profile.control.alsoSet]) {
      this.#setpoints.set(register, evse.maxCurrent);
      this.#registers.show(register, evse.maxCurrent);
    }
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

  /** Lets the watchdog run and shows the hardware's state; called after every step of the world. */
  show(): void {
    this.#watch();
    const { car, currents, power, register, charging, offered } = this.#hardware;
    const state: EvseState = car === undefined ? 'A' : charging ? 'C' : 'B';
    for (const [name, value] of this.#faces.get(state) ?? []) this.#registers.show(name, value);
    this.#registers.show('Current.Import.L1', currents[0]);
    this.#registers.show('Current.Import.L2', currents[1]);
    this.#registers.show('Current.Import.L3', currents[2]);
    this.#registers.show('Power.Active.Import', power);
    this.#registers.show('Energy.Active.Import.Register', register);
    this.#registers.show('Current.Offered', offered);
    for (const phase of ['L1', 'L2', 'L3']) this.#registers.show(`Voltage.${phase}`, this.#hardware.voltage);
    this.#showWatchdog();
  }

  #obey(written: ReadonlyMap<string, number>): void {
    const { control, watchdog } = this.#profile;
    for (const [name, value] of written) {
      if (this.#setpoints.has(name)) this.#setSetpoint(name, value);
      else if (control.resume.some((write) => write.register === name)) {
        this.#enabled = control.resume.some((write) => write.register === name && write.value === value);
        this.#fallen = false;
      }
      if (watchdog.kind === 'none') continue;
      if (name === watchdog.fallbackCurrent) this.#fallback = value;
      if (name === watchdog.timeout) this.#timeout = value;
      const token = watchdog.kind === 'write-token' && name === watchdog.register && value === watchdog.token;
      if (token || (watchdog.kind === 'rewrite-timeout' && name === watchdog.timeout)) this.#feed();
    }
    this.#apply();
    this.show();
  }

  #setSetpoint(register: string, current: number): void {
    const { control, watchdog } = this.#profile;
    this.#setpoints.set(register, current);
    this.#fallen = false;
    // A setpoint outside the range withdraws the release where pausing writes one (CHARX).
    const pausesBySetpoint = control.pause.some(({ register }) => register === control.setpoint);
    if (pausesBySetpoint && control.resume.length > 0 && current < control.min) {
      this.#enabled = false;
      for (const { register, value } of control.pause) this.#registers.show(register, value);
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
    const allowed = this.#fallen ? this.#fallback : this.#enabled ? Math.min(...this.#setpoints.values()) : 0;
    const current = allowed < control.min ? 0 : Math.min(allowed, control.max, this.#evse.maxCurrent);
    this.#hardware.limit(ampere(current));
    this.#hardware.enable(current > 0);
  }

  #showWatchdog(): void {
    const { watchdog } = this.#profile;
    if (watchdog.kind === 'none') return;
    const show = (register: string | undefined, value: number): void => {
      if (register !== undefined) this.#registers.show(register, value);
    };
    show(watchdog.fallbackCurrentReadBack ?? watchdog.fallbackCurrent, this.#fallback);
    show(watchdog.timeoutReadBack ?? watchdog.timeout, this.#timeout);
    if (watchdog.kind !== 'rewrite-setpoint') return;
    const since = this.#fedAt === undefined ? Infinity : (this.#clock.monotonic() - this.#fedAt) / 1000;
    show(watchdog.remaining, Math.max(0, Math.round(this.#timeout - since)));
  }

  #introduce(): void {
    const { vendor, registers, detection } = this.#profile;
    const number = 100_000 + this.#evse.number;
    const texts: Readonly<Record<string, string>> = {
      'Device.Vendor': vendor,
      'Device.Model': 'Simulated',
      'Device.Firmware': '1.0',
      'Device.Serial': `SIM${number}`,
    };
    for (const [name, text] of Object.entries(texts)) {
      const register = registers[name];
      if (register === undefined) continue;
      const expected = name === detection.register && register.type !== 'string' ? 312_345 : number;
      this.#registers.show(name, register.type === 'string' ? text : expected);
    }
  }
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
  for (const value of profile.registers[name]?.values ?? []) {
    for (const others of combinations(profile, rest)) yield new Map([[name, value], ...others]);
  }
}

function fits(match: Match, value: RegisterValue | undefined): boolean {
  if (value === undefined) return false;
  if (typeof match !== 'object') return match === value;
  if ('oneOf' in match) return match.oneOf.includes(value);
  if (typeof value !== 'number') return false;
  if ('from' in match) return value >= match.from && value <= match.to;
  return 'bitsSet' in match ? (value & match.bitsSet) === match.bitsSet : (value & match.bitsClear) === 0;
}
