// The commands of one CSMS, from its slots and transaction ids to the site's, and the answers back.
import type { EvseNumber } from '../kernel/ids.js';
import type {
  BootReason,
  CsmsAnswer,
  CsmsCommand,
  CsmsMessage,
  CsmsTransactionReference,
  SlotReference,
} from '../ports/csms.js';
import type { Operations, ProfileCriteria } from '../ports/operations.js';
import type { ChargingProfile } from '../site/charging-profile.js';
import type { IdTokenInfo } from '../site/tokens.js';
import type { Csms } from '../site/topology.js';
import type { TransactionUid } from '../kernel/ids.js';
import type { Projections } from './projections.js';
import { refusal } from './roles.js';
import type { SiteLimits } from './site-limits.js';
import type { SlotTable } from './slots.js';
import { trigger, type TriggerContext } from './triggers.js';
import type { Variables } from './variables.js';

export interface CommandContext extends Omit<TriggerContext, 'operations'> {
  readonly csms: Csms;
  readonly operations: Operations;
  readonly variables: Variables;
  readonly projections: Projections;
  readonly waiting: (uid: TransactionUid | undefined) => Promise<boolean>;
  readonly reboot: (reason: BootReason) => void;
  /** What others than this CSMS allow its EVSEs now. */
  readonly externalLimits: SiteLimits['external'];
  /** The CSMS has taken the gateway as a whole out of service, or put it back. */
  readonly stationOperative: (operative: boolean) => Promise<void>;
}

type ProfileReport = Extract<CsmsMessage, { type: 'reportChargingProfiles' }>;
type Command<Type extends CsmsCommand['type']> = Extract<CsmsCommand, { type: Type }>;
type Handlers = {
  readonly [Type in CsmsCommand['type']]: (
    command: Command<Type>,
    context: CommandContext,
  ) => CsmsAnswer | Promise<CsmsAnswer>;
};

const UNKNOWN_EVSE: CsmsAnswer = { status: 'Rejected', reasonCode: 'UnknownEvse' };
const ACCEPTED: CsmsAnswer = { status: 'Accepted' };

/** Carries out one command; every answer is one that the schema of its message knows. */
export async function carryOut(command: CsmsCommand, context: CommandContext): Promise<CsmsAnswer> {
  const refused = refusal(context.csms.role, command);
  if (refused !== undefined) return refused;
  const handle = HANDLERS[command.type] as (
    command: CsmsCommand,
    context: CommandContext,
  ) => CsmsAnswer | Promise<CsmsAnswer>;
  return handle(command, context);
}

const HANDLERS: Handlers = {
  requestStart: async (command, { csms, slots, operations, projections }) => {
    const target = slots.resolve(slotReference(command));
    if (target.kind === 'unknown') return UNKNOWN_EVSE;
    const { idToken, group, remoteStartId, chargingProfile } = command;
    const answer = await operations.requestStart(csms.id, {
      idToken,
      evses: evsesOf(slots),
      ...(group === undefined ? {} : { group }),
      ...(target.kind === 'connector' ? { target: target.target } : {}),
      ...(remoteStartId === undefined ? {} : { remoteStartId }),
      ...(chargingProfile === undefined ? {} : { chargingProfile }),
    });
    // A CSMS is told only of a transaction that it can know (F01.FR.13).
    const known = answer.transaction !== undefined && projections.of(answer.transaction) !== undefined;
    const { transaction, ...rest } = answer;
    return known && transaction !== undefined ? { ...rest, transaction } : rest;
  },

  requestStop: async ({ transaction }, context) => {
    const uid = transactionOf(transaction, context);
    if (uid === undefined) return { status: 'Rejected', reasonCode: 'TxNotFound' };
    return context.operations.requestStop(context.csms.id, uid);
  },

  unlock: async ({ target: reference }, { csms, slots, operations }) => {
    const target = slots.resolve(reference);
    if (target.kind !== 'connector') return { status: 'UnknownConnector' };
    return operations.unlock(csms.id, target.target);
  },

  changeAvailability: async ({ target: reference, operative }, context) => {
    const { csms, slots, operations } = context;
    const target = slots.resolve(reference);
    if (target.kind === 'unknown') return UNKNOWN_EVSE;
    const whole = target.kind === 'station';
    const answer = await operations.changeAvailability(
      csms.id,
      evsesOf(slots),
      whole ? undefined : target.target,
      operative,
    );
    if (whole && answer.status !== 'Rejected') await context.stationOperative(operative);
    return answer;
  },

  reset: async ({ kind, whenIdle, slotEvse }, context) => {
    const { csms, slots, operations } = context;
    if (slotEvse !== undefined && slotEvse !== 0) {
      const target = slots.resolve({ evse: slotEvse });
      if (target.kind !== 'connector') return UNKNOWN_EVSE;
      return operations.reset(csms.id, [target.target.evse], kind, whenIdle);
    }
    // Only the gateway's own session begins anew: chargers are not touched and transactions run on.
    const afterwards = (): void => context.reboot('RemoteReset');
    if (csms.resetScope === 'gateway') return { status: 'Accepted', afterwards };
    const answer = await operations.reset(csms.id, evsesOf(slots), kind, whenIdle);
    return answer.status === 'Accepted' ? { ...answer, afterwards } : answer;
  },

  reserve: async (command, { csms, slots, operations }) => {
    const target = slots.resolve(command.target);
    if (target.kind === 'unknown') return UNKNOWN_EVSE;
    const { reservationId, connectorType, idToken, group, expiry } = command;
    return operations.reserve(csms.id, {
      reservationId,
      idToken,
      expiry,
      evses: evsesOf(slots),
      ...(target.kind === 'connector' ? { target: target.target } : {}),
      ...(connectorType === undefined ? {} : { connectorType }),
      ...(group === undefined ? {} : { group }),
    });
  },

  cancelReservation: ({ reservationId }, { csms, operations }) => operations.cancelReservation(csms.id, reservationId),

  sendLocalList: ({ version, update, entries }, { csms, slots, operations }) =>
    operations.sendLocalList(
      csms.id,
      version,
      update,
      entries.map(({ idToken, info }) => (info === undefined ? { idToken } : { idToken, info: siteInfo(info, slots) })),
    ),

  getLocalListVersion: (_command, { csms, operations }) => ({
    ...ACCEPTED,
    listVersion: operations.localListVersion(csms.id),
  }),

  clearCache: (_command, { csms, operations }) => operations.clearCache(csms.id),

  setChargingProfile: async (command, context) => {
    const { csms, slots, operations } = context;
    const target = slots.resolve(command.target);
    if (target.kind === 'unknown')
      // 1.6 errata 3.39 wants an error here; 2.0.1 K01.FR.28 a refusal.
      return csms.ocpp === '1.6' ? { status: 'PropertyConstraintViolation' } : UNKNOWN_EVSE;
    const profile = withTransaction(command, context);
    if (profile === undefined) return { status: 'Rejected', reasonCode: 'TxNotFound' };
    const evse = target.kind === 'connector' ? target.target.evse : undefined;
    return operations.setChargingProfile(csms.id, evsesOf(slots), evse, profile);
  },

  clearChargingProfile: async ({ id, target: reference, purpose, stackLevel }, { csms, slots, operations }) => {
    const target = reference === undefined || reference === 'station' ? undefined : slots.resolve(reference);
    if (target?.kind === 'unknown') return { status: 'Unknown' };
    const station = reference === 'station' || target?.kind === 'station';
    const criteria: ProfileCriteria = {
      ...(id === undefined ? {} : { id }),
      ...(purpose === undefined ? {} : { purpose }),
      ...(stackLevel === undefined ? {} : { stackLevel }),
      ...(station ? { evse: 'station' as const } : {}),
      ...(target?.kind === 'connector' ? { evse: target.target.evse } : {}),
    };
    return operations.clearChargingProfiles(csms.id, criteria);
  },

  getCompositeSchedule: ({ target: reference, duration, unit }, { csms, slots, operations }) => {
    const target = slots.resolve(reference);
    if (target.kind === 'unknown') return UNKNOWN_EVSE;
    if (!(duration > 0)) return { status: 'Rejected', reasonCode: 'ValueOutOfRange' };
    const row = target.kind === 'connector' ? target.row : undefined;
    const { start, schedule } = operations.compositeSchedule(csms.id, evsesOf(slots), row?.evse, duration, unit ?? 'A');
    return {
      ...ACCEPTED,
      schedule: { slotEvse: row?.slot.evse ?? 0, slotFlat: row?.slot.flat ?? 0, start, schedule },
    };
  },

  getChargingProfiles: (command, context) => {
    const { csms, slots, operations, send } = context;
    const target = command.slotEvse === undefined ? undefined : slots.resolve({ evse: command.slotEvse });
    if (target?.kind === 'unknown') return { status: 'NoProfiles' };
    const { requestId, ids, purpose, stackLevel, sources } = command;
    const wanted = target === undefined ? undefined : target.kind === 'connector' ? target.target.evse : 'station';
    const own = operations.chargingProfiles(csms.id, {
      ...(ids === undefined ? {} : { ids }),
      ...(purpose === undefined ? {} : { purpose }),
      ...(stackLevel === undefined ? {} : { stackLevel }),
      ...(wanted === undefined ? {} : { evse: wanted }),
    });
    const external = context
      .externalLimits()
      .filter(
        ({ evse, profile }) =>
          (ids === undefined || ids.includes(profile.id)) &&
          (purpose === undefined || purpose === profile.purpose) &&
          (stackLevel === undefined || stackLevel === profile.stackLevel) &&
          (wanted === undefined || wanted === (evse ?? 'station')),
      );
    // A report is about one EVSE and one source (K09.FR.01).
    const reports = new Map<string, Omit<ProfileReport, 'more'>>();
    for (const { evse, source, profile } of [...own.map((one) => ({ source: 'CSO' as const, ...one })), ...external]) {
      const slotEvse = evse === undefined ? 0 : slots.ofEvse(evse)[0]?.slot.evse;
      if (slotEvse === undefined || sources?.includes(source) === false) continue;
      const key = `${slotEvse} ${source}`;
      const profiles = [...(reports.get(key)?.profiles ?? []), profile];
      reports.set(key, { type: 'reportChargingProfiles', requestId, slotEvse, source, profiles });
    }
    if (reports.size === 0) return { status: 'NoProfiles' };
    const afterwards = (): void => {
      let left = reports.size;
      for (const report of reports.values()) send({ ...report, more: --left > 0 });
    };
    return { status: 'Accepted', afterwards };
  },

  trigger: (command, context) => trigger(command, context),

  getVariables: ({ variables: asked }, { variables }) => ({
    ...ACCEPTED,
    variables: asked.map((reference) => variables.get(reference)),
  }),

  setVariables: async ({ variables: changes }, { csms, variables }) => ({
    ...ACCEPTED,
    variables: await variables.set(changes, csms.role === 'authority'),
  }),

  getReport: ({ requestId, base, only = () => true }, { variables, send }) => {
    const report = variables.report(base).filter(only);
    if (report.length === 0) return { status: 'EmptyResultSet' };
    return { status: 'Accepted', afterwards: () => send({ type: 'report', requestId, variables: report }) };
  },

  getTransactionStatus: async ({ transaction }, context) => {
    // Without an id the answer is about the queue alone (E14.FR.06).
    if (transaction === undefined)
      return { ...ACCEPTED, transactionStatus: { messagesInQueue: await context.waiting(undefined) } };
    const uid = transactionOf(transaction, context);
    if (uid === undefined) return { ...ACCEPTED, transactionStatus: { ongoing: false, messagesInQueue: false } };
    const open = context.operations.openTransactions().some((each) => each.uid === uid);
    return { ...ACCEPTED, transactionStatus: { ongoing: open, messagesInQueue: await context.waiting(uid) } };
  },

  dataTransfer: async ({ vendorId, messageId, data }, { csms, slots, operations }) => {
    // Another vendor's messages are for a charger, and say for which only inside our wrapper.
    if (vendorId !== GATEWAY_VENDOR) return { status: 'UnknownVendorId' };
    if (messageId !== 'Charger') return { status: 'UnknownMessageId' };
    const inner = unwrap(data);
    const target = inner && slots.resolve({ evse: inner.evseId });
    if (inner === undefined || target?.kind !== 'connector') return { status: 'Rejected', reasonCode: 'UnknownEvse' };
    return operations.dataTransfer(csms.id, target.target.evse, inner.vendorId, inner.messageId, inner.data);
  },
};

/** The vendorId under which a CSMS reaches one charger behind the gateway. */
export const GATEWAY_VENDOR = 'org.forecourt';

/** What the CSMS says of a token, with the site's EVSE numbers for its own; slots that do not exist fall away. */
export function siteInfo(info: IdTokenInfo, slots: SlotTable): IdTokenInfo {
  if (info.evses === undefined) return info;
  const evses = info.evses.flatMap((slotEvse) => slots.slot(slotEvse)?.evse ?? []);
  return { ...info, evses };
}

const evsesOf = (slots: SlotTable): readonly EvseNumber[] => slots.evses.map(({ number }) => number);

function slotReference({ slotEvse, slotFlat }: Command<'requestStart'>): SlotReference | undefined {
  if (slotFlat !== undefined) return { flat: slotFlat };
  return slotEvse === undefined ? undefined : { evse: slotEvse };
}

/** A transaction that this CSMS has been told of, or is about to be. */
function transactionOf(
  reference: CsmsTransactionReference,
  { projections, operations, slots }: CommandContext,
): TransactionUid | undefined {
  const told = projections.resolve(reference);
  if (told !== undefined || !('uid' in reference)) return told;
  const known = operations.transaction(reference.uid);
  return known !== undefined && slots.sees(known.evse) ? known.uid : undefined;
}

/** The profile with the transaction it is for, where the CSMS names one; undefined: there is no such transaction. */
function withTransaction(
  { profile, csmsTransactionId }: Command<'setChargingProfile'>,
  context: CommandContext,
): ChargingProfile | undefined {
  if (csmsTransactionId !== undefined) {
    const transaction = transactionOf({ csmsTransactionId }, context);
    return transaction && { ...profile, transaction };
  }
  if (profile.transaction === undefined) return profile;
  return transactionOf({ uid: profile.transaction }, context) && profile;
}

interface Wrapped {
  readonly evseId: number;
  readonly vendorId: string;
  readonly messageId: string | undefined;
  readonly data: unknown;
}

/** In 1.6 the data is text that holds JSON, in 2.0.1 JSON itself. */
function unwrap(data: unknown): Wrapped | undefined {
  let value = data;
  if (typeof data === 'string') {
    try {
      value = JSON.parse(data) as unknown;
    } catch {
      return undefined;
    }
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { evseId, vendorId, messageId, data: inner } = value as Record<string, unknown>;
  if (typeof evseId !== 'number' || typeof vendorId !== 'string') return undefined;
  return { evseId, vendorId, messageId: typeof messageId === 'string' ? messageId : undefined, data: inner };
}
