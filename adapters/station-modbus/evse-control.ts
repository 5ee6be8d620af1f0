// Makes one EVSE offer what it is told to, and no more: writes the setpoint, reads back what the device took, repeats what did not arrive.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { Evse } from '../../gateway/site/topology.js';
import { milliseconds, type Milliseconds, type Volt } from '../../gateway/kernel/units.js';
import type { RegisterWrite } from '../modbus/charger-behaviour.js';
import type { ChargerProfile } from '../modbus/device-profile.js';
import type { ModbusDevice, RegisterValues } from '../modbus/device.js';
import { describeFault, type ModbusFault } from '../modbus/link.js';
import { confirmationsOf, PollWatch } from './poll-watch.js';
import { inUnitOf, limitsPower, shows, usable, type Outlet } from './setpoint.js';

const CONFIRM_TRIES = 5;
const CONFIRM_PAUSE = milliseconds(500);
/** Before a refused limit is tried again by itself. */
const REFUSED_PAUSE = 30_000;

export class EvseControl {
  private readonly watch: PollWatch;
  private commanded: number | undefined;
  /** On how many phases it is to charge; undefined: as the device is. */
  private phases: 1 | 3 | undefined;
  /** On how many it was told to charge, as far as it is known to remember. */
  private toldPhases: 1 | 3 | undefined;
  /** It has refused to switch: it is not asked again. */
  private fixed = false;
  private delivering = false;
  /** What the device was last told over this connection, in A, 0 for a pause; undefined where that is not known. */
  private told: number | undefined;
  /** Monotonic time from which a limit that failed is tried again by itself. */
  private repairAt = 0;
  private repairing = false;
  private resting = false;
  private trouble: string | undefined;
  /** Of this very device, in A; undefined where it does not tell. */
  private deviceMax: number | undefined;
  /** On how many phases the car was seen to take more than its share of a power limit. */
  private seenPhases: number | undefined;
  /** Monotonic time of the last setpoint. */
  private setAt = -Infinity;
  private stopped = false;
  private wake: () => void = () => undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly evse: Evse,
    private readonly profile: ChargerProfile,
    private readonly device: ModbusDevice,
    private readonly nominalVoltage: Volt,
    private readonly context: AdapterContext,
  ) {
    this.watch = new PollWatch(profile);
  }

  /** What the device has been told to offer; undefined where that is not known. */
  get offered(): number | undefined {
    return this.told;
  }

  get switchesPhases(): boolean {
    return this.profile.phases !== undefined && !this.fixed;
  }

  /**
   * The limit that holds while a transaction is open, per phase; until then the EVSE stays paused.
   * @param phases on how many, where it is to switch
   */
  limit(current: number, phases?: 1 | 3): Promise<CommandOutcome> {
    if (phases !== undefined && !this.switchesPhases)
      return Promise.resolve({ status: 'NotSupported', detail: 'cannot switch phases' });
    const asked = this.usable(current);
    this.commanded = asked;
    this.phases = phases;
    return this.enqueue(() =>
      this.commanded === asked && this.phases === phases
        ? this.apply()
        : Promise.resolve<CommandOutcome>({ status: 'Rejected', detail: 'a later limit took its place' }),
    );
  }

  /** Energy may flow, up to the commanded limit. Without one the device is left as it is. */
  deliver(): Promise<CommandOutcome> {
    this.delivering = true;
    return this.settle();
  }

  /** An open transaction was found at the start: the device goes on as it is until the first limit. */
  resume(): void {
    this.delivering = true;
  }

  /** No energy until `deliver`. */
  hold(): Promise<CommandOutcome> {
    this.delivering = false;
    this.seenPhases = undefined;
    return this.settle();
  }

  /**
   * The device is back and may have forgotten everything. While it was away the core may have freed all above the fallback
   * current, so more than that is offered only when it is commanded anew.
   */
  reconnected(afterSilence: boolean): Promise<CommandOutcome> {
    this.told = undefined;
    if (afterSilence) this.toldPhases = undefined;
    if (afterSilence && this.commanded !== undefined) {
      this.commanded = Math.min(this.commanded, this.usable(this.evse.fallbackCurrent));
    }
    return this.settle();
  }

  /** While it rests nothing is repaired: somebody looks at what the device does by itself. */
  leaveAlone(resting: boolean): void {
    this.resting = resting;
  }

  /**
   * Called with the values of every poll: writes again what has not arrived, and what the device no longer shows (it was
   * restarted, or somebody else writes to it).
   */
  repair(values: RegisterValues): void {
    if (this.resting) return;
    const { deviceMax } = this.profile.control;
    const most = deviceMax === undefined ? undefined : values.get(deviceMax);
    // 0 where no car is there to have a limit.
    if (typeof most === 'number' && most > 0) this.deviceMax = most;
    this.recover(values);
    this.watchForFewerPhases(values);
    this.watchForDrift(values);
    const target = this.target();
    if (this.repairing || target === undefined || this.told === target) return;
    if (this.context.clock.monotonic() < this.repairAt) return;
    this.repairing = true;
    // How it ends is kept in `told` and logged.
    void this.settle().finally(() => (this.repairing = false));
  }

  /** Writes the setpoint again so that it stays valid; nothing where none is known to hold. */
  refresh(): Promise<boolean> {
    return this.enqueue(async () => {
      if (this.told === undefined || this.told !== this.target()) return false;
      const { setpoint, alsoSet, pause, min } = this.profile.control;
      // Where another register pauses, the smallest limit keeps a setpoint valid that nothing flows by.
      const idle = pause.find(({ register }) => register === setpoint)?.value ?? inUnitOf(setpoint, min, this.outlet);
      for (const register of [setpoint, ...alsoSet]) {
        const value = this.told === 0 ? idle : inUnitOf(register, this.told, this.outlet);
        const written = await this.device.write(register, value);
        if (written.ok) continue;
        this.told = undefined;
        return false;
      }
      return true;
    });
  }

  /** Gives up waiting for confirmations; resolves when no write is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.tail;
  }

  private get outlet(): Outlet {
    const { evse, profile, nominalVoltage, deviceMax } = this;
    return { evse, profile, nominalVoltage, deviceMax, phases: this.toldPhases ?? this.seenPhases };
  }

  /** A device in a state that it does not leave by itself is helped out of it, and told its limit anew. */
  private recover(values: RegisterValues): void {
    const recovery = this.watch.recovery(values, this.context.clock.monotonic());
    if (recovery === undefined) return;
    this.context.log.warn({ station: this.evse.station, evse: this.evse.number }, 'charger is helped out of its state');
    // How it ends shows in the next polls.
    void this.enqueue(async () => {
      this.told = undefined;
      for (const { register, value } of recovery.write) await this.device.write(register, value);
    });
  }

  private watchForFewerPhases(values: RegisterValues): void {
    // Nothing is too much during a pause: what still flows is on its way out.
    const told = this.delivering && this.told !== 0 ? this.told : undefined;
    const phases = this.watch.exceedingPhases(values, told ?? Infinity);
    if (phases === undefined || phases === this.outlet.phases) return;
    this.seenPhases = phases;
    this.told = undefined;
  }

  private watchForDrift(values: RegisterValues): void {
    const { told } = this;
    const lost = told === undefined ? undefined : this.watch.lost(values, told, this.outlet);
    if (lost === undefined) return;
    this.told = undefined;
    const about = { station: this.evse.station, evse: this.evse.number };
    this.context.log.warn(
      { ...about, told, register: lost.register, value: values.get(lost.register) },
      'charger has left its limit, telling it again',
    );
  }

  private usable(current: number): number {
    return usable(current, this.outlet);
  }

  private target(): number | undefined {
    return this.delivering ? this.commanded : 0;
  }

  private settle(): Promise<CommandOutcome> {
    return this.enqueue(() => this.apply());
  }

  private async apply(): Promise<CommandOutcome> {
    const target = this.target();
    if (target === undefined) return { status: 'Accepted', detail: 'as found' };
    const switched = await this.switchPhases();
    if (switched.status !== 'Accepted') return this.failed(switched);
    if (this.told !== target) {
      const fault = await this.tell(target);
      if (fault !== undefined) return this.failed(outcomeOf(fault));
      this.told = target;
    }
    const outcome = await this.confirm(target);
    if (outcome.status !== 'Accepted') return this.failed(outcome);
    this.trouble = undefined;
    this.told = target;
    this.watch.confirmed();
    return outcome;
  }

  private failed(outcome: CommandOutcome): CommandOutcome {
    this.told = undefined;
    // A device that refused will refuse again; one that did not answer may have been busy.
    this.repairAt = this.context.clock.monotonic() + (outcome.status === 'Rejected' ? REFUSED_PAUSE : 0);
    if (this.trouble !== outcome.detail) {
      this.trouble = outcome.detail;
      this.context.log.warn(
        { station: this.evse.station, evse: this.evse.number, target: this.target(), reason: outcome.detail },
        'charger has not taken its limit',
      );
    }
    return outcome;
  }

  /** While the car is paused: a contactor that opens under load wears, and some cars take harm when a phase comes back to them. */
  private async switchPhases(): Promise<CommandOutcome> {
    const { phases } = this;
    const { phases: phaseSwitch } = this.profile;
    if (phases === undefined || phaseSwitch === undefined || this.toldPhases === phases) return { status: 'Accepted' };
    const { register } = phaseSwitch;
    const value = phases === 1 ? phaseSwitch.one : phaseSwitch.three;
    const readable = this.profile.registers[register]?.read !== undefined;
    const shown = async (): Promise<CommandOutcome> => {
      const values = await this.device.read(readable ? [register] : []);
      if (!values.ok) return outcomeOf(values.error, 'Uncertain');
      const held = values.value.get(register);
      if (!readable || held === value) return { status: 'Accepted' };
      return { status: 'Rejected', detail: `${register} is ${String(held)} after ${value} was written` };
    };
    if (readable && (await shown()).status === 'Accepted') {
      this.toldPhases = phases;
      // The same current is another power on other phases.
      if (limitsPower(this.profile)) this.told = undefined;
      return { status: 'Accepted' };
    }
    if (this.told !== 0) {
      const fault = await this.tell(0);
      if (fault !== undefined) return outcomeOf(fault);
      const paused = await this.confirm(0);
      if (paused.status !== 'Accepted') return paused;
      this.told = 0;
    }
    this.toldPhases = undefined;
    const written = await this.device.write(register, value);
    const taken = written.ok ? await shown() : outcomeOf(written.error);
    if (taken.status === 'Accepted') this.toldPhases = phases;
    // A car must not wait for ever for a switch that is not there: the next limit comes without one.
    else if (taken.status === 'Rejected') this.fixed = true;
    return taken;
  }

  private async tell(target: number): Promise<ModbusFault | undefined> {
    const { setpoint, alsoSet, pause, before, resume } = this.profile.control;
    // Enabling again is spared where the device is known to be enabled: some write only once in five seconds.
    const paused = this.told === undefined || this.told === 0;
    const { outlet } = this;
    const limits = [setpoint, ...alsoSet].map((register) => ({ register, value: inUnitOf(register, target, outlet) }));
    const writes: readonly RegisterWrite[] =
      target === 0 ? pause : [...(paused ? before : []), ...limits, ...(paused ? resume : [])];
    this.told = undefined;
    await this.rest();
    for (const { register, value } of writes) {
      const written = await this.device.write(register, value);
      if (!written.ok) return written.error;
    }
    this.setAt = this.context.clock.monotonic();
    return undefined;
  }

  /** Some devices want a while between two setpoints. */
  private async rest(): Promise<void> {
    const left = this.setAt + (this.profile.control.intervalMs ?? 0) - this.context.clock.monotonic();
    if (left > 0 && !this.stopped) await this.pause(milliseconds(left));
  }

  private async confirm(target: number): Promise<CommandOutcome> {
    const confirmations = confirmationsOf(this.profile, target);
    if (confirmations.length === 0) return { status: 'Accepted' };
    const names = confirmations.map((confirmation) => confirmation.register);
    let detail = '';
    for (let attempt = 0; attempt < CONFIRM_TRIES; attempt++) {
      if (attempt > 0) await this.pause(CONFIRM_PAUSE);
      if (this.stopped) return { status: 'Uncertain', detail: 'stopped' };
      const values = await this.device.read(names);
      if (!values.ok) return outcomeOf(values.error, 'Uncertain');
      const open = confirmations.find(
        (confirmation) => !shows(confirmation, values.value.get(confirmation.register), target, this.outlet),
      );
      if (open === undefined) return { status: 'Accepted' };
      detail = `${open.register} is ${String(values.value.get(open.register))} after ${target} A was written`;
    }
    return { status: 'Rejected', detail };
  }

  private pause(time: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.context.clock.after(time, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }

  private enqueue<T>(work: () => Promise<T>): Promise<T> {
    const run = this.tail.then(work);
    this.tail = run;
    return run;
  }
}

function outcomeOf(fault: ModbusFault, refused: 'Rejected' | 'Uncertain' = 'Rejected'): CommandOutcome {
  return { status: fault.kind === 'exception' ? refused : 'Uncertain', detail: describeFault(fault) };
}
