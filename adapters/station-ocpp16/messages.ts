// What an OCPP 1.6 charger says by itself, reported in canonical words and answered as the gateway decides.
import type { CallAnswer, Payload } from '../ocpp-j/contract.js';
import { filledTextOf, integerOf, momentOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import { answer, refuse, type ActionHandler } from '../ocpp-j/station-reports.js';
import { numberFrom } from '../ocpp-j/sampled-value.js';
import { traitsOf } from '../ocpp-j/models.js';
import { maskToken } from '../../gateway/kernel/log.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import { stationTransactionId, type EvseNumber } from '../../gateway/kernel/ids.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { Charger } from './charger.js';
import { transactionOf } from './memory.js';
import { jobStatusMessages } from './job-status.js';
import { meterValuesOf, registerIn, registerReading } from './translate-meter-values.js';
import { stopOf, triggerOf } from './translate-reason.js';
import { canonicalStatus, connectorErrorOf, status16Of } from './translate-status.js';
import { idTagInfoOf, idTokenOf } from './translate-token.js';

export function inventoryOf(payload: Payload): Inventory {
  const optional = {
    serialNumber: filledTextOf(payload, 'chargePointSerialNumber') ?? filledTextOf(payload, 'chargeBoxSerialNumber'),
    firmwareVersion: filledTextOf(payload, 'firmwareVersion'),
    iccid: filledTextOf(payload, 'iccid'),
    imsi: filledTextOf(payload, 'imsi'),
    meterType: filledTextOf(payload, 'meterType'),
    meterSerialNumber: filledTextOf(payload, 'meterSerialNumber'),
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    vendor: textOf(payload, 'chargePointVendor') ?? '',
    model: textOf(payload, 'chargePointModel') ?? '',
    ...known,
  };
}

/** In Wh; undefined where the charger has left it out, or says a value that no register can have. */
function registerTold(value: unknown): number | undefined {
  const register = numberFrom(value);
  return register === undefined || register < 0 ? undefined : register;
}

/**
 * Handlers by action; whatever is not in the map is not part of what a charger may ask.
 * @param lowerDefaults called after a stop, with the EVSEs whose default profile had been raised for that transaction
 */
export function messages(
  charger: Charger,
  lowerDefaults: (evses: readonly EvseNumber[]) => void,
): ReadonlyMap<string, ActionHandler> {
  const { station, clock, log, reports, connectors, memory } = charger;

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

  async function statusNotification(payload: Payload): Promise<CallAnswer> {
    const connectorId = integerOf(payload, 'connectorId');
    const reported = status16Of(payload);
    const place = connectors.at(connectorId);
    if (connectorId === undefined || reported === undefined || (connectorId !== 0 && !place)) {
      log.warn(
        { station: station.id, connectorId, status: payload['status'] },
        'status that fits no connector ignored',
      );
      return answer({});
    }
    charger.learned.statusSeen.add(connectorId);
    const error = connectorErrorOf(payload);
    if (error && error.code !== 'NoError' && reported !== 'Faulted')
      log.warn({ station: station.id, ...(place && { evse: place.evse.number }), error }, 'the charger warns');
    const at = momentOf(payload, 'timestamp') ?? clock.now();
    if (place) memory.status(connectorId, reported);
    const { status, chargingState } = canonicalStatus(reported);
    await reports.report({
      type: 'status',
      station: station.id,
      ...(place && { evse: place.evse.number, connector: place.connector, ...(chargingState && { chargingState }) }),
      status,
      ...(error && { error }),
      at,
    });
    return answer({});
  }

  async function authorize(payload: Payload): Promise<CallAnswer> {
    const idToken = idTokenOf(textOf(payload, 'idTag') ?? '', memory);
    const info = await reports.report({ type: 'authorize', station: station.id, idToken });
    if (info.status === 'Accepted') memory.authorized(idToken);
    return answer({ idTagInfo: idTagInfoOf(info, station) });
  }

  async function startTransaction(payload: Payload): Promise<CallAnswer> {
    const idTag = textOf(payload, 'idTag') ?? '';
    const place = connectors.at(integerOf(payload, 'connectorId'));
    if (!place) {
      const connectorId = payload['connectorId'];
      log.warn({ station: station.id, connectorId, idTag: maskToken(idTag) }, 'start on an unknown connector refused');
      return answer({ transactionId: 0, idTagInfo: { status: 'Invalid' } });
    }
    const at = momentOf(payload, 'timestamp') ?? clock.now();
    const register = registerTold(payload['meterStart']);
    const reservationId = integerOf(payload, 'reservationId');
    const remote = memory.remoteStart(place.id, idTag);
    const seen = memory.statusOf(place.id);
    const state = seen && canonicalStatus(seen).chargingState;
    memory.register(place.id, register);
    const started = await reports.report({
      type: 'transaction',
      station: station.id,
      kind: 'started',
      evse: place.evse.number,
      connector: place.connector,
      at,
      trigger: remote ? 'RemoteStart' : memory.startTrigger(place.id, idTag),
      chargingState: state === undefined || state === 'Idle' ? 'EVConnected' : state,
      idToken: remote?.idToken ?? idTokenOf(idTag, memory),
      meterValues: register === undefined ? [] : [registerReading(at, register, 'Transaction.Begin')],
      offline: false,
      ...(reservationId !== undefined && { reservationId }),
      ...(remote && { remoteStartId: remote.remoteStartId }),
    });
    const transactionId = Number(started.stationTransactionId);
    if (!Number.isSafeInteger(transactionId)) {
      log.error({ station: station.id, evse: place.evse.number }, 'issued transaction id is no integer');
      return refuse('InternalError', 'no transaction id');
    }
    if (remote) memory.expectNoMore(remote);
    memory.started(place.id, started.stationTransactionId);
    return answer({ transactionId, idTagInfo: idTagInfoOf(started.idTokenInfo ?? { status: 'Accepted' }, station) });
  }

  async function meterValues(payload: Payload): Promise<CallAnswer> {
    const connectorId = integerOf(payload, 'connectorId');
    const place = connectors.at(connectorId);
    const named = transactionOf(integerOf(payload, 'transactionId'));
    if (!place && connectorId !== 0) {
      log.warn({ station: station.id, connectorId }, 'meter values of an unknown connector ignored');
      return answer({});
    }
    const values = meterValuesOf(payload, 'meterValue', memory.registerOf(place?.id), clock.now());
    const left = recordsOf(payload, 'meterValue').length - values.length;
    if (left > 0)
      log.warn(
        { station: station.id, ...(place && { evse: place.evse.number }), left },
        'unusable meter values left out',
      );
    if (place) for (const value of values) memory.register(place.id, registerIn(value.sampled));
    // A charger that never saw the answer to its start names no id, but there is only one it can mean.
    const unnamed = integerOf(payload, 'transactionId') !== undefined && place && memory.transactionOn(place.id);
    const transaction = named ?? (unnamed || undefined);
    const where = place && { evse: place.evse.number, connector: place.connector };
    if (transaction === undefined) {
      if (values.length > 0)
        await reports.report({
          type: 'meterValues',
          station: station.id,
          ...(place && { evse: place.evse.number }),
          meterValues: values,
        });
      return answer({});
    }
    await Promise.all(
      values.map((value) =>
        reports.report({
          type: 'transaction',
          station: station.id,
          kind: 'updated',
          ...where,
          stationTransactionId: transaction,
          at: value.at,
          trigger: triggerOf(value),
          meterValues: [value],
          offline: false,
        }),
      ),
    );
    return answer({});
  }

  async function stopTransaction(payload: Payload): Promise<CallAnswer> {
    const transaction = stationTransactionId(String(integerOf(payload, 'transactionId') ?? 0));
    const place = connectors.at(memory.connectorOf(transaction));
    const at = momentOf(payload, 'timestamp') ?? clock.now();
    const register = registerTold(payload['meterStop']);
    const idTag = textOf(payload, 'idTag');
    const ended = await reports.report({
      type: 'transaction',
      station: station.id,
      kind: 'ended',
      ...(place && { evse: place.evse.number, connector: place.connector }),
      stationTransactionId: transaction,
      at,
      ...stopOf(payload),
      ...(idTag !== undefined && { idToken: idTokenOf(idTag, memory) }),
      meterValues: [
        ...(register === undefined ? [] : [registerReading(at, register, 'Transaction.End')]),
        ...meterValuesOf(payload, 'transactionData', register ?? memory.registerOf(place?.id), clock.now()),
      ],
      offline: false,
    });
    memory.ended(transaction);
    const raised = charger.learned.limits.transactionEnded(transaction);
    const info = idTag === undefined ? undefined : ended.idTokenInfo;
    return answer(info ? { idTagInfo: idTagInfoOf(info, station) } : {}, () => lowerDefaults(raised));
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
    const back = said.data === undefined || typeof said.data === 'string' ? said.data : JSON.stringify(said.data);
    return answer({ status: said.status, ...(back !== undefined && { data: back }) });
  }

  return new Map<string, ActionHandler>([
    ['BootNotification', bootNotification],
    ['Heartbeat', heartbeat],
    ['StatusNotification', statusNotification],
    ['Authorize', authorize],
    ['StartTransaction', startTransaction],
    ['MeterValues', meterValues],
    ['StopTransaction', stopTransaction],
    ['DataTransfer', dataTransfer],
    ...jobStatusMessages(charger),
  ]);
}
