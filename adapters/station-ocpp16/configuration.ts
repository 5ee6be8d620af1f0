// The configuration of an OCPP 1.6 charger as GetConfiguration lists it, and what follows from it.
import type { Payload } from '../ocpp-j/contract.js';
import { booleanOf, memberOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { ChargingRateUnit } from '../../gateway/site/charging-profile.js';

interface Key {
  readonly value: string;
  readonly readonly: boolean;
}

const DEFAULT_LIST_CHUNK = 20;

const positive = (value: string | undefined): number | undefined => {
  const number = Number(value);
  return value !== undefined && value.trim() !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** Keys compare without regard to case: chargers spell them as they like. */
export class Configuration {
  readonly #keys: ReadonlyMap<string, Key>;

  /** @param payload a GetConfiguration answer; an empty one knows nothing */
  constructor(payload: Payload) {
    this.#keys = new Map(
      recordsOf(payload, 'configurationKey').flatMap((entry): [string, Key][] => {
        const key = textOf(entry, 'key');
        if (key === undefined) return [];
        return [
          [key.toLowerCase(), { value: textOf(entry, 'value') ?? '', readonly: booleanOf(entry, 'readonly') ?? false }],
        ];
      }),
    );
  }

  get known(): boolean {
    return this.#keys.size > 0;
  }

  value(key: string): string | undefined {
    return this.#keys.get(key.toLowerCase())?.value;
  }

  has(key: string): boolean {
    return this.#keys.has(key.toLowerCase());
  }

  isReadonly(key: string): boolean {
    return this.#keys.get(key.toLowerCase())?.readonly ?? false;
  }

  /** Whether the key already says so; `TRUE` is `true`, and blanks in lists do not count. */
  says(key: string, value: string): boolean {
    return this.value(key)?.replaceAll(' ', '').toLowerCase() === value.toLowerCase();
  }

  number(key: string): number | undefined {
    return positive(this.value(key));
  }

  /** Units of charging profiles, ampere first; chargers write `Current`, `Power`, `A` or `W`. Empty where not told. */
  get rateUnits(): readonly ChargingRateUnit[] {
    const written = (this.value('ChargingScheduleAllowedChargingRateUnit') ?? '').toLowerCase().split(/[^a-z]+/);
    const units: ChargingRateUnit[] = [];
    if (written.includes('a') || written.includes('current')) units.push('A');
    if (written.includes('w') || written.includes('power')) units.push('W');
    return units;
  }

  /** Entries that one SendLocalList may carry. */
  get listChunk(): number {
    const told = this.number('SendLocalListMaxLength');
    return told === undefined || told === 0 ? DEFAULT_LIST_CHUNK : told;
  }

  /** What SupportedFeatureProfiles promises; empty where the charger does not say. */
  get abilities(): Partial<Capabilities> {
    const written = this.value('SupportedFeatureProfiles');
    if (written === undefined || written.trim() === '') return {};
    const profiles = written.split(/[,;\s]+/);
    const entries = this.number('LocalAuthListMaxLength');
    const has = (profile: string): boolean => profiles.some((item) => memberOf(item, [profile]) !== undefined);
    return {
      currentLimit: has('SmartCharging'),
      reservation: has('Reservation'),
      localList: has('LocalAuthListManagement'),
      ...(entries !== undefined && { localListEntries: entries }),
      trigger: has('RemoteTrigger'),
      phaseSwitching: this.says('ConnectorSwitch3to1PhaseSupported', 'true'),
    };
  }
}
