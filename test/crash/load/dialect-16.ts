// What a 1.6 charger sends in a visit.
import type { Payload } from '../../peers/wire-record.js';
import type { Dialect, Place } from './dialect.js';
import type { Visit } from './visit.js';

const STATUSES = {
  free: 'Available',
  plugged: 'Preparing',
  charging: 'Charging',
  paused: 'SuspendedEV',
  over: 'Finishing',
} as const;

const iso = (at: number): string => new Date(at).toISOString();

export class Dialect16 implements Dialect {
  /** The id that the gateway gave, by EVSE of the charger. */
  readonly #ids = new Map<number, number>();

  status({ id, status }: Place, at: number): Payload {
    return { connectorId: id, errorCode: 'NoError', status: STATUSES[status], timestamp: iso(at) };
  }

  authorize(token: string): readonly [string, Payload] {
    return ['Authorize', { idTag: token }];
  }

  start({ id }: Place, visit: Visit, at: number): readonly [string, Payload] {
    visit.identifiedAt = at;
    return [
      'StartTransaction',
      { connectorId: id, idTag: visit.token, meterStart: visit.meterStart, timestamp: iso(at) },
    ];
  }

  started({ id }: Place, visit: Visit, answer: Payload): void {
    const transactionId = Number(answer['transactionId']);
    visit.ids.add(String(transactionId));
    this.#ids.set(id, transactionId);
    visit.verdicts.add((answer['idTagInfo'] as { readonly status: string }).status);
  }

  values({ id, register }: Place, _visit: Visit, at: number, milestone: boolean): readonly [string, Payload] {
    const value = {
      value: String(register),
      context: milestone ? 'Trigger' : 'Sample.Periodic',
      measurand: 'Energy.Active.Import.Register',
      unit: 'Wh',
    };
    return [
      'MeterValues',
      {
        connectorId: id,
        transactionId: this.#ids.get(id),
        meterValue: [{ timestamp: iso(at), sampledValue: [value] }],
      },
    ];
  }

  state(): undefined {
    return undefined;
  }

  stop({ id, register }: Place, { token, reason }: Visit, at: number): readonly [string, Payload] {
    return [
      'StopTransaction',
      {
        transactionId: this.#ids.get(id),
        meterStop: register,
        timestamp: iso(at),
        reason,
        ...(reason === 'Local' && { idTag: token }),
      },
    ];
  }

  /** The id by which a remote stop names what goes on there. */
  transaction({ id }: Place): string | undefined {
    return this.#ids.get(id)?.toString();
  }
}
