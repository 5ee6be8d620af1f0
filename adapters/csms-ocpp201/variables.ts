// OCPP 2.0.1 GetVariables, SetVariables, GetBaseReport and GetReport over the device model.
import type { OCPP20 } from 'typed-ocpp';
import type { CsmsAnswer, VariableReference, VariableResult } from '../../gateway/ports/csms.js';
import { route, type Route } from '../ocpp-j/csms-route.js';
import { truncate } from '../ocpp-j/truncate.js';
import { componentOf, matches, referenceOf, variableOf } from './encode-report.js';
import { statusOf } from './statuses.js';

type GetResult = OCPP20.GetVariablesResponse['getVariableResult'][number];
type SetResult = OCPP20.SetVariablesResponse['setVariableResult'][number];

const withAttribute = (
  reference: VariableReference,
  attribute: VariableReference['attribute'] | undefined,
): VariableReference => (attribute === undefined ? reference : { ...reference, attribute });

/** The host answers in the order of the question; what it left out, or could not look up at all, is Rejected. */
const resultFor = (answer: CsmsAnswer, index: number): Pick<VariableResult, 'status' | 'value'> =>
  answer.variables?.[index] ?? { status: 'Rejected' };

export const getVariables: Route = route<OCPP20.GetVariablesRequest, OCPP20.GetVariablesResponse>(
  ({ getVariableData }) => ({
    type: 'getVariables',
    variables: getVariableData.map(({ component, variable, attributeType }) =>
      withAttribute(referenceOf(component, variable), attributeType),
    ),
  }),
  (answer, { getVariableData }) => ({
    getVariableResult: getVariableData.map(({ component, variable, attributeType }, index): GetResult => {
      const { status, value } = resultFor(answer, index);
      const reference = referenceOf(component, variable);
      return {
        // Reading never asks for a reboot.
        attributeStatus: status === 'RebootRequired' ? 'Accepted' : status,
        ...(attributeType !== undefined && { attributeType }),
        ...(status === 'Accepted' && { attributeValue: truncate(value ?? '', 2500) }),
        component: componentOf(reference),
        variable: variableOf(reference),
      };
    }),
  }),
);

export const setVariables: Route = route<OCPP20.SetVariablesRequest, OCPP20.SetVariablesResponse>(
  ({ setVariableData }) => ({
    type: 'setVariables',
    variables: setVariableData.map(({ component, variable, attributeType, attributeValue }) => ({
      ...withAttribute(referenceOf(component, variable), attributeType),
      value: attributeValue,
    })),
  }),
  (answer, { setVariableData }) => ({
    setVariableResult: setVariableData.map(({ component, variable, attributeType }, index): SetResult => {
      const reference = referenceOf(component, variable);
      return {
        attributeStatus: resultFor(answer, index).status,
        ...(attributeType !== undefined && { attributeType }),
        component: componentOf(reference),
        variable: variableOf(reference),
      };
    }),
  }),
);

const REPORT_STATUS = ['Accepted', 'Rejected', 'NotSupported', 'EmptyResultSet'] as const;

export const getBaseReport: Route = route<OCPP20.GetBaseReportRequest, OCPP20.GetBaseReportResponse>(
  ({ requestId, reportBase }) => ({ type: 'getReport', requestId, base: reportBase }),
  (answer) => statusOf(answer, REPORT_STATUS, 'Rejected'),
);

const report = route<OCPP20.GetReportRequest, OCPP20.GetReportResponse>(
  ({ requestId, componentVariable: asked }) => ({
    type: 'getReport',
    requestId,
    base: 'FullInventory',
    ...(asked && { only: (variable) => matches(asked, variable) }),
  }),
  (answer) => statusOf(answer, REPORT_STATUS, 'Rejected'),
);

export const getReport: Route = (payload, command) =>
  // Components are not kept by state (B08.FR.15).
  'componentCriteria' in payload
    ? Promise.resolve({ kind: 'result', payload: { status: 'NotSupported' } })
    : report(payload, command);
