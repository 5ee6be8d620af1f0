// What a 2.0.1 station sends in a visit.
import { randomUUID } from 'node:crypto';
import type { Payload } from '../../peers/wire-record.js';
import type { Dialect, Place } from './dialect.js';
import type { StopReason, Visit } from './visit.js';

const TRIGGERS: Readonly<Record<StopReason, string>> = {
  Local: 'StopAuthorized',
  Remote: 'RemoteStop',
  PowerLoss: 'AbnormalCondition',
  EVDisconnected: 'EVCommunicationLost',
};

const iso = (at: number): string => new Date(at).toISOString();

interface Ongoing {
  readonly id: string;
  seqNo: number;
}

export class Dialect201 implements Dialect {
  readonly #ongoing = new Map<number, Ongoing>();

  /** @param offline whether the station has no connection at this moment */
  constructor(readonly offline: () => boolean) {}

  status({ id, status }: Place, at: number): Payload {
    return {
      timestamp: iso(at),
      connectorStatus: status === 'free' ? 'Available' : 'Occupied',
      evseId: id,
      connectorId: 1,
    };
  }

  authorize(token: string): readonly [string, Payload] {
    return ['Authorize', { idToken: { idToken: token, type: 'ISO14443' } }];
  }

  start(place: Place, visit: Visit, at: number, remoteStartId: number | undefined, early: boolean) {
    this.#ongoing.set(place.id, { id: randomUUID(), seqNo: 0 });
    if (!early) visit.identifiedAt = at;
    const trigger = early ? 'CablePluggedIn' : remoteStartId === undefined ? 'Authorized' : 'RemoteStart';
    return this.#event(place, 'Started', trigger, at, {
      context: 'Transaction.Begin',
      info: { chargingState: 'EVConnected', ...(remoteStartId !== undefined && { remoteStartId }) },
      ...(!early && { token: visit.token }),
    });
  }

  started(_place: Place, visit: Visit, answer: Payload): void {
    const info = answer['idTokenInfo'] as { readonly status: string } | undefined;
    if (info !== undefined) visit.verdicts.add(info.status);
  }

  /** The driver's card after the cable. */
  identify(place: Place, visit: Visit, at: number): readonly [string, Payload] {
    visit.identifiedAt = at;
    return this.#event(place, 'Updated', 'Authorized', at, { token: visit.token, info: { chargingState: 'Charging' } });
  }

  values(place: Place, _visit: Visit, at: number, milestone: boolean): readonly [string, Payload] {
    return this.#event(place, 'Updated', milestone ? 'Trigger' : 'MeterValuePeriodic', at, {
      context: milestone ? 'Trigger' : 'Sample.Periodic',
    });
  }

  state(place: Place, at: number): readonly [string, Payload] {
    const chargingState = place.status === 'paused' ? 'SuspendedEV' : 'Charging';
    return this.#event(place, 'Updated', 'ChargingStateChanged', at, { info: { chargingState } });
  }

  stop(place: Place, { token, reason = 'Local' }: Visit, at: number): readonly [string, Payload] {
    return this.#event(place, 'Ended', TRIGGERS[reason], at, {
      context: 'Transaction.End',
      info: { stoppedReason: reason, chargingState: 'EVConnected' },
      ...(reason === 'Local' && { token }),
    });
  }

  transaction({ id }: Place): string | undefined {
    return this.#ongoing.get(id)?.id;
  }

  #event(
    { id, register }: Place,
    eventType: string,
    triggerReason: string,
    at: number,
    more: { readonly context?: string; readonly info?: Payload; readonly token?: string },
  ): readonly [string, Payload] {
    const ongoing = this.#ongoing.get(id);
    if (ongoing === undefined) throw new Error('nothing goes on there');
    const sample = {
      value: register,
      context: more.context,
      measurand: 'Energy.Active.Import.Register',
      unitOfMeasure: { unit: 'Wh' },
    };
    return [
      'TransactionEvent',
      {
        eventType,
        timestamp: iso(at),
        triggerReason,
        seqNo: ongoing.seqNo++,
        ...(this.offline() && { offline: true }),
        evse: { id, connectorId: 1 },
        transactionInfo: { transactionId: ongoing.id, ...more.info },
        ...(more.context !== undefined && { meterValue: [{ timestamp: iso(at), sampledValue: [sample] }] }),
        ...(more.token !== undefined && { idToken: { idToken: more.token, type: 'ISO14443' } }),
      },
    ];
  }
}
