// Device-model variables of an OCPP 2.0.1 station: names, reading answers and what follows from them.
import type { Payload } from '../ocpp-j/contract.js';
import { recordOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { ChargingRateUnit } from '../../gateway/site/charging-profile.js';

export interface VariableName {
  readonly component: string;
  readonly variable: string;
  readonly instance?: string;
  /** EVSE number of the station. */
  readonly evseId?: number;
  /** Actual unless said otherwise. */
  readonly attribute?: 'MaxSet';
}

export const written = (name: VariableName): Payload => ({
  component: { name: name.component, ...(name.evseId !== undefined && { evse: { id: name.evseId } }) },
  variable: { name: name.variable, ...(name.instance !== undefined && { instance: name.instance }) },
  ...(name.attribute && { attributeType: name.attribute }),
});

const keyOf = (component: string, variable: string, instance?: string): string =>
  `${component}.${variable}${instance === undefined ? '' : `[${instance}]`}`.toLowerCase();

/** What set-up wants to know; asked in portions. */
export const WANTED: readonly VariableName[] = [
  { component: 'SmartChargingCtrlr', variable: 'Available' },
  { component: 'SmartChargingCtrlr', variable: 'RateUnit' },
  { component: 'SmartChargingCtrlr', variable: 'ProfileStackLevel' },
  { component: 'SmartChargingCtrlr', variable: 'Phases3to1' },
  { component: 'SmartChargingCtrlr', variable: 'ACPhaseSwitchingSupported' },
  { component: 'ReservationCtrlr', variable: 'Available' },
  { component: 'LocalAuthListCtrlr', variable: 'Available' },
  { component: 'LocalAuthListCtrlr', variable: 'Enabled' },
  { component: 'LocalAuthListCtrlr', variable: 'ItemsPerMessage' },
  { component: 'LocalAuthListCtrlr', variable: 'Entries', attribute: 'MaxSet' },
];

const DEFAULT_LIST_CHUNK = 20;

export class Variables {
  readonly #values = new Map<string, string>();

  /** Takes in a GetVariables answer; whatever was not Accepted is not known. */
  take(payload: Payload): void {
    for (const result of recordsOf(payload, 'getVariableResult')) {
      const component = textOf(recordOf(result, 'component') ?? {}, 'name');
      const variable = recordOf(result, 'variable') ?? {};
      const name = textOf(variable, 'name');
      const value = textOf(result, 'attributeValue');
      if (component === undefined || name === undefined || value === undefined) continue;
      if (result['attributeStatus'] === 'Accepted')
        this.#values.set(
          keyOf(component, name, textOf(variable, 'instance')) + (result['attributeType'] === 'MaxSet' ? ' max' : ''),
          value.trim(),
        );
    }
  }

  value(component: string, variable: string): string | undefined {
    return this.#values.get(keyOf(component, variable));
  }

  number(component: string, variable: string): number | undefined {
    const value = this.value(component, variable);
    const number = Number(value);
    return value !== undefined && value !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  }

  #flag(component: string, variable: string): boolean | undefined {
    const value = this.value(component, variable)?.toLowerCase();
    return value === 'true' ? true : value === 'false' ? false : undefined;
  }

  /** Units of charging profiles, ampere first; stations write `A,W`, some the words of 1.6. Empty where not told. */
  get rateUnits(): readonly ChargingRateUnit[] {
    const told = (this.value('SmartChargingCtrlr', 'RateUnit') ?? '').toLowerCase().split(/[^a-z]+/);
    const units: ChargingRateUnit[] = [];
    if (told.includes('a') || told.includes('current')) units.push('A');
    if (told.includes('w') || told.includes('power')) units.push('W');
    return units;
  }

  /** It can be told on which of its phases a car charges that is to use only one. */
  get choosesPhase(): boolean {
    return this.#flag('SmartChargingCtrlr', 'ACPhaseSwitchingSupported') ?? false;
  }

  get listChunk(): number {
    const told = this.number('LocalAuthListCtrlr', 'ItemsPerMessage');
    return told === undefined || told === 0 ? DEFAULT_LIST_CHUNK : told;
  }

  /** A controller that is not reported is not there, except that limits are tried in any case. */
  get abilities(): Partial<Capabilities> {
    const entries = this.number('LocalAuthListCtrlr', 'Entries max');
    return {
      currentLimit: this.#flag('SmartChargingCtrlr', 'Available') ?? true,
      phaseSwitching: this.#flag('SmartChargingCtrlr', 'Phases3to1') ?? false,
      reservation: this.#flag('ReservationCtrlr', 'Available') ?? false,
      // Some report only whether it is switched on, which they cannot do without having it.
      localList: this.#flag('LocalAuthListCtrlr', 'Available') ?? this.#flag('LocalAuthListCtrlr', 'Enabled') ?? false,
      ...(entries !== undefined && { localListEntries: entries }),
    };
  }
}
