// What a charger's own meter says of its transactions, from the frames it sent.
import type { OcppVersion, Payload, ReceivedCall } from './wire-record.js';

/** One transaction at the charger; registers in Wh. */
export interface MeteredVisit {
  readonly from: number;
  /** undefined: it has not told an end. */
  to: number | undefined;
  /** When its first and last frame left, in milliseconds of the system clock. */
  readonly begun: number;
  ended: number | undefined;
}

export interface ChargerWire {
  /** Of the gateway. */
  readonly calls: readonly ReceivedCall[];
  readonly sent: readonly ReceivedCall[];
  readonly answers: ReadonlyMap<string, Payload>;
}

/** Repetitions of a message are one message. */
export function meteredVisits(version: OcppVersion, wire: ChargerWire): readonly MeteredVisit[] {
  return version === 'ocpp1.6' ? visits16(wire) : visits201(wire.sent);
}

function visits16({ sent, answers }: ChargerWire): readonly MeteredVisit[] {
  const visits = new Map<string, MeteredVisit & { id: unknown }>();
  for (const { action, payload, at, messageId } of sent) {
    if (action === 'StartTransaction') {
      const key = JSON.stringify([payload['connectorId'], payload['idTag'], payload['timestamp']]);
      const id = answers.get(messageId)?.['transactionId'];
      const known = visits.get(key);
      if (known !== undefined) known.id = id ?? known.id;
      else visits.set(key, { from: Number(payload['meterStart']), to: undefined, begun: at, ended: undefined, id });
    }
    if (action !== 'StopTransaction') continue;
    const open = [...visits.values()].filter(({ to }) => to === undefined);
    const visit =
      [...visits.values()].find(({ id }) => id === payload['transactionId']) ??
      // Its start was never answered: it can only be the one that is open.
      open.at(-1);
    if (visit === undefined) continue;
    visit.to = Number(payload['meterStop']);
    visit.ended ??= at;
  }
  return [...visits.values()];
}

interface Event {
  readonly eventType: 'Started' | 'Updated' | 'Ended';
  readonly transactionInfo: { readonly transactionId: string };
  readonly meterValue?: readonly {
    readonly sampledValue: readonly {
      readonly value: number;
      readonly measurand?: string;
      readonly phase?: string;
      readonly context?: string;
    }[];
  }[];
}

const REGISTER = 'Energy.Active.Import.Register';

function visits201(sent: readonly ReceivedCall[]): readonly MeteredVisit[] {
  const visits = new Map<string, MeteredVisit>();
  for (const { action, payload, at } of sent) {
    if (action !== 'TransactionEvent') continue;
    const { eventType, transactionInfo, meterValue = [] } = payload as unknown as Event;
    const register = meterValue
      .flatMap(({ sampledValue }) => sampledValue)
      .findLast(({ measurand, phase }) => (measurand ?? REGISTER) === REGISTER && phase === undefined)?.value;
    const { transactionId } = transactionInfo;
    const visit = visits.get(transactionId);
    if (visit === undefined) {
      if (register !== undefined)
        visits.set(transactionId, { from: register, to: undefined, begun: at, ended: undefined });
      continue;
    }
    if (eventType !== 'Ended') continue;
    visit.to = register;
    visit.ended ??= at;
  }
  return [...visits.values()];
}

interface Schedule {
  readonly chargingRateUnit: 'A' | 'W';
  readonly chargingSchedulePeriod: readonly { readonly limit: number; readonly numberPhases?: number }[];
}
interface ProfileCarrier {
  readonly csChargingProfiles?: { readonly chargingSchedule: Schedule };
  readonly chargingProfile?: { readonly chargingSchedule: readonly Schedule[] };
}

/** The limits that it was given and took, in A per phase of 230 V. */
export function grantsOf({ calls, answers }: ChargerWire): readonly { readonly at: number; readonly ampere: number }[] {
  return calls.flatMap(({ action, payload, at, messageId }) => {
    if (action !== 'SetChargingProfile' || answers.get(messageId)?.['status'] !== 'Accepted') return [];
    const { csChargingProfiles, chargingProfile } = payload as ProfileCarrier;
    const schedule = csChargingProfiles?.chargingSchedule ?? chargingProfile?.chargingSchedule[0];
    const period = schedule?.chargingSchedulePeriod[0];
    if (schedule === undefined || period === undefined) return [];
    const watts = schedule.chargingRateUnit === 'W';
    return [{ at, ampere: watts ? period.limit / (230 * (period.numberPhases ?? 3)) : period.limit }];
  });
}
