// What an OCPP 2.0.1 station says by itself, reported in canonical words and answered as the gateway decides.
import type { CallAnswer, Payload } from '../ocpp-j/contract.js';
import { filledTextOf, integerOf, memberOf, momentOf, recordOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import { answer, type ActionHandler } from '../ocpp-j/station-reports.js';
import { traitsOf } from '../ocpp-j/models.js';
import { maskToken } from '../../gateway/kernel/log.js';
import type { EvseNumber } from '../../gateway/kernel/ids.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { Charger } from './charger.js';
import { notifications } from './notifications.js';
import { statusMessages } from './status-messages.js';
import { chargingNeedsOf } from './translate-charging-needs.js';
import { meterValuesOf } from './translate-meter-values.js';
import { idTokenInfoOf, idTokenOf } from './translate-token.js';
import { transactionOf } from './translate-transaction.js';

export function inventoryOf(payload: Payload): Inventory {
  const station = recordOf(payload, 'chargingStation') ?? {};
  const modem = recordOf(station, 'modem') ?? {};
  const optional = {
    serialNumber: filledTextOf(station, 'serialNumber'),
    firmwareVersion: filledTextOf(station, 'firmwareVersion'),
    iccid: filledTextOf(modem, 'iccid'),
    imsi: filledTextOf(modem, 'imsi'),
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { vendor: textOf(station, 'vendorName') ?? '', model: textOf(station, 'model') ?? '', ...known };
}

/**
 * Handlers by action; whatever is not in the map is not part of what a station may ask.
 * @param lowerDefaults called after an end, with the EVSEs whose default profile had been raised for that transaction
 */
export function messages(
  charger: Charger,
  lowerDefaults: (evses: readonly EvseNumber[]) => void,
): ReadonlyMap<string, ActionHandler> {
  const { station, clock, log, reports, places } = charger;

  async function bootNotification(payload: Payload): Promise<CallAnswer> {
    const inventory = inventoryOf(payload);
    charger.inventory = inventory;
    const boot = await reports.report({ type: 'booted', station: station.id, inventory, at: clock.now() });
    return answer({ status: boot.status, currentTime: toRfc3339(boot.now), interval: boot.interval }, () => {
      charger.learned.booted = boot.status === 'Accepted';
      charger.link.bootAnswered(boot.status === 'Accepted', traitsOf(charger).quietAfterBoot);
    });
  }

  async function heartbeat(): Promise<CallAnswer> {
    return Promise.resolve(answer({ currentTime: toRfc3339(clock.now()) }));
  }

  async function authorize(payload: Payload): Promise<CallAnswer> {
    const idToken = idTokenOf(payload);
    if (!idToken) return answer({ idTokenInfo: { status: 'Invalid' } });
    const info = await reports.report({ type: 'authorize', station: station.id, idToken });
    return answer({ idTokenInfo: idTokenInfoOf(info, station) });
  }

  async function transactionEvent(payload: Payload): Promise<CallAnswer> {
    const reported = transactionOf(payload, station.id, clock.now());
    const pointed = places.read(recordOf(payload, 'evse'));
    if (!reported || pointed.kind === 'unknown') {
      const idToken = idTokenOf(payload);
      log.warn(
        {
          station: station.id,
          stationEvse: recordOf(payload, 'evse'),
          ...(idToken && { idToken: maskToken(idToken.idToken) }),
        },
        'transaction event that fits no EVSE ignored',
      );
      return answer(idToken ? { idTokenInfo: { status: 'Invalid' } } : {});
    }
    const told = await reports.report({
      ...reported,
      ...(pointed.kind === 'evse' && {
        evse: pointed.evse.number,
        ...(pointed.connector !== undefined && { connector: pointed.connector }),
      }),
    });
    const idTokenInfo = told.idTokenInfo && idTokenInfoOf(told.idTokenInfo, station);
    const ended = reported.kind === 'ended' ? reported.stationTransactionId : undefined;
    const raised = ended === undefined ? [] : charger.learned.limits.transactionEnded(ended);
    return answer(idTokenInfo ? { idTokenInfo } : {}, () => lowerDefaults(raised));
  }

  async function meterValues(payload: Payload): Promise<CallAnswer> {
    const pointed = places.at(integerOf(payload, 'evseId'), undefined);
    const values = meterValuesOf(payload, clock.now());
    const left = recordsOf(payload, 'meterValue').length - values.length;
    if (pointed.kind === 'unknown' || left > 0)
      log.warn(
        { station: station.id, stationEvse: payload['evseId'], left },
        'meter values that cannot be used left out',
      );
    if (pointed.kind !== 'unknown' && values.length > 0)
      await reports.report({
        type: 'meterValues',
        station: station.id,
        ...(pointed.kind === 'evse' && { evse: pointed.evse.number }),
        meterValues: values,
      });
    return answer({});
  }

  async function chargingNeeds(payload: Payload): Promise<CallAnswer> {
    const pointed = places.at(integerOf(payload, 'evseId'), undefined);
    if (pointed.kind !== 'evse') return answer({ status: 'Rejected' });
    const status = await reports.report({
      type: 'chargingNeeds',
      station: station.id,
      evse: pointed.evse.number,
      ...chargingNeedsOf(payload),
    });
    return answer({ status });
  }

  async function reservationStatusUpdate(payload: Payload): Promise<CallAnswer> {
    const reservationId = integerOf(payload, 'reservationId');
    const why = memberOf(payload['reservationUpdateStatus'], ['Expired', 'Removed'] as const);
    if (reservationId !== undefined && why)
      await reports.report({ type: 'reservationEnded', station: station.id, reservationId, why });
    return answer({});
  }

  async function securityEvent(payload: Payload): Promise<CallAnswer> {
    const techInfo = filledTextOf(payload, 'techInfo');
    await reports.report({
      type: 'securityEvent',
      station: station.id,
      event: textOf(payload, 'type') ?? '',
      at: momentOf(payload, 'timestamp') ?? clock.now(),
      ...(techInfo !== undefined && { techInfo }),
    });
    return answer({});
  }

  async function dataTransfer(payload: Payload): Promise<CallAnswer> {
    const messageId = textOf(payload, 'messageId');
    const data = payload['data'];
    const said = await reports.report({
      type: 'dataTransfer',
      station: station.id,
      vendorId: textOf(payload, 'vendorId') ?? '',
      ...(messageId !== undefined && { messageId }),
      ...(data !== undefined && { data }),
    });
    return answer({ status: said.status, ...(said.data !== undefined && { data: said.data }) });
  }

  const jobStatus =
    (job: 'firmware' | 'log') =>
    async (payload: Payload): Promise<CallAnswer> => {
      const requestId = integerOf(payload, 'requestId');
      await reports.report({
        type: 'jobStatus',
        station: station.id,
        job,
        status: textOf(payload, 'status') ?? 'Idle',
        ...(requestId !== undefined && { requestId }),
      });
      return answer({});
    };

  return new Map<string, ActionHandler>([
    ['BootNotification', bootNotification],
    ['Heartbeat', heartbeat],
    ['Authorize', authorize],
    ['TransactionEvent', transactionEvent],
    ['MeterValues', meterValues],
    ['NotifyEVChargingNeeds', chargingNeeds],
    ['ReservationStatusUpdate', reservationStatusUpdate],
    ['SecurityEventNotification', securityEvent],
    ['DataTransfer', dataTransfer],
    ['FirmwareStatusNotification', jobStatus('firmware')],
    ['LogStatusNotification', jobStatus('log')],
    ...statusMessages(charger),
    ...notifications(charger),
  ]);
}
