// OCPP 1.6 GetConfiguration and ChangeConfiguration over the device model.
import type { OCPP16 } from 'typed-ocpp';
import type { CsmsAnswer, CsmsHost, VariableReference, VariableResult } from '../../gateway/ports/csms.js';
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

/** Keys of which the value is a matter of this adapter: what it counts and what it has built in. */
const OWN_KEYS: ReadonlyMap<string, (slots: Slots) => string> = new Map([
  [
    'NumberOfConnectors',
    (slots: Slots) => {
      let count = 0;
      while (slots.slotOfFlat(count + 1) !== undefined) count++;
      return String(count);
    },
  ],
  ['SupportedFeatureProfiles', () => 'Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger'],
]);

const ownKeyOf = (name: string): string | undefined =>
  [...OWN_KEYS.keys()].find((key) => key.toLowerCase() === name.toLowerCase());

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
      !secret && { value: truncate(toKeyValue(found.definition.form, result.value), 2048) }),
  };
}

/** The write-only key exists although reading it is refused. */
const hidden = (found: FoundKey): KeyValue | undefined =>
  WRITE_ONLY_KEYS.has(found.key) ? { key: found.key, readonly: false } : undefined;

export const getConfiguration =
  (slots: Slots): Route =>
  async (payload, command: Commander) => {
    const asked = requestOf<OCPP16.GetConfigurationRequest>(payload).key ?? [];
    const all = asked.length === 0;
    const names = all ? [...OWN_KEYS.keys(), ...Object.keys(CONFIGURATION_KEYS)] : [...new Set(asked)];
    const configurationKey: KeyValue[] = [];
    const unknownKey: string[] = [];
    const wanted: { name: string; found: FoundKey; variable: VariableReference }[] = [];
    for (const name of names) {
      const own = ownKeyOf(name);
      const found = findKey(name);
      const variable = found && located(found, found.definition.variable, slots);
      if (own !== undefined)
        configurationKey.push({ key: own, readonly: true, value: OWN_KEYS.get(own)?.(slots) ?? '' });
      else if (found && variable) wanted.push({ name, found, variable });
      else unknownKey.push(name);
    }
    const answer: Pick<CsmsAnswer, 'variables' | 'afterwards'> =
      wanted.length > 0
        ? await command({ type: 'getVariables', variables: wanted.map(({ variable }) => variable) })
        : {};
    wanted.forEach(({ name, found }, index) => {
      const value = keyValue(found, answer.variables?.[index]) ?? hidden(found);
      if (value) configurationKey.push(value);
      else if (!all) unknownKey.push(name);
    });
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
