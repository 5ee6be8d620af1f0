// The charging profile calls of OCPP 2.0.1: one single-period profile per EVSE, replaced under the same id.
import type { AskOptions, Attachment } from '../ocpp-j/charger-link.js';
import { limitIn, profileIdOf } from '../ocpp-j/charging-limit.js';
import type { Payload } from '../ocpp-j/contract.js';
import type { ProfileCalls, ProfileWish } from '../ocpp-j/limit-writer.js';
import { timestamp, toRfc3339 } from '../../gateway/kernel/units.js';
import { numberOfPhases, wattsPerAmpere } from '../../gateway/site/topology.js';
import type { Charger } from './charger.js';

/** A start in the past leaves no gap where the station's clock is slow; Absolute must have one (K01.FR.40). */
const HEAD_START_MS = 60_000;

export function profileOf(wish: ProfileWish, charger: Pick<Charger, 'clock' | 'settings' | 'learned'>): Payload {
  const phases = wish.phases ?? numberOfPhases(wish.evse);
  const numbered = wish.unit === 'W' || wish.phases !== undefined;
  const id = profileIdOf(wish.evse, wish.purpose);
  return {
    id,
    stackLevel: wish.stackLevel,
    chargingProfilePurpose: wish.purpose,
    chargingProfileKind: 'Absolute',
    ...(wish.transaction !== undefined && { transactionId: wish.transaction }),
    chargingSchedule: [
      {
        id,
        startSchedule: toRfc3339(timestamp(charger.clock.now() - HEAD_START_MS)),
        chargingRateUnit: wish.unit,
        chargingSchedulePeriod: [
          {
            startPeriod: 0,
            limit: limitIn(wish.unit, wish.current, wattsPerAmpere(wish.evse, charger.settings.nominalVoltage, phases)),
            ...(numbered && { numberPhases: phases }),
            // Only where it is supported (K01.FR.20); the phase is the EVSE's own, which the gateway counts as its first.
            ...(wish.phases === 1 && charger.learned.choosesPhase && { phaseToUse: 1 }),
          },
        ],
      },
    ],
  };
}

export function profileCalls(attachment: Attachment, options: AskOptions, charger: Charger): ProfileCalls {
  const { link } = charger;
  return {
    write: (wish) => {
      const evseId = wish.purpose === 'ChargingStationMaxProfile' ? 0 : wish.evse.stationEvse;
      const chargingProfile = profileOf(wish, charger);
      return link.ask(attachment, 'SetChargingProfile', { evseId, chargingProfile }, options);
    },
    clearTxProfile: (evse) => {
      const chargingProfileId = profileIdOf(evse, 'TxProfile');
      return link.ask(attachment, 'ClearChargingProfile', { chargingProfileId }, options);
    },
  };
}
