// Device-model variables <-> OCPP 2.0.1 components, and NotifyReport in pieces that fit.
import type { OCPP20 } from 'typed-ocpp';
import type { ReportedVariable, VariableReference } from '../../gateway/ports/csms.js';
import { type Timestamp, toRfc3339 } from '../../gateway/kernel/units.js';
import { truncate } from '../ocpp-j/truncate.js';

type ReportData = NonNullable<OCPP20.NotifyReportRequest['reportData']>[number];
type Component201 = ReportData['component'];
type Variable201 = ReportData['variable'];

/** What a CSMS can receive in one message is not known; 16 kB and 50 items pass everywhere. */
const LARGEST_REPORT = 16_000;
const MOST_ITEMS = 50;

export const componentOf = (reference: VariableReference): Component201 => ({
  name: reference.component,
  ...(reference.componentInstance !== undefined && { instance: reference.componentInstance }),
  ...(reference.evse !== undefined && {
    evse: { id: reference.evse, ...(reference.connector !== undefined && { connectorId: reference.connector }) },
  }),
});

export const variableOf = (reference: VariableReference): Variable201 => ({
  name: reference.variable,
  ...(reference.instance !== undefined && { instance: reference.instance }),
});

export const referenceOf = (component: Component201, variable: Variable201): VariableReference => ({
  component: component.name,
  ...(component.instance !== undefined && { componentInstance: component.instance }),
  ...(component.evse && { evse: component.evse.id }),
  ...(component.evse?.connectorId !== undefined && { connector: component.evse.connectorId }),
  variable: variable.name,
  ...(variable.instance !== undefined && { instance: variable.instance }),
});

const keyOf = (v: VariableReference): string =>
  JSON.stringify([v.component, v.componentInstance, v.evse, v.connector, v.variable, v.instance]).toLowerCase();

/** One entry a variable; its attributes (Actual, MaxSet and so on) together. */
export function encodeReportData(variables: readonly ReportedVariable[]): ReportData[] {
  const byVariable = new Map<string, ReportedVariable[]>();
  for (const variable of variables) {
    const key = keyOf(variable);
    const same = byVariable.get(key);
    // The schema holds four attributes: the four that there are.
    if (same && same.length < 4) same.push(variable);
    else if (!same) byVariable.set(key, [variable]);
  }
  return [...byVariable.values()].flatMap((attributes) => {
    const [first] = attributes;
    if (!first) return [];
    return [
      {
        component: componentOf(first),
        variable: variableOf(first),
        variableAttribute: attributes.map((attribute) => ({
          ...(attribute.attribute !== undefined && { type: attribute.attribute }),
          ...(attribute.value !== undefined && { value: truncate(attribute.value, 2500) }),
          mutability: attribute.mutability,
        })),
        variableCharacteristics: {
          dataType: first.dataType,
          supportsMonitoring: false,
          ...(first.unit !== undefined && { unit: truncate(first.unit, 16) }),
          ...(first.min !== undefined && { minLimit: first.min }),
          ...(first.max !== undefined && { maxLimit: first.max }),
          ...(first.values !== undefined && { valuesList: truncate(first.values, 1000) }),
        },
      },
    ];
  });
}

/** At least one message, numbered from 0; the last one is not `tbc` (B07.FR.08). */
export function encodeReport(
  requestId: number,
  variables: readonly ReportedVariable[],
  generatedAt: Timestamp,
): OCPP20.NotifyReportRequest[] {
  const pieces: ReportData[][] = [[]];
  let size = 0;
  for (const item of encodeReportData(variables)) {
    const length = JSON.stringify(item).length;
    const piece = pieces.at(-1);
    if (!piece || (piece.length > 0 && (size + length > LARGEST_REPORT || piece.length >= MOST_ITEMS))) {
      pieces.push([item]);
      size = length;
    } else {
      piece.push(item);
      size += length;
    }
  }
  return pieces.map((reportData, seqNo) => ({
    requestId,
    generatedAt: toRfc3339(generatedAt),
    seqNo,
    tbc: seqNo < pieces.length - 1,
    ...(reportData.length > 0 && { reportData }),
  }));
}

/** The part of the device model that GetReport asks for: a component, or one variable of it. */
export type ReportFilter = NonNullable<OCPP20.GetReportRequest['componentVariable']>;

const same = (asked: string | number | undefined, has: string | number | undefined): boolean =>
  asked === undefined || String(asked).toLowerCase() === String(has).toLowerCase();

/** An absent part of the question matches everything (B08). */
export const matches = (filter: ReportFilter, reported: VariableReference): boolean =>
  filter.some(
    ({ component, variable }) =>
      same(component.name, reported.component) &&
      same(component.instance, reported.componentInstance) &&
      same(component.evse?.id, reported.evse) &&
      same(component.evse?.connectorId, reported.connector) &&
      same(variable?.name, reported.variable) &&
      same(variable?.instance, reported.instance),
  );
