// The charging profile calls of OCPP 1.6: one single-period profile per connector, replaced under the same id.
import type { AskOptions, Attachment, Reply } from '../ocpp-j/charger-link.js';
import { limitIn, profileIdOf } from '../ocpp-j/charging-limit.js';
import type { Payload } from '../ocpp-j/contract.js';
import { textOf } from '../ocpp-j/fields.js';
import type { ProfileCalls, ProfileWish } from '../ocpp-j/limit-writer.js';
import { timestamp, toRfc3339 } from '../../gateway/kernel/units.js';
import { numberOfPhases, wattsPerAmpere, type Evse, type LimitPurpose } from '../../gateway/site/topology.js';
import type { Charger } from './charger.js';

const PURPOSES: Readonly<Record<LimitPurpose, string>> = {
  TxProfile: 'TxProfile',
  TxDefaultProfile: 'TxDefaultProfile',
  ChargingStationMaxProfile: 'ChargePointMaxProfile',
};

/** A start in the past leaves no gap where the charger's clock is slow. */
const HEAD_START_MS = 60_000;

/** Shared by 1.6 profiles of all purposes (OCPP 1.6 section 7.8); numberPhases only where it means something. */
export function profileOf(wish: ProfileWish, connector: number, charger: Pick<Charger, 'clock' | 'settings'>): Payload {
  const phases = wish.phases ?? numberOfPhases(wish.evse);
  const numbered = wish.unit === 'W' || wish.phases !== undefined;
  return {
    chargingProfileId: profileIdOf(wish.evse, wish.purpose, connector),
    ...(wish.transaction !== undefined && { transactionId: Number(wish.transaction) }),
    stackLevel: wish.stackLevel,
    chargingProfilePurpose: PURPOSES[wish.purpose],
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      startSchedule: toRfc3339(timestamp(charger.clock.now() - HEAD_START_MS)),
      chargingRateUnit: wish.unit,
      chargingSchedulePeriod: [
        {
          startPeriod: 0,
          limit: limitIn(wish.unit, wish.current, wattsPerAmpere(wish.evse, charger.settings.nominalVoltage, phases)),
          ...(numbered && { numberPhases: phases }),
        },
      ],
    },
  };
}

export function profileCalls(attachment: Attachment, options: AskOptions, charger: Charger): ProfileCalls {
  const { link, connectors, memory } = charger;
  const write = (connectorId: number, wish: ProfileWish, connector: number): Promise<Reply> =>
    link.ask(
      attachment,
      'SetChargingProfile',
      { connectorId, csChargingProfiles: profileOf(wish, connector, charger) },
      options,
    );
  return {
    async write(wish) {
      if (wish.purpose === 'ChargingStationMaxProfile') return write(0, wish, 1);
      const places = connectors.of(wish.evse.number);
      const inTransaction = wish.transaction === undefined ? undefined : memory.connectorOf(wish.transaction);
      const chosen =
        wish.purpose === 'TxProfile' ? places.filter((place) => place.id === (inTransaction ?? places[0]?.id)) : places;
      let reply: Reply = { kind: 'refused', unsupported: true, detail: 'no such connector' };
      for (const place of chosen) {
        reply = await write(place.id, wish, place.connector);
        if (reply.kind !== 'answered' || textOf(reply.payload, 'status') !== 'Accepted') return reply;
      }
      return reply;
    },
    async clearTxProfile(evse: Evse) {
      let reply: Reply = { kind: 'refused', unsupported: true, detail: 'no such connector' };
      for (const place of connectors.of(evse.number)) {
        const id = profileIdOf(evse, 'TxProfile', place.connector);
        reply = await link.ask(attachment, 'ClearChargingProfile', { id }, options);
        if (reply.kind !== 'answered') return reply;
      }
      return reply;
    },
  };
}
