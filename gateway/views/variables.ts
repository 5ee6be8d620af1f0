// The device model of the gateway as one CSMS sees it: reading, writing and reporting its variables.
import { seconds, toRfc3339, type Milliseconds, type Timestamp } from '../kernel/units.js';
import type { ReportedVariable, VariableReference, VariableResult } from '../ports/csms.js';
import type { Operations } from '../ports/operations.js';
import type { Csms, Site } from '../site/topology.js';
import { checkValue } from './variable-value.js';
import { VARIABLES, type VariableDefinition } from './variable-table.js';

export interface VariableDependencies {
  readonly csms: Csms;
  readonly site: Site;
  readonly operations: Pick<Operations, 'siteVariable' | 'setSiteVariable' | 'localListEntries'>;
  readonly now: () => Timestamp;
  /** Variables of the hardware and others that are only read, as they are now. */
  readonly inventory: () => readonly ReportedVariable[];
  /** Makes this CSMS's own values durable before the CSMS is told that they hold. */
  readonly save: (values: Readonly<Record<string, string>>) => Promise<void>;
}

const keyOf = (reference: Pick<VariableReference, 'component' | 'variable' | 'instance'>): string =>
  `${reference.component}.${reference.variable}${reference.instance === undefined ? '' : `[${reference.instance}]`}`;

/** Names are compared without regard to case (2.0.1 part 2, identifierString). */
const DEFINITIONS: ReadonlyMap<string, VariableDefinition> = new Map(
  VARIABLES.map((definition) => [keyOf(definition).toLowerCase(), definition]),
);
const COMPONENTS: ReadonlySet<string> = new Set(VARIABLES.map(({ component }) => component.toLowerCase()));

export class Variables {
  readonly #is: VariableDependencies;
  /** This CSMS's own values, by `Component.Variable[instance]`. */
  #own: Readonly<Record<string, string>>;

  constructor(dependencies: VariableDependencies, stored: unknown) {
    this.#is = dependencies;
    this.#own = parseValues(stored);
  }

  /** A value of the table. @throws Error when the table has no such variable, which is a fault of ours */
  text(component: string, variable: string, instance?: string): string {
    const key = keyOf({ component, variable, ...(instance === undefined ? {} : { instance }) });
    const definition = DEFINITIONS.get(key.toLowerCase());
    if (definition === undefined) throw new Error(`the device model has no ${key}`);
    return this.#valueOf(definition);
  }

  number(component: string, variable: string, instance?: string): number {
    return Number(this.text(component, variable, instance));
  }

  duration(component: string, variable: string, instance?: string): Milliseconds {
    return seconds(this.number(component, variable, instance));
  }

  get(reference: VariableReference): VariableResult {
    const attribute = reference.attribute ?? 'Actual';
    const definition = this.#definition(reference);
    if (definition !== undefined) {
      const readOnly = definition.mutability === 'ReadOnly';
      if (attribute === 'MaxSet' || attribute === 'MinSet') {
        const bound = attribute === 'MaxSet' ? definition.max : definition.min;
        return bound === undefined
          ? { ...reference, status: 'NotSupportedAttributeType' }
          : { ...reference, status: 'Accepted', value: String(bound), readOnly: true };
      }
      if (attribute === 'Target') return { ...reference, status: 'NotSupportedAttributeType' };
      if (definition.mutability === 'WriteOnly') return { ...reference, status: 'Rejected', readOnly };
      return { ...reference, status: 'Accepted', value: this.#valueOf(definition), readOnly };
    }
    const found = this.#inInventory(reference);
    if (typeof found === 'string') return { ...reference, status: found };
    if (attribute === 'MaxSet' && found.max !== undefined)
      return { ...reference, status: 'Accepted', value: String(found.max), readOnly: true };
    if (attribute !== 'Actual') return { ...reference, status: 'NotSupportedAttributeType' };
    return { ...reference, status: 'Accepted', value: found.value ?? '', readOnly: true };
  }

  /**
   * Writes what can be written, each on its own.
   * @param siteToo whether this CSMS may change what is shared with others: an authority may
   */
  async set(
    changes: readonly (VariableReference & { readonly value: string })[],
    siteToo: boolean,
  ): Promise<readonly VariableResult[]> {
    const results: VariableResult[] = [];
    for (const { value, ...reference } of changes) {
      const outcome = await this.#setOne(reference, value, siteToo);
      results.push({ ...reference, status: outcome });
    }
    return results;
  }

  /**
   * A value that the CSMS gave by another way than SetVariables, such as the interval in a boot answer: it holds at
   * once and is saved afterwards.
   */
  async keep(component: string, variable: string, value: string): Promise<void> {
    const definition = DEFINITIONS.get(keyOf({ component, variable }).toLowerCase());
    const checked = definition && checkValue(definition, value);
    if (definition === undefined || !checked?.ok || this.#valueOf(definition) === checked.value) return;
    this.#own = { ...this.#own, [keyOf(definition)]: checked.value };
    await this.#is.save(this.#own);
  }

  report(base: 'ConfigurationInventory' | 'FullInventory' | 'SummaryInventory'): readonly ReportedVariable[] {
    const all = [...VARIABLES.map((definition) => this.#reported(definition)), ...this.#is.inventory()];
    if (base === 'FullInventory') return all;
    if (base === 'ConfigurationInventory') return all.filter(({ mutability }) => mutability !== 'ReadOnly');
    return all.filter(({ variable }) => variable === 'AvailabilityState' || variable === 'Available');
  }

  async #setOne(reference: VariableReference, value: string, siteToo: boolean): Promise<VariableResult['status']> {
    const definition = this.#definition(reference);
    const attribute = reference.attribute ?? 'Actual';
    if (definition === undefined) {
      const found = this.#inInventory(reference);
      return typeof found === 'string' ? found : 'Rejected';
    }
    if (attribute !== 'Actual') return 'NotSupportedAttributeType';
    if (definition.mutability === 'ReadOnly') return 'Rejected';
    const checked = checkValue(definition, value);
    if (!checked.ok) return 'Rejected';
    if (definition.keeper === 'view') {
      await this.#save(definition, checked.value);
      return 'Accepted';
    }
    if (!siteToo || definition.keeper === 'fixed') return 'Rejected';
    // A password is between the gateway and one CSMS: the instance says which.
    const instance = definition.mutability === 'WriteOnly' ? this.#is.csms.id : definition.instance;
    const { component, variable } = definition;
    return (await this.#is.operations.setSiteVariable(component, variable, instance, checked.value)).status;
  }

  async #save(definition: VariableDefinition, value: string): Promise<void> {
    const next = { ...this.#own, [keyOf(definition)]: value };
    await this.#is.save(next);
    this.#own = next;
  }

  #definition(reference: VariableReference): VariableDefinition | undefined {
    if (reference.evse !== undefined || reference.componentInstance !== undefined) return undefined;
    return DEFINITIONS.get(keyOf(reference).toLowerCase());
  }

  #valueOf(definition: VariableDefinition): string {
    const { component, variable, instance, keeper } = definition;
    if (keeper === 'fixed') return definition.default;
    if (keeper === 'view') return this.#own[keyOf(definition)] ?? definition.default;
    return this.#is.operations.siteVariable(component, variable, instance) ?? this.#siteDefault(definition);
  }

  /** Where site.yaml has its own word for it. */
  #siteDefault(definition: VariableDefinition): string {
    const { authorization } = this.#is.site;
    switch (keyOf(definition)) {
      case 'AuthCtrlr.OfflineTxForUnknownIdEnabled':
        return String(authorization.offline !== 'known-only');
      case 'LocalAuthListCtrlr.Entries':
        return String(this.#is.operations.localListEntries(this.#is.csms.id));
      case 'AuthCacheCtrlr.LifeTime':
        return String(Math.floor(authorization.cacheLifetime / 1000));
      case 'TxCtrlr.StopTxOnInvalidId':
        return String(authorization.stopOnInvalidId);
      case 'TxCtrlr.MaxEnergyOnInvalidId':
        return String(Math.floor(authorization.maxEnergyOnInvalidId ?? 0));
      default:
        return definition.default;
    }
  }

  #inInventory(reference: VariableReference): ReportedVariable | 'UnknownComponent' | 'UnknownVariable' {
    const same = (a: string | undefined, b: string | undefined): boolean => a?.toLowerCase() === b?.toLowerCase();
    const component = this.#is
      .inventory()
      .filter(
        (each) =>
          same(each.component, reference.component) &&
          same(each.componentInstance, reference.componentInstance) &&
          each.evse === reference.evse &&
          each.connector === reference.connector,
      );
    const found = component.find(
      (each) => same(each.variable, reference.variable) && same(each.instance, reference.instance),
    );
    if (found !== undefined) return found;
    const inTable = reference.evse === undefined && COMPONENTS.has(reference.component.toLowerCase());
    return component.length > 0 || inTable ? 'UnknownVariable' : 'UnknownComponent';
  }

  #reported(definition: VariableDefinition): ReportedVariable {
    const { component, variable, instance, mutability, dataType, unit, values, min, max } = definition;
    return {
      component,
      variable,
      ...(instance === undefined ? {} : { instance }),
      mutability,
      dataType,
      ...(mutability === 'WriteOnly' ? {} : { value: this.#valueOf(definition) }),
      ...(unit === undefined ? {} : { unit }),
      ...(values === undefined ? {} : { values: values.join(',') }),
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    };
  }
}

/** What the gateway says of its own clock, identity and link beside the table. */
export function gatewayInventory(csms: Csms, site: Site, now: Timestamp): readonly ReportedVariable[] {
  const readOnly = (
    component: string,
    variable: string,
    dataType: ReportedVariable['dataType'],
    value: string,
  ): ReportedVariable => ({ component, variable, dataType, value, mutability: 'ReadOnly' });
  return [
    readOnly('ClockCtrlr', 'DateTime', 'dateTime', toRfc3339(now)),
    readOnly('ClockCtrlr', 'TimeZone', 'string', site.timeZone),
    readOnly('SecurityCtrlr', 'Identity', 'string', csms.identity),
    readOnly('SecurityCtrlr', 'SecurityProfile', 'integer', String(csms.securityProfile)),
  ];
}

function parseValues(stored: unknown): Readonly<Record<string, string>> {
  if (typeof stored !== 'object' || stored === null) return {};
  return Object.fromEntries(
    Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
