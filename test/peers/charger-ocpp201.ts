// An OCPP 2.0.1 charging station with one EVSE and one connector.
import { randomUUID } from 'node:crypto';
import type { OCPP20 } from 'typed-ocpp';
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

type State = NonNullable<OCPP20.TransactionEventRequest['transactionInfo']['chargingState']>;
type Trigger = OCPP20.TransactionEventRequest['triggerReason'];

const VARIABLES: Readonly<Record<string, string>> = {
  'SmartChargingCtrlr.Enabled': 'true',
  'SmartChargingCtrlr.RateUnit': 'A',
  'SmartChargingCtrlr.ProfileStackLevel': '5',
  'LocalAuthListCtrlr.Enabled': 'false',
  'LocalAuthListCtrlr.ItemsPerMessage': '100',
  'ReservationCtrlr.Enabled': 'true',
  'OCPPCommCtrlr.HeartbeatInterval': '300',
  'AuthCtrlr.AuthorizeRemoteStart': 'true',
  'AuthCtrlr.LocalPreAuthorize': 'true',
  'AuthCtrlr.LocalAuthorizeOffline': 'true',
  'AuthCacheCtrlr.Enabled': 'true',
  'TxCtrlr.StopTxOnInvalidId': 'true',
  'TxCtrlr.TxStartPoint': 'EVConnected',
  'TxCtrlr.TxStopPoint': 'EVConnected',
  'TxCtrlr.EVConnectionTimeOut': '60',
  'TxCtrlr.StopTxOnEVSideDisconnect': 'true',
  'OCPPCommCtrlr.UnlockOnEVSideDisconnect': 'true',
  'SampledDataCtrlr.TxUpdatedInterval': '60',
  'SampledDataCtrlr.TxUpdatedMeasurands': 'Energy.Active.Import.Register',
  'SampledDataCtrlr.TxStartedMeasurands': 'Energy.Active.Import.Register',
  'SampledDataCtrlr.TxEndedMeasurands': 'Energy.Active.Import.Register',
};

const EVSE = { id: 1, connectorId: 1 };
const STOP_TRIGGERS: Readonly<Record<NonNullable<StopOptions['reason']>, Trigger>> = {
  Local: 'StopAuthorized',
  Remote: 'RemoteStop',
  EVDisconnected: 'EVCommunicationLost',
  PowerLoss: 'AbnormalCondition',
  DeAuthorized: 'Deauthorized',
};

export class Ocpp201Charger implements ChargerDialect {
  readonly settings = new Map(Object.entries(VARIABLES));
  readonly limits: Limit[] = [];
  register: number;
  transaction: string | undefined;
  starts = 0;
  #status: OCPP20.StatusNotificationRequest['connectorStatus'] = 'Available';
  #seqNo = 0;
  #listVersion = 0;
  readonly #is: Wiring;

  constructor(wiring: Wiring) {
    this.#is = wiring;
    this.register = wiring.register;
    if (!wiring.phaseSwitching) return;
    this.settings.set('SmartChargingCtrlr.Phases3to1', 'true');
    this.settings.set('SmartChargingCtrlr.ACPhaseSwitchingSupported', 'true');
  }

  boot(): Promise<Payload> {
    return this.#is.call('BootNotification', {
      reason: 'PowerUp',
      chargingStation: { vendorName: 'Peer', model: 'TwoZeroOne', serialNumber: 'SN-201', firmwareVersion: '2.3.4' },
    });
  }

  heartbeat(): Promise<Payload> {
    return this.#is.call('Heartbeat', {});
  }

  available(): Promise<void> {
    return this.status('Available');
  }

  plug(): Promise<void> {
    return this.status('Occupied');
  }

  unplug(): Promise<void> {
    return this.status('Available');
  }

  unavailable(): Promise<void> {
    return this.status('Unavailable');
  }

  faulted(): Promise<void> {
    return this.status('Faulted');
  }

  async status(connectorStatus: OCPP20.StatusNotificationRequest['connectorStatus']): Promise<void> {
    this.#status = connectorStatus;
    await this.#is.call('StatusNotification', {
      timestamp: new Date().toISOString(),
      connectorStatus,
      evseId: 1,
      connectorId: 1,
    });
  }

  async authorize(idToken: string): Promise<string> {
    const response = (await this.#is.call('Authorize', {
      idToken: { idToken, type: 'ISO14443' },
    })) as unknown as OCPP20.AuthorizeResponse;
    return response.idTokenInfo.status;
  }

  async start({ idToken, remoteStartId, reservationId, offline, at }: StartOptions): Promise<string> {
    this.starts++;
    this.transaction = randomUUID();
    this.#seqNo = 0;
    const response = await this.#event('Started', remoteStartId === undefined ? 'Authorized' : 'RemoteStart', {
      state: 'Charging',
      register: 'Transaction.Begin',
      ...(at && { at }),
      info: { ...(remoteStartId !== undefined && { remoteStartId }) },
      rest: {
        idToken: { idToken, type: 'ISO14443' },
        ...(reservationId !== undefined && { reservationId }),
        ...(offline === true && { offline }),
      },
    });
    return response.idTokenInfo?.status ?? 'Accepted';
  }

  async charge(wattHours: number, current = 6, at?: Date): Promise<void> {
    this.register += wattHours;
    await this.#event('Updated', 'MeterValuePeriodic', {
      state: 'Charging',
      register: 'Sample.Periodic',
      current,
      ...(at && { at }),
    });
  }

  suspendedByCar(): Promise<void> {
    return this.#stateChanged('SuspendedEV');
  }

  suspendedBySite(): Promise<void> {
    return this.#stateChanged('SuspendedEVSE');
  }

  resume(): Promise<void> {
    return this.#stateChanged('Charging');
  }

  async stop({ reason = 'Local', idToken, offline, at }: StopOptions = {}): Promise<void> {
    await this.#event('Ended', STOP_TRIGGERS[reason], {
      register: 'Transaction.End',
      state: 'EVConnected',
      ...(at && { at }),
      info: { stoppedReason: reason },
      rest: {
        ...(idToken !== undefined && { idToken: { idToken, type: 'ISO14443' } }),
        ...(offline === true && { offline }),
      },
    });
    this.transaction = undefined;
  }

  react(action: string, payload: Payload): Reaction {
    switch (action) {
      case 'GetVariables':
        return answer(this.#getVariables(payload as unknown as OCPP20.GetVariablesRequest));
      case 'SetVariables':
        return answer(this.#setVariables(payload as unknown as OCPP20.SetVariablesRequest));
      case 'SetChargingProfile':
        return this.#setChargingProfile(payload as unknown as OCPP20.SetChargingProfileRequest);
      case 'RequestStartTransaction': {
        const { idToken, remoteStartId } = payload as unknown as OCPP20.RequestStartTransactionRequest;
        if (this.transaction !== undefined) return answer({ status: 'Rejected' });
        if (this.#is.obeysRemoteStart) this.#soon(() => this.start({ idToken: idToken.idToken, remoteStartId }));
        return answer({ status: 'Accepted' });
      }
      case 'RequestStopTransaction': {
        const { transactionId } = payload as unknown as OCPP20.RequestStopTransactionRequest;
        if (this.transaction !== transactionId) return answer({ status: 'Rejected' });
        this.#soon(() => this.stop({ reason: 'Remote' }));
        return answer({ status: 'Accepted' });
      }
      case 'ChangeAvailability': {
        const { operationalStatus } = payload as unknown as OCPP20.ChangeAvailabilityRequest;
        if (this.transaction !== undefined && operationalStatus === 'Inoperative')
          return answer({ status: 'Scheduled' });
        this.#soon(() => this.status(operationalStatus === 'Inoperative' ? 'Unavailable' : 'Available'));
        return answer({ status: 'Accepted' });
      }
      case 'TriggerMessage':
        return this.#trigger(payload as unknown as OCPP20.TriggerMessageRequest);
      case 'UnlockConnector':
        return answer({ status: 'Unlocked' });
      case 'GetLocalListVersion':
        return answer({ versionNumber: this.#listVersion });
      case 'SendLocalList':
        this.#listVersion = (payload as unknown as OCPP20.SendLocalListRequest).versionNumber;
        return answer({ status: 'Accepted' });
      case 'GetTransactionStatus':
        return answer({ messagesInQueue: false });
      default:
        return answer({ status: 'Accepted' });
    }
  }

  #stateChanged(state: State): Promise<void> {
    return this.#event('Updated', 'ChargingStateChanged', { state }).then(() => undefined);
  }

  async #event(
    eventType: OCPP20.TransactionEventRequest['eventType'],
    triggerReason: Trigger,
    what: {
      readonly state: State;
      readonly register?: 'Transaction.Begin' | 'Sample.Periodic' | 'Transaction.End';
      readonly current?: number;
      readonly at?: Date;
      readonly info?: Payload;
      readonly rest?: Payload;
    },
  ): Promise<OCPP20.TransactionEventResponse> {
    const timestamp = (what.at ?? new Date()).toISOString();
    const { register: context, current } = what;
    const phases = phasesOf(this.limits.at(-1));
    return await this.#is.call('TransactionEvent', {
      eventType,
      timestamp,
      triggerReason,
      seqNo: this.#seqNo++,
      evse: EVSE,
      transactionInfo: { transactionId: this.transaction ?? '', chargingState: what.state, ...what.info },
      ...(context !== undefined && {
        meterValue: [
          {
            timestamp,
            sampledValue: [
              {
                value: this.register,
                context,
                measurand: 'Energy.Active.Import.Register',
                unitOfMeasure: { unit: 'Wh' },
              },
              ...(current === undefined
                ? []
                : phases.map((phase) => ({
                    value: current,
                    context,
                    measurand: 'Current.Import',
                    phase,
                    unitOfMeasure: { unit: 'A' },
                  }))),
            ],
          },
        ],
      }),
      ...what.rest,
    });
  }

  #trigger({ requestedMessage }: OCPP20.TriggerMessageRequest): Reaction {
    const later: Partial<Record<string, () => Promise<unknown>>> = {
      StatusNotification: () => this.status(this.#status),
      BootNotification: () => this.boot(),
      Heartbeat: () => this.heartbeat(),
    };
    const act = later[requestedMessage];
    if (act === undefined) return answer({ status: 'NotImplemented' });
    this.#soon(act);
    return answer({ status: 'Accepted' });
  }

  #getVariables({ getVariableData }: OCPP20.GetVariablesRequest): Payload {
    return {
      getVariableResult: getVariableData.map(({ component, variable }) => {
        const value = this.settings.get(`${component.name}.${variable.name}`);
        return {
          component,
          variable,
          ...(value === undefined
            ? { attributeStatus: 'UnknownVariable' }
            : { attributeStatus: 'Accepted', attributeValue: value }),
        };
      }),
    };
  }

  #setVariables({ setVariableData }: OCPP20.SetVariablesRequest): Payload {
    return {
      setVariableResult: setVariableData.map(({ component, variable, attributeValue }) => {
        const name = `${component.name}.${variable.name}`;
        const known = this.settings.has(name);
        if (known) this.settings.set(name, attributeValue);
        return { component, variable, attributeStatus: known ? 'Accepted' : 'UnknownVariable' };
      }),
    };
  }

  #setChargingProfile({ chargingProfile: profile }: OCPP20.SetChargingProfileRequest): Reaction {
    if (!this.#is.smartCharging) return answer({ status: 'Rejected' });
    if (profile.chargingProfilePurpose === 'TxProfile' && profile.transactionId !== this.transaction)
      return answer({ status: 'Rejected' });
    const first = profile.chargingSchedule[0]?.chargingSchedulePeriod[0];
    this.limits.push({
      purpose: profile.chargingProfilePurpose,
      current: first?.limit ?? Number.NaN,
      transaction: profile.transactionId !== undefined,
      ...(first?.numberPhases !== undefined && { phases: first.numberPhases }),
      ...(first?.phaseToUse !== undefined && { phaseToUse: first.phaseToUse }),
    });
    this.#is.changes.happened();
    return answer({ status: 'Accepted' });
  }

  /** After the answer has gone out; what fails then is seen by what the test waits for. */
  #soon(act: () => Promise<unknown>): void {
    setImmediate(() => {
      act().catch(() => this.#is.changes.happened());
    });
  }
}
