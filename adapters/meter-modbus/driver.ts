// Reads one meter every second and hands over what it measured. A read that fails yields nothing: the core judges how old a value may be.
import { findSunSpecModel } from '../modbus/sunspec.js';
import { ModbusDevice } from '../modbus/device.js';
import type { RegisterWrite } from '../modbus/charger-behaviour.js';
import { unverifiedFacts, type MeterProfile } from '../modbus/device-profile.js';
import { setUp } from '../modbus/setup.js';
import { describeFault, type ModbusFault, type ModbusLink } from '../modbus/link.js';
import type { AdapterContext, MeterDriver, MeterHost } from '../../gateway/ports/station.js';
import type { Meter } from '../../gateway/site/topology.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { seconds } from '../../gateway/kernel/units.js';
import { EnergyCounters } from './energy-counters.js';
import { FLOW, meterReading } from './reading.js';

const POLL = seconds(1);

/** Opens a meter and reads it every second, or as fast as its profile allows, until stopped. */
export function openModbusMeter(
  meter: Meter,
  profile: MeterProfile,
  link: ModbusLink,
  host: MeterHost,
  context: AdapterContext,
): MeterDriver {
  const driver = new ModbusMeter(meter, profile, link, host, context);
  driver.start();
  return driver;
}

interface ReadyDevice {
  readonly device: ModbusDevice;
  readonly counters: EnergyCounters;
  readonly phases: 1 | 2 | 3;
}

class ModbusMeter implements MeterDriver {
  private ready: ReadyDevice | undefined;
  private polling: Promise<void> | undefined;
  private trouble: string | undefined;
  private stopped = false;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly meter: Meter,
    private readonly profile: MeterProfile,
    private readonly link: ModbusLink,
    private readonly host: MeterHost,
    private readonly context: AdapterContext,
  ) {}

  start(): void {
    for (const fact of unverifiedFacts(this.profile)) {
      const fields = { meter: this.meter.id, device: this.profile.id, fault: FAULTS.modbusUnverified.code };
      this.context.log.warn(fields, fact);
    }
    const poll = (): void => {
      this.polling ??= this.poll().finally(() => (this.polling = undefined));
    };
    this.cancel = this.context.clock.every(POLL, poll);
    poll();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.polling;
  }

  private async poll(): Promise<void> {
    const prepared = this.ready === undefined ? await this.prepare() : ok(this.ready);
    if (!prepared.ok) return this.note(prepared.error);
    this.ready = prepared.value;
    const { device, counters, phases } = this.ready;
    // Energy first: what flows should be as fresh as it can be.
    const energy = await counters.read();
    if (!energy.ok) return this.lost(energy.error);
    const flow = await device.read(FLOW);
    if (!flow.ok) return this.lost(flow.error);
    const values = new Map([...energy.value, ...flow.value]);
    const reading = meterReading(this.meter, this.context.clock.now(), this.profile, values, phases);
    if (reading === undefined) return this.note('the meter does not tell the current of every phase');
    this.note(undefined);
    if (!this.stopped) this.host.reading(reading);
  }

  private lost(fault: ModbusFault): void {
    // Another device may answer after a loss of the connection, with its blocks elsewhere.
    if (fault.kind !== 'exception') this.ready = undefined;
    this.note(describeFault(fault));
  }

  private async prepare(): Promise<Result<ReadyDevice, string>> {
    const placed = await this.locate();
    if (!placed.ok) return placed;
    const about = (setting: RegisterWrite): void =>
      this.context.log.warn({ meter: this.meter.id, ...setting }, 'meter is set up for another map, changing it');
    const set = await setUp(placed.value.device, about);
    if (!set.ok) return set;
    return placed;
  }

  private async locate(): Promise<Result<ReadyDevice, string>> {
    const unit = this.meter.unit === undefined ? {} : { unit: this.meter.unit };
    const { addressing } = this.profile;
    if (addressing.kind !== 'sunspec') {
      return ok(this.found(new ModbusDevice(this.link, this.profile, { instance: 1, ...unit }), this.profile.phases));
    }
    const number = this.meter.unit ?? this.profile.unit.unit;
    const found = await findSunSpecModel(this.link, number, addressing, this.profile.io);
    if (!found.ok) return failed(describeFault(found.error));
    if (found.value === undefined) return failed('no SunSpec meter model found');
    const { base, model } = found.value;
    const device = new ModbusDevice(this.link, this.profile, { instance: 1, base, ...unit });
    return ok(this.found(device, model.phases));
  }

  private found(device: ModbusDevice, phases: 1 | 2 | 3): ReadyDevice {
    const counters = new EnergyCounters(device, (direction) => {
      this.context.log.info({ meter: this.meter.id, direction }, 'meter does not count this direction of energy');
    });
    return { device, counters, phases };
  }

  /** Logs once per change, not once per second. */
  private note(trouble: string | undefined): void {
    if (trouble === this.trouble || this.stopped) return;
    this.trouble = trouble;
    if (trouble === undefined) this.context.log.info({ meter: this.meter.id }, 'meter is read');
    else {
      const fields = { meter: this.meter.id, fault: FAULTS.modbusSilent.code, reason: trouble };
      this.context.log.warn(fields, 'meter cannot be read');
    }
  }
}
