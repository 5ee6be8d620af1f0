// What a simulated charger says and understands in OCPP 1.6J.
import type { CallAnswer, CallHandler, OcppConnection, Payload } from '../adapters/ocpp-j/contract.js';
import { ampere, milliseconds, toRfc3339 } from '../gateway/kernel/units.js';
import type { ChargerProtocol, EvseState, QueuedMessage, Session, SimulatedCharger, Verdict } from './charger.js';
import type { EvseHardware } from './evse.js';

const TIMEOUT = { timeout: 30_000 };

const result = (payload: Payload, afterwards?: () => void): CallAnswer => ({
  kind: 'result',
  payload,
  ...(afterwards && { afterwards }),
});

/** The nine connector states of 1.6 section 4.9. */
export function status16(evse: EvseState): string {
  const { hardware, session } = evse;
  if (evse.faulted) return 'Faulted';
  if (session !== undefined) {
    if (hardware.charging) return 'Charging';
    return hardware.offered < 6 ? 'SuspendedEVSE' : 'SuspendedEV';
  }
  if (!evse.operative) return 'Unavailable';
  if (evse.finishing) return 'Finishing';
  if (hardware.car !== undefined || evse.pending !== undefined) return 'Preparing';
  return evse.reservation === undefined ? 'Available' : 'Reserved';
}

const sampled = (hardware: EvseHardware): Payload[] => [
  {
    value: String(hardware.register),
    measurand: 'Energy.Active.Import.Register',
    unit: 'Wh',
    context: 'Sample.Periodic',
  },
  { value: hardware.power.toFixed(1), measurand: 'Power.Active.Import', unit: 'W' },
  ...hardware.currents.map((current, i) => ({
    value: current.toFixed(2),
    measurand: 'Current.Import',
    unit: 'A',
    phase: `L${i + 1}`,
  })),
  { value: hardware.offered.toFixed(1), measurand: 'Current.Offered', unit: 'A' },
];

/** Gives `charger` the tongue of 1.6; serials and models are those of the simulator. */
export function speakOcpp16(charger: SimulatedCharger): ChargerProtocol {
  const { clock, id } = charger.settings;
  const now = (): string => toRfc3339(clock.now());
  const configuration = new Map<string, string>([
    ['HeartbeatInterval', '300'],
    ['MeterValueSampleInterval', String(charger.settings.sampleInterval)],
    ['ConnectionTimeOut', String(charger.settings.connectionTimeout)],
    ['AuthorizeRemoteTxRequests', 'false'],
    ['LocalPreAuthorize', 'false'],
    ['LocalAuthorizeOffline', 'true'],
    ['LocalAuthListEnabled', 'false'],
    ['StopTransactionOnInvalidId', 'true'],
    ['MeterValuesSampledData', 'Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered'],
  ]);
  const readOnly = new Map<string, string>([
    ['NumberOfConnectors', String(charger.evses.length)],
    ['SupportedFeatureProfiles', 'Core,SmartCharging,Reservation,RemoteTrigger,LocalAuthListManagement'],
    ['ChargeProfileMaxStackLevel', '3'],
    ['ChargingScheduleAllowedChargingRateUnit', 'Current'],
    ['ChargingScheduleMaxPeriods', '24'],
    ['MaxChargingProfilesInstalled', '10'],
  ]);

  /** Sends one message of a transaction; anything but an answer is tried again. */
  const reliable =
    (action: string, payload: () => Payload, answered: (answer: Payload) => void = () => undefined): QueuedMessage =>
    async () => {
      const connection = charger.link;
      if (connection === undefined) return 'retry';
      const outcome = await connection.call(action, payload(), TIMEOUT);
      if (outcome.kind === 'result') answered(outcome.payload);
      // A CALLERROR to a transaction message: the gateway could not store it and wants it again (1.6 section 3.7.1).
      return outcome.kind === 'result' ? 'done' : 'retry';
    };

  const status = async (connection: OcppConnection, evse: EvseState): Promise<void> => {
    const word = status16(evse);
    if (evse.announced === word) return;
    evse.announced = word;
    const errorCode = evse.faulted ? 'GroundFailure' : 'NoError';
    await connection.call(
      'StatusNotification',
      { connectorId: evse.hardware.number, errorCode, status: word, timestamp: now() },
      TIMEOUT,
    );
  };

  return {
    handler: commands(charger, configuration, readOnly),
    async boot(connection) {
      const outcome = await connection.call(
        'BootNotification',
        {
          chargePointVendor: 'Forecourt',
          chargePointModel: 'Simulated 1.6',
          chargePointSerialNumber: id.slice(0, 25),
          firmwareVersion: '1.0',
        },
        TIMEOUT,
      );
      return outcome.kind === 'result' && outcome.payload['status'] === 'Accepted';
    },
    async heartbeat(connection) {
      await connection.call('Heartbeat', {}, TIMEOUT);
    },
    status,
    async authorize(connection, token): Promise<Verdict> {
      const outcome = await connection.call('Authorize', { idTag: token }, TIMEOUT);
      return outcome.kind === 'result' && accepted(outcome.payload['idTagInfo']) ? 'accepted' : 'refused';
    },
    started(session) {
      const evse = charger.evse(session.evse);
      return reliable(
        'StartTransaction',
        () => ({
          connectorId: session.evse,
          idTag: session.token,
          meterStart: session.meterStart,
          timestamp: toRfc3339(session.startedAt),
          ...(session.reservationId !== undefined && { reservationId: session.reservationId }),
        }),
        (answer) => {
          session.transactionId = String(answer['transactionId']);
          if (!accepted(answer['idTagInfo']) && evse?.session === session) charger.end(evse, 'DeAuthorized');
        },
      );
    },
    sampled(session) {
      const evse = charger.evse(session.evse);
      const meterValue = evse === undefined ? [] : [{ timestamp: now(), sampledValue: sampled(evse.hardware) }];
      return reliable('MeterValues', () => ({
        connectorId: session.evse,
        transactionId: Number(session.transactionId ?? -1),
        meterValue,
      }));
    },
    ended(session: Session) {
      return reliable('StopTransaction', () => ({
        transactionId: Number(session.transactionId ?? -1),
        meterStop: session.meterStop ?? session.meterStart,
        timestamp: toRfc3339(session.endedAt ?? clock.now()),
        reason: session.reason ?? 'Local',
        ...(session.reason === 'Local' && { idTag: session.token }),
      }));
    },
    chargingChanged: () => undefined,
  };
}

const accepted = (info: unknown): boolean =>
  typeof info === 'object' && info !== null && 'status' in info && info.status === 'Accepted';

type Command = (payload: Payload) => CallAnswer | Promise<CallAnswer>;

function commands(
  charger: SimulatedCharger,
  configuration: Map<string, string>,
  readOnly: Map<string, string>,
): CallHandler {
  const { clock } = charger.settings;
  const evseOf = (payload: Payload): EvseState | undefined => charger.evse(Number(payload['connectorId']));
  const sessionOf = (payload: Payload): EvseState | undefined =>
    charger.evses.find((evse) => evse.session?.transactionId === String(payload['transactionId']));

  const table: Partial<Record<string, Command>> = {
    GetConfiguration: (payload) => {
      const asked = Array.isArray(payload['key'])
        ? payload['key'].map(String)
        : [...configuration.keys(), ...readOnly.keys()];
      const known = asked.filter((key) => configuration.has(key) || readOnly.has(key));
      return result({
        configurationKey: known.map((key) => ({
          key,
          readonly: readOnly.has(key),
          value: readOnly.get(key) ?? configuration.get(key) ?? '',
        })),
        unknownKey: asked.filter((key) => !known.includes(key)),
      });
    },
    ChangeConfiguration: (payload) => {
      const key = String(payload['key']);
      if (readOnly.has(key)) return result({ status: 'Rejected' });
      if (!configuration.has(key)) return result({ status: 'NotSupported' });
      configuration.set(key, String(payload['value']));
      return result({ status: 'Accepted' });
    },
    SetChargingProfile: (payload) => {
      const profile = payload['csChargingProfiles'] as Payload;
      const schedule = profile['chargingSchedule'] as Payload;
      const [period] = schedule['chargingSchedulePeriod'] as Payload[];
      const limit = ampere(Number(period?.['limit']));
      const targets =
        Number(payload['connectorId']) === 0 ? charger.evses : charger.evses.filter((evse) => evse === evseOf(payload));
      if (targets.length === 0 || schedule['chargingRateUnit'] !== 'A') return result({ status: 'Rejected' });
      for (const evse of targets) {
        if (profile['chargingProfilePurpose'] === 'TxProfile') {
          if (evse.session?.transactionId !== String(profile['transactionId'])) return result({ status: 'Rejected' });
          evse.transactionLimit = limit;
        } else evse.defaultLimit = limit;
        charger.limited(evse);
      }
      return result({ status: 'Accepted' }, () => targets.forEach((evse) => void charger.announce(evse)));
    },
    ClearChargingProfile: () => {
      for (const evse of charger.evses) {
        evse.defaultLimit = undefined;
        evse.transactionLimit = undefined;
        charger.limited(evse);
      }
      return result({ status: 'Accepted' });
    },
    RemoteStartTransaction: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined || !evse.operative || evse.session !== undefined) return result({ status: 'Rejected' });
      return result({ status: 'Accepted' }, () => charger.identified(evse, String(payload['idTag'])));
    },
    RemoteStopTransaction: (payload) => {
      const evse = sessionOf(payload);
      if (evse === undefined) return result({ status: 'Rejected' });
      return result({ status: 'Accepted' }, () => charger.end(evse, 'Remote'));
    },
    UnlockConnector: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined) return result({ status: 'NotSupported' });
      if (evse.session !== undefined) charger.end(evse, 'UnlockCommand');
      return result({ status: 'Unlocked' });
    },
    ChangeAvailability: (payload) => {
      const targets =
        Number(payload['connectorId']) === 0 ? charger.evses : charger.evses.filter((evse) => evse === evseOf(payload));
      for (const evse of targets) evse.operative = payload['type'] === 'Operative';
      const busy = targets.some((evse) => evse.session !== undefined);
      return result({ status: busy ? 'Scheduled' : 'Accepted' }, () =>
        targets.forEach((evse) => void charger.announce(evse)),
      );
    },
    ReserveNow: (payload) => {
      const evse = evseOf(payload);
      if (evse === undefined) return result({ status: 'Rejected' });
      if (evse.session !== undefined || evse.hardware.car !== undefined) return result({ status: 'Occupied' });
      evse.reservation = { id: Number(payload['reservationId']), token: String(payload['idTag']) };
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
      const asked =
        payload['connectorId'] === undefined ? charger.evses : charger.evses.filter((evse) => evse === evseOf(payload));
      return result({ status: 'Accepted' }, () => {
        for (const evse of asked) {
          evse.announced = undefined;
          void charger.announce(evse);
        }
      });
    },
    Reset: (payload) =>
      result({ status: 'Accepted' }, () => {
        for (const evse of charger.evses) charger.end(evse, payload['type'] === 'Hard' ? 'HardReset' : 'SoftReset');
        clock.after(milliseconds(0), () => charger.link?.terminate());
      }),
    GetLocalListVersion: () => result({ listVersion: 0 }),
    SendLocalList: () => result({ status: 'Accepted' }),
    ClearCache: () => result({ status: 'Accepted' }),
    DataTransfer: () => result({ status: 'UnknownVendorId' }),
  };
  return async (call) =>
    (await table[call.action]?.(call.payload)) ?? { kind: 'error', code: 'NotImplemented', description: call.action };
}
