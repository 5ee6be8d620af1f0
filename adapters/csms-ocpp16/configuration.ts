// OCPP 1.6 GetConfiguration and ChangeConfiguration over the device model.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsAnswer, CsmsHost, Slot, VariableReference, VariableResult } from '../../gateway/ports/csms.js';
import { type Commander, payloadOf, requestOf, type Route } from '../ocpp-j/csms-route.js';
import { truncate } from '../ocpp-j/truncate.js';
import {
  CONFIGURATION_KEYS,
  findKey,
  type FoundKey,
  toKeyValue,
  toVariableValue,
  WRITE_ONLY_KEYS,
} from './configuration-keys.js';

type KeyValue = NonNullable<OCPP16.GetConfigurationResponse['configurationKey']>[number];
type Slots = Pick<CsmsHost, 'slotOfFlat'>;

/** A key that is read from some variables, none or many. */
interface Question {
  /** As the CSMS spelt it. */
  readonly name: string;
  readonly variables: readonly VariableReference[];
  /** Undefined: the key is unknown. */
  readonly read: (results: readonly (VariableResult | undefined)[]) => KeyValue | undefined;
}

function flatSlots(slots: Slots): readonly Slot[] {
  const found: Slot[] = [];
  for (let slot = slots.slotOfFlat(1); slot; slot = slots.slotOfFlat(found.length + 1)) found.push(slot);
  return found;
}

/** CiString500Type: a longer value would cost the CSMS the whole answer. */
const LONGEST_VALUE = 500;

/** As many items as one value holds: a site may have more connectors than that. */
function wholeItems(list: readonly string[]): string {
  let text = '';
  for (const item of list) {
    const longer = text === '' ? item : `${text},${item}`;
    if (longer.length > LONGEST_VALUE) break;
    text = longer;
  }
  return text;
}

const own = (key: string, value: string): Omit<Question, 'name'> => ({
  variables: [],
  read: () => ({ key, readonly: true, value }),
});

/** Read-only keys that are no variable of their own: counted, built in, or put together from every connector. */
const OWN_KEYS: Readonly<Record<string, (slots: Slots) => Omit<Question, 'name'>>> = {
  NumberOfConnectors: (slots) => own('NumberOfConnectors', String(flatSlots(slots).length)),
  SupportedFeatureProfiles: () =>
    own('SupportedFeatureProfiles', 'Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger'),
  ConnectorPhaseRotation: (slots) => ({
    variables: flatSlots(slots).map(({ evse, connector }) => ({
      component: 'Connector',
      variable: 'PhaseRotation',
      evse,
      connector,
    })),
    read: (results) => ({
      key: 'ConnectorPhaseRotation',
      readonly: true,
      // Such as `1.RST,2.Unknown` (OCPP 1.6 section 9.1.8).
      value: wholeItems(
        results.map(
          (result, index) => `${index + 1}.${result?.status === 'Accepted' && result.value ? result.value : 'Unknown'}`,
        ),
      ),
    }),
  }),
};

const ownKeyOf = (name: string): string | undefined =>
  Object.keys(OWN_KEYS).find((key) => key.toLowerCase() === name.toLowerCase());

/** The variable behind a key, on the connector its suffix names; undefined: there is no such connector. */
function located(found: FoundKey, reference: VariableReference, slots: Slots): VariableReference | undefined {
  if (found.flat === undefined) return reference;
  const slot = slots.slotOfFlat(found.flat);
  return slot && { ...reference, evse: slot.evse, connector: slot.connector };
}

function keyValue(found: FoundKey, result: VariableResult | undefined): KeyValue | undefined {
  if (result?.status !== 'Accepted') return undefined;
  const secret = WRITE_ONLY_KEYS.has(found.key);
  return {
    key: found.key,
    readonly: result.readOnly ?? false,
    ...(result.value !== undefined &&
      !secret && { value: truncate(toKeyValue(found.definition.form, result.value), LONGEST_VALUE) }),
  };
}

/** The write-only key exists although reading it is refused. */
const hidden = (found: FoundKey): KeyValue | undefined =>
  WRITE_ONLY_KEYS.has(found.key) ? { key: found.key, readonly: false } : undefined;

function questionOf(name: string, slots: Slots): Question {
  const ownKey = ownKeyOf(name);
  const build = ownKey === undefined ? undefined : OWN_KEYS[ownKey];
  if (build) return { name, ...build(slots) };
  const found = findKey(name);
  const variable = found && located(found, found.definition.variable, slots);
  if (!found || !variable) return { name, variables: [], read: () => undefined };
  return { name, variables: [variable], read: ([result]) => keyValue(found, result) ?? hidden(found) };
}

/** Without keys: every key that the gateway has (OCPP 1.6 section 5.8). */
export const getConfiguration =
  (slots: Slots): Route =>
  async (payload, command: Commander) => {
    const asked = requestOf<OCPP16.GetConfigurationRequest>(payload).key ?? [];
    const all = asked.length === 0;
    const names = all ? [...Object.keys(OWN_KEYS), ...Object.keys(CONFIGURATION_KEYS)] : [...new Set(asked)];
    const questions = names.map((name) => questionOf(name, slots));
    const variables = questions.flatMap((question) => question.variables);
    const answer: Pick<CsmsAnswer, 'variables' | 'afterwards'> =
      variables.length > 0 ? await command({ type: 'getVariables', variables }) : {};
    const configurationKey: KeyValue[] = [];
    const unknownKey: string[] = [];
    let next = 0;
    for (const question of questions) {
      const results = question.variables.map(() => answer.variables?.[next++]);
      const value = question.read(results);
      if (value) configurationKey.push(value);
      else if (!all) unknownKey.push(question.name);
    }
    const response: OCPP16.GetConfigurationResponse = {
      configurationKey,
      ...(unknownKey.length > 0 && { unknownKey }),
    };
    return {
      kind: 'result',
      payload: payloadOf(response),
      ...(answer.afterwards && { afterwards: answer.afterwards }),
    };
  };

type ChangeStatus = OCPP16.ChangeConfigurationResponse['status'];

const CHANGE_STATUS = {
  Accepted: 'Accepted',
  Rejected: 'Rejected',
  RebootRequired: 'RebootRequired',
  UnknownComponent: 'NotSupported',
  UnknownVariable: 'NotSupported',
  NotSupportedAttributeType: 'NotSupported',
} as const satisfies Record<VariableResult['status'], ChangeStatus>;

export const changeConfiguration =
  (slots: Slots): Route =>
  async (payload, command: Commander) => {
    const { key, value } = requestOf<OCPP16.ChangeConfigurationRequest>(payload);
    const respond = (status: ChangeStatus, afterwards?: () => void) =>
      ({ kind: 'result', payload: { status }, ...(afterwards && { afterwards }) }) as const;
    if (ownKeyOf(key) !== undefined) return respond('Rejected');
    const found = findKey(key);
    const first = found && located(found, found.definition.variable, slots);
    if (!found || !first) return respond('NotSupported');
    const written = toVariableValue(found.definition.form, value);
    if (written === undefined || first.attribute === 'MaxSet') return respond('Rejected');
    const others = (found.definition.also ?? []).flatMap((reference) => located(found, reference, slots) ?? []);
    const answer = await command({
      type: 'setVariables',
      variables: [first, ...others].map((reference) => ({ ...reference, value: written })),
    });
    // The first variable is the key; the others follow where the gateway has them.
    const status = answer.variables?.[0]?.status;
    if (status === undefined) return respond('Rejected', answer.afterwards);
    const reboot = answer.variables?.some((result) => result.status === 'RebootRequired') ?? false;
    return respond(status === 'Accepted' && reboot ? 'RebootRequired' : CHANGE_STATUS[status], answer.afterwards);
  };
