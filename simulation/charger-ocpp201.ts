// What a simulated charger says and understands in OCPP 2.0.1.
import { randomUUID } from 'node:crypto';
import type { CallAnswer, CallHandler, OcppConnection, Payload } from '../adapters/ocpp-j/contract.js';
import { ampere, milliseconds, toRfc3339, type Timestamp } from '../gateway/kernel/units.js';
import type {
  ChargerProtocol,
  EvseState,
  QueuedMessage,
  Session,
  SimulatedCharger,
  StopReason,
  Verdict,
} from './charger.js';
import type { EvseHardware } from './evse.js';

const TIMEOUT = { timeout: 30_000 };

const result = (payload: Payload, afterwards?: () => void): CallAnswer => ({
  kind: 'result',
  payload,
  ...(afterwards && { afterwards }),
});

function connectorStatus(evse: EvseState): string {
  if (evse.faulted) return 'Faulted';
  if (evse.session !== undefined || evse.hardware.car !== undefined) return 'Occupied';
  if (!evse.operative) return 'Unavailable';
  return evse.reservation === undefined ? 'Available' : 'Reserved';
}

function chargingState(hardware: EvseHardware): string {
  if (hardware.charging) return 'Charging';
  if (hardware.car === undefined) return 'Idle';
  return hardware.offered < 6 ? 'SuspendedEVSE' : 'SuspendedEV';
}

const meterValue = (hardware: EvseHardware, context: string, timestamp: string): Payload => ({
  timestamp,
  sampledValue: [
    { value: hardware.register, context, measurand: 'Energy.Active.Import.Register', unitOfMeasure: { unit: 'Wh' } },
    {
      value: Number(hardware.power.toFixed(1)),
      context,
      measurand: 'Power.Active.Import',
      unitOfMeasure: { unit: 'W' },
    },
    ...hardware.currents.map((current, i) => ({
      value: Number(current.toFixed(2)),
      context,
      measurand: 'Current.Import',
      phase: `L${i + 1}`,
      unitOfMeasure: { unit: 'A' },
    })),
  ],
});

const STOPPED: Record<StopReason, { readonly reason: string; readonly trigger: string }> = {
  Local: { reason: 'Local', trigger: 'StopAuthorized' },
  Remote: { reason: 'Remote', trigger: 'RemoteStop' },
  EVDisconnected: { reason: 'EVDisconnected', trigger: 'EVCommunicationLost' },
  DeAuthorized: { reason: 'DeAuthorized', trigger: 'Deauthorized' },
  UnlockCommand: { reason: 'Other', trigger: 'UnlockCommand' },
  SoftReset: { reason: 'ImmediateReset', trigger: 'ResetCommand' },
  HardReset: { reason: 'ImmediateReset', trigger: 'ResetCommand' },
  PowerLoss: { reason: 'PowerLoss', trigger: 'AbnormalCondition' },
};

const idToken = (token: string): Payload => ({ idToken: token, type: 'ISO14443' });

export function speakOcpp201(charger: SimulatedCharger): ChargerProtocol {
  const { clock, id } = charger.settings;
  const now = (): string => toRfc3339(clock.now());
  const sequence = new Map<Session, number>();

  /** Fixed when it happens: a repetition says the same with the same seqNo. */
  const event = (
    session: Session,
    eventType: string,
    more: Payload,
    info: Payload,
    at: Timestamp = clock.now(),
  ): QueuedMessage => {
    session.transactionId ??= randomUUID();
    const seqNo = sequence.get(session) ?? 0;
    sequence.set(session, seqNo + 1);
    const evse = charger.evse(session.evse);
    const offline = charger.link === undefined;
    const payload: Payload = {
      eventType,
      timestamp: toRfc3339(at),
      seqNo,
      offline,
      evse: { id: session.evse, connectorId: 1 },
      ...more,
      transactionInfo: {
        transactionId: session.transactionId,
        ...(evse !== undefined && { chargingState: chargingState(evse.hardware) }),
        ...info,
      },
    };
    return async () => {
      const connection = charger.link;
      if (connection === undefined) return 'retry';
      const outcome = await connection.call('TransactionEvent', payload, TIMEOUT);
      if (outcome.kind !== 'result') return 'retry';
      const refused = outcome.payload['idTokenInfo'] !== undefined && !accepted(outcome.payload['idTokenInfo']);
      if (refused && evse?.session === session) charger.end(evse, 'DeAuthorized');
      return 'done';
    };
  };
  const values = (session: Session, context: string, at: Timestamp = clock.now()): Payload => {
    const evse = charger.evse(session.evse);
    return evse === undefined ? {} : { meterValue: [meterValue(evse.hardware, context, toRfc3339(at))] };
  };

  return {
    handler: commands(charger),
    async boot(connection) {
      const outcome = await connection.call(
        'BootNotification',
        {
          reason: 'PowerUp',
          chargingStation: {
            vendorName: 'Forecourt',
            model: 'Simulated 2.0.1',
            serialNumber: id.slice(0, 25),
            firmwareVersion: '1.0',
          },
        },
        TIMEOUT,
      );
      return outcome.kind === 'result' && outcome.payload['status'] === 'Accepted';
    },
    async heartbeat(connection) {
      await connection.call('Heartbeat', {}, TIMEOUT);
    },
    async status(connection, evse) {
      const word = connectorStatus(evse);
      if (evse.announced === word) return;
      evse.announced = word;
      await connection.call(
        'StatusNotification',
        { timestamp: now(), connectorStatus: word, evseId: evse.hardware.number, connectorId: 1 },
        TIMEOUT,
      );
    },
    async authorize(connection: OcppConnection, token): Promise<Verdict> {
      const outcome = await connection.call('Authorize', { idToken: idToken(token) }, TIMEOUT);
      return outcome.kind === 'result' && accepted(outcome.payload['idTokenInfo']) ? 'accepted' : 'refused';
    },
    started: (session) =>
      event(
        session,
        'Started',
        {
          triggerReason: session.remoteStartId === undefined ? 'Authorized' : 'RemoteStart',
          idToken: idToken(session.token),
          ...(session.reservationId !== undefined && { reservationId: session.reservationId }),
          ...values(session, 'Transaction.Begin', session.startedAt),
        },
        session.remoteStartId === undefined ? {} : { remoteStartId: session.remoteStartId },
        session.startedAt,
      ),
    sampled: (session) =>
      event(session, 'Updated', { triggerReason: 'MeterValuePeriodic', ...values(session, 'Sample.Periodic') }, {}),
    chargingChanged: (session) => event(session, 'Updated', { triggerReason: 'ChargingStateChanged' }, {}),
    ended: (session) => {
      const { reason, trigger } = STOPPED[session.reason ?? 'Local'];
      return event(
        session,
        'Ended',
        {
          triggerReason: trigger,
          ...(session.reason === 'Local' && { idToken: idToken(session.token) }),
          ...values(session, 'Transaction.End', session.endedAt),
        },
        { stoppedReason: reason },
        session.endedAt,
      );
    },
  };
}

const accepted = (info: unknown): boolean =>
  typeof info === 'object' && info !== null && 'status' in info && info.status === 'Accepted';

type Command = (payload: Payload) => CallAnswer;

const VARIABLES = new Map<string, string>([
  ['SmartChargingCtrlr.RateUnit', 'A'],
  ['SmartChargingCtrlr.ProfileStackLevel', '3'],
  ['SmartChargingCtrlr.PeriodsPerSchedule', '24'],
]);

function commands(charger: SimulatedCharger): CallHandler {
  const { clock } = charger.settings;
  const variables = new Map(VARIABLES);
  const evseOf = (payload: Payload): EvseState | undefined =>
    charger.evse(Number(payload['evseId'] ?? (payload['evse'] as Payload | undefined)?.['id']));
  const targetsOf = (payload: Payload): readonly EvseState[] => {
    const evse = evseOf(payload);
    return evse === undefined ? charger.evses : [evse];
  };
  const nameOf = (datum: Payload): string => {
    const component = (datum['component'] as Payload)['name'];
    return `${String(component)}.${String((datum['variable'] as Payload)['name'])}`;
  };

  const table: Partial<Record<string, Command>> = {
    GetVariables: (payload) =>
      result({
        getVariableResult: (payload['getVariableData'] as Payload[]).map((datum) => {
          const value = variables.get(nameOf(datum));
          return {
            attributeStatus: value === undefined ? 'UnknownVariable' : 'Accepted',
            ...(value !== undefined && { attributeValue: value }),
            component: datum['component'],
            variable: datum['variable'],
          };
        }),
      }),
    SetVariables: (payload) =>
      result({
        setVariableResult: (payload['setVariableData'] as Payload[]).map((datum) => {
          variables.set(nameOf(datum), String(datum['attributeValue']));
          return { attributeStatus: 'Accepted', component: datum['component'], variable: datum['variable'] };
        }),
      }),
    GetBaseReport: () => result({ status: 'NotSupported' }),
    SetChargingProfile: (payload) => {
      const profile = payload['chargingProfile'] as Payload;
      const [schedule] = profile['chargingSchedule'] as Payload[];
      const [period] = (schedule?.['chargingSchedulePeriod'] ?? []) as Payload[];
      if (schedule?.['chargingRateUnit'] !== 'A') return result({ status: 'Rejected' });
      const limit = ampere(Number(period?.['limit']));
      const targets =
        Number(payload['evseId']) === 0 ? charger.evses : charger.evses.filter((evse) => evse === evseOf(payload));
      for (const evse of targets) {
        if (profile['chargingProfilePurpose'] === 'TxProfile') {
          if (evse.session?.transactionId !== profile['transactionId']) return result({ status: 'Rejected' });
          evse.transactionLimit = limit;
        } else evse.defaultLimit = limit;
        charger.limited(evse);
      }
      return result({ status: targets.length > 0 ? 'Accepted' : 'Rejected' });
    },
    ClearChargingProfile: () => {
      for (const evse of charger.evses) {
        evse.defaultLimit = undefined;
        evse.transactionLimit = undefined;
        charger.limited(evse);
      }
      return result({ status: 'Accepted' });
    },
    RequestStartTransaction: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined || !evse.operative || evse.session !== undefined) return result({ status: 'Rejected' });
      const token = String((payload['idToken'] as Payload)['idToken']);
      return result({ status: 'Accepted' }, () => charger.identified(evse, token, Number(payload['remoteStartId'])));
    },
    RequestStopTransaction: (payload) => {
      const evse = charger.evses.find((each) => each.session?.transactionId === payload['transactionId']);
      if (evse === undefined) return result({ status: 'Rejected' });
      return result({ status: 'Accepted' }, () => charger.end(evse, 'Remote'));
    },
    UnlockConnector: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined) return result({ status: 'UnknownConnector' });
      return result({ status: evse.session === undefined ? 'Unlocked' : 'OngoingAuthorizedTransaction' });
    },
    ChangeAvailability: (payload) => {
      const targets = targetsOf(payload);
      for (const evse of targets) evse.operative = payload['operationalStatus'] === 'Operative';
      const busy = targets.some((evse) => evse.session !== undefined);
      return result({ status: busy ? 'Scheduled' : 'Accepted' }, () =>
        targets.forEach((evse) => void charger.announce(evse)),
      );
    },
    ReserveNow: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined) return result({ status: 'Rejected' });
      if (evse.session !== undefined || evse.hardware.car !== undefined) return result({ status: 'Occupied' });
      evse.reservation = { id: Number(payload['id']), token: String((payload['idToken'] as Payload)['idToken']) };
      return result({ status: 'Accepted' }, () => void charger.announce(evse));
    },
    CancelReservation: (payload) => {
      const evse = charger.evses.find((each) => each.reservation?.id === Number(payload['reservationId']));
      if (evse === undefined) return result({ status: 'Rejected' });
      evse.reservation = undefined;
      return result({ status: 'Accepted' }, () => void charger.announce(evse));
    },
    TriggerMessage: (payload) => {
      if (payload['requestedMessage'] !== 'StatusNotification') return result({ status: 'NotImplemented' });
      return result({ status: 'Accepted' }, () => {
        for (const evse of targetsOf(payload)) {
          evse.announced = undefined;
          void charger.announce(evse);
        }
      });
    },
    Reset: () =>
      result({ status: 'Accepted' }, () => {
        for (const evse of charger.evses) charger.end(evse, 'SoftReset');
        clock.after(milliseconds(0), () => charger.link?.terminate());
      }),
    GetLocalListVersion: () => result({ versionNumber: 0 }),
    SendLocalList: () => result({ status: 'Accepted' }),
    ClearCache: () => result({ status: 'Accepted' }),
    DataTransfer: () => result({ status: 'UnknownVendorId' }),
  };
  return (call) =>
    Promise.resolve(
      table[call.action]?.(call.payload) ?? { kind: 'error', code: 'NotImplemented', description: call.action },
    );
}
