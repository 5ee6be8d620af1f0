// An OCPP 1.6 charger with one connector.
import type { OCPP16 } from 'typed-ocpp';
import {
  phasesOf,
  type ChargerDialect,
  type Limit,
  type StartOptions,
  type StopOptions,
  type Wiring,
} from './charger-dialect.js';
import { answer, type Reaction } from './reactions.js';
import type { Payload } from './wire-record.js';

const KEYS: Readonly<Record<string, readonly [value: string, readonly: boolean]>> = {
  NumberOfConnectors: ['1', true],
  SupportedFeatureProfiles: ['Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger', true],
  ChargingScheduleAllowedChargingRateUnit: ['Current', true],
  ChargeProfileMaxStackLevel: ['5', true],
  ChargingScheduleMaxPeriods: ['24', true],
  MaxChargingProfilesInstalled: ['10', true],
  ConnectorSwitch3to1PhaseSupported: ['false', true],
  HeartbeatInterval: ['300', false],
  MeterValueSampleInterval: ['60', false],
  MeterValuesSampledData: ['Energy.Active.Import.Register', false],
  AuthorizeRemoteTxRequests: ['true', false],
  LocalAuthorizeOffline: ['true', false],
  LocalPreAuthorize: ['true', false],
  AuthorizationCacheEnabled: ['true', false],
  StopTransactionOnInvalidId: ['true', false],
  LocalAuthListEnabled: ['false', false],
  SendLocalListMaxLength: ['100', true],
  LocalAuthListMaxLength: ['1000', true],
  ConnectionTimeOut: ['60', false],
  StopTransactionOnEVSideDisconnect: ['true', false],
  UnlockConnectorOnEVSideDisconnect: ['true', false],
};

export class Ocpp16Charger implements ChargerDialect {
  readonly settings = new Map(Object.entries(KEYS).map(([key, [value]]) => [key, value]));
  readonly limits: Limit[] = [];
  register: number;
  transaction: string | undefined;
  starts = 0;
  #status: OCPP16.StatusNotificationRequest['status'] = 'Available';
  #listVersion = 0;
  readonly #is: Wiring;

  constructor(wiring: Wiring) {
    this.#is = wiring;
    this.register = wiring.register;
    this.settings.set('ConnectorSwitch3to1PhaseSupported', String(wiring.phaseSwitching));
  }

  boot(): Promise<Payload> {
    return this.#is.call('BootNotification', {
      chargePointVendor: 'Peer',
      chargePointModel: 'Sixteen',
      chargePointSerialNumber: 'SN-16',
      firmwareVersion: '1.2.3',
    });
  }

  heartbeat(): Promise<Payload> {
    return this.#is.call('Heartbeat', {});
  }

  available(): Promise<void> {
    return this.status('Available');
  }

  plug(): Promise<void> {
    return this.status('Preparing');
  }

  unplug(): Promise<void> {
    return this.status('Available');
  }

  unavailable(): Promise<void> {
    return this.status('Unavailable');
  }

  async faulted(): Promise<void> {
    await this.status('Faulted', 'GroundFailure');
  }

  async status(
    status: OCPP16.StatusNotificationRequest['status'],
    errorCode: OCPP16.StatusNotificationRequest['errorCode'] = 'NoError',
  ): Promise<void> {
    this.#status = status;
    const request: OCPP16.StatusNotificationRequest = {
      connectorId: 1,
      errorCode,
      status,
      timestamp: new Date().toISOString(),
    };
    await this.#is.call('StatusNotification', { ...request });
  }

  async authorize(idTag: string): Promise<string> {
    const { idTagInfo } = (await this.#is.call('Authorize', { idTag })) as unknown as OCPP16.AuthorizeResponse;
    return idTagInfo.status;
  }

  async start({ idToken, reservationId, at = new Date() }: StartOptions): Promise<string> {
    this.starts++;
    const response = (await this.#is.call('StartTransaction', {
      connectorId: 1,
      idTag: idToken,
      meterStart: this.register,
      timestamp: at.toISOString(),
      ...(reservationId !== undefined && { reservationId }),
    })) as unknown as OCPP16.StartTransactionResponse;
    this.transaction = String(response.transactionId);
    if (response.idTagInfo.status === 'Accepted') await this.status('Charging');
    return response.idTagInfo.status;
  }

  async charge(wattHours: number, current = 6, at = new Date()): Promise<void> {
    this.register += wattHours;
    await this.#is.call('MeterValues', this.#meterValues('Sample.Periodic', current, at));
  }

  suspendedByCar(): Promise<void> {
    return this.status('SuspendedEV');
  }

  suspendedBySite(): Promise<void> {
    return this.status('SuspendedEVSE');
  }

  resume(): Promise<void> {
    return this.status('Charging');
  }

  async stop({
    reason = 'Local',
    idToken,
    at = new Date(),
    transactionId = Number(this.transaction),
  }: StopOptions = {}): Promise<void> {
    this.transaction = undefined;
    await this.#is.call('StopTransaction', {
      transactionId,
      meterStop: this.register,
      timestamp: at.toISOString(),
      reason,
      ...(idToken !== undefined && { idTag: idToken }),
    });
    await this.status('Finishing');
  }

  react(action: string, payload: Payload): Reaction {
    switch (action) {
      case 'GetConfiguration':
        return answer(this.#configuration(payload));
      case 'ChangeConfiguration': {
        const { key, value } = payload as unknown as OCPP16.ChangeConfigurationRequest;
        const known = KEYS[key];
        if (known === undefined) return answer({ status: 'NotSupported' });
        if (known[1]) return answer({ status: 'Rejected' });
        this.settings.set(key, value);
        return answer({ status: 'Accepted' });
      }
      case 'SetChargingProfile':
        return this.#setChargingProfile(payload as unknown as OCPP16.SetChargingProfileRequest);
      case 'RemoteStartTransaction': {
        const { idTag } = payload as unknown as OCPP16.RemoteStartTransactionRequest;
        if (this.transaction !== undefined) return answer({ status: 'Rejected' });
        if (this.#is.obeysRemoteStart) this.#soon(() => this.start({ idToken: idTag }));
        return answer({ status: 'Accepted' });
      }
      case 'RemoteStopTransaction': {
        const { transactionId } = payload as unknown as OCPP16.RemoteStopTransactionRequest;
        if (this.transaction !== String(transactionId)) return answer({ status: 'Rejected' });
        this.#soon(() => this.stop({ reason: 'Remote' }));
        return answer({ status: 'Accepted' });
      }
      case 'ChangeAvailability': {
        const { type } = payload as unknown as OCPP16.ChangeAvailabilityRequest;
        if (this.transaction !== undefined && type === 'Inoperative') return answer({ status: 'Scheduled' });
        this.#soon(() => this.status(type === 'Inoperative' ? 'Unavailable' : 'Available'));
        return answer({ status: 'Accepted' });
      }
      case 'TriggerMessage':
        return this.#trigger(payload as unknown as OCPP16.TriggerMessageRequest);
      case 'UnlockConnector':
        return answer({ status: 'Unlocked' });
      case 'GetLocalListVersion':
        return answer({ listVersion: this.#listVersion });
      case 'SendLocalList':
        this.#listVersion = (payload as unknown as OCPP16.SendLocalListRequest).listVersion;
        return answer({ status: 'Accepted' });
      case 'GetCompositeSchedule':
        return answer({ status: 'Rejected' });
      default:
        return answer({ status: 'Accepted' });
    }
  }

  #trigger({ requestedMessage }: OCPP16.TriggerMessageRequest): Reaction {
    const later: Partial<Record<string, () => Promise<unknown>>> = {
      StatusNotification: () => this.status(this.#status),
      MeterValues: () => this.#is.call('MeterValues', this.#meterValues('Trigger', 0)),
      BootNotification: () => this.boot(),
      Heartbeat: () => this.heartbeat(),
    };
    const act = later[requestedMessage];
    if (act === undefined) return answer({ status: 'NotImplemented' });
    this.#soon(act);
    return answer({ status: 'Accepted' });
  }

  #configuration({ key }: OCPP16.GetConfigurationRequest): Payload {
    const asked = key ?? [];
    const names = asked.length === 0 ? Object.keys(KEYS) : asked.filter((name) => name in KEYS);
    return {
      configurationKey: names.map((name) => ({
        key: name,
        readonly: KEYS[name]?.[1] ?? true,
        value: this.settings.get(name) ?? '',
      })),
      unknownKey: asked.filter((name) => !(name in KEYS)),
    };
  }

  #setChargingProfile({ csChargingProfiles: profile }: OCPP16.SetChargingProfileRequest): Reaction {
    if (!this.#is.smartCharging) return answer({ status: 'NotSupported' });
    const [first] = profile.chargingSchedule.chargingSchedulePeriod;
    const transaction = profile.transactionId !== undefined;
    if (profile.chargingProfilePurpose === 'TxProfile' && this.transaction === undefined)
      return answer({ status: 'Rejected' });
    this.limits.push({
      purpose: profile.chargingProfilePurpose,
      current: first?.limit ?? Number.NaN,
      transaction,
      ...(first?.numberPhases !== undefined && { phases: first.numberPhases }),
    });
    this.#is.changes.happened();
    return answer({ status: 'Accepted' });
  }

  #meterValues(context: 'Sample.Periodic' | 'Trigger', current: number, at = new Date()): Payload {
    const phases = phasesOf(this.limits.at(-1));
    return {
      connectorId: 1,
      ...(this.transaction !== undefined && { transactionId: Number(this.transaction) }),
      meterValue: [
        {
          timestamp: at.toISOString(),
          sampledValue: [
            { value: String(this.register), context, measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
            ...phases.map((phase) => ({
              value: current.toFixed(1),
              context,
              measurand: 'Current.Import',
              phase,
              unit: 'A',
            })),
          ],
        },
      ],
    };
  }

  /** After the answer has gone out; what fails then is seen by what the test waits for. */
  #soon(act: () => Promise<unknown>): void {
    setImmediate(() => {
      act().catch(() => this.#is.changes.happened());
    });
  }
}
