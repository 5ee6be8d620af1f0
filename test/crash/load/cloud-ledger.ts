// What a CSMS under load has been told of each transaction, every hearing with its moment, so that repetitions can be accounted for.
import type { OcppVersion, Payload } from '../../peers/wire-record.js';
import type { IssuedIds } from '../ledger.js';

export interface Told {
  readonly kind: 'start' | 'update' | 'stop';
  /** Milliseconds since 1970, as the message says. */
  readonly at: number;
  readonly seqNo: number | undefined;
  /** Wh, with what is no periodic sample apart. */
  readonly registers: readonly { readonly register: number; readonly milestone: boolean; readonly at: number }[];
  readonly reason: string | undefined;
  readonly repeated: number[];
  /** Milliseconds since 1970 of the first hearing, and `repeated` of the others. */
  readonly heardAt: number;
}

export interface Account {
  /** Of the CSMS. */
  readonly id: string;
  /** As the visits have it. */
  token: string | undefined;
  readonly evse: number;
  /** Each message once, as it was first heard. */
  readonly told: Told[];
  readonly byContent: Map<string, Told>;
}

interface Sampled {
  readonly value: string | number;
  readonly context?: string;
  readonly measurand?: string;
}

/** The token of every transaction on a charger without a reader: its visits are told apart by their order. */
export const NOBODYS = 'DEPOT';

export class Ledger {
  readonly accounts = new Map<string, Account>();
  /** Messages of transactions that this CSMS was never told the start of. */
  readonly strays: string[] = [];
  #nobodys = 0;
  readonly #byToken = new Map<string, Account[]>();

  constructor(
    readonly version: OcppVersion,
    readonly issued: IssuedIds,
  ) {}

  of(token: string): readonly Account[] {
    return this.#byToken.get(token) ?? [];
  }

  ended(token: string): boolean {
    return this.of(token).some(({ told }) => told.some(({ kind }) => kind === 'stop'));
  }

  take(action: string, payload: Payload): void {
    if (this.version === 'ocpp1.6') this.#take16(action, payload);
    else if (action === 'TransactionEvent') this.#take201(payload);
  }

  #take16(action: string, payload: Payload): void {
    if (action === 'StartTransaction') {
      const id = String(this.issued.issue(payload));
      const account = this.#account(id, Number(payload['connectorId']));
      this.#identify(account, String(payload['idTag']));
      this.#hear(account, 'start', payload, Date.parse(String(payload['timestamp'])));
    } else if (action === 'StopTransaction' || (action === 'MeterValues' && payload['transactionId'] !== undefined)) {
      const id = String(payload['transactionId']);
      const account = this.accounts.get(id);
      if (account === undefined) {
        this.strays.push(`${action} of ${id}`);
        return;
      }
      const values = payload['meterValue'] as readonly { readonly timestamp: string }[] | undefined;
      const own = payload['timestamp'] as string | undefined;
      const at = Date.parse(own ?? values?.[0]?.timestamp ?? '');
      this.#hear(account, action === 'MeterValues' ? 'update' : 'stop', payload, at);
    }
  }

  #take201(payload: Payload): void {
    const { transactionId } = payload['transactionInfo'] as { readonly transactionId: string };
    const { id: evse } = payload['evse'] as { readonly id: number };
    const account = this.#account(transactionId, evse);
    const kinds = { Started: 'start', Updated: 'update', Ended: 'stop' } as const;
    const kind = kinds[payload['eventType'] as keyof typeof kinds];
    const token = payload['idToken'] as { readonly idToken: string } | undefined;
    if (token !== undefined && kind !== 'stop') this.#identify(account, token.idToken);
    this.#hear(account, kind, payload, Date.parse(String(payload['timestamp'])));
  }

  #account(id: string, evse: number): Account {
    const known = this.accounts.get(id);
    if (known !== undefined) return known;
    const account: Account = { id, token: undefined, evse, told: [], byContent: new Map() };
    this.accounts.set(id, account);
    return account;
  }

  #identify(account: Account, token: string): void {
    if (account.token?.startsWith(token) === true) return;
    const name = token === NOBODYS ? `${token}#${++this.#nobodys}` : token;
    account.token = name;
    this.#byToken.set(name, [...this.of(name), account]);
  }

  #hear(account: Account, kind: Told['kind'], payload: Payload, at: number): void {
    // The offline flag is of the transmission, everything else of the message.
    const content = JSON.stringify({ ...payload, offline: undefined });
    const known = account.byContent.get(content);
    if (known !== undefined) {
      known.repeated.push(Date.now());
      return;
    }
    const info = payload['transactionInfo'] as { readonly stoppedReason?: string } | undefined;
    const told: Told = {
      kind,
      at,
      seqNo: payload['seqNo'] as number | undefined,
      registers: registersOf(payload, kind, at),
      reason: (payload['reason'] as string | undefined) ?? info?.stoppedReason,
      repeated: [],
      heardAt: Date.now(),
    };
    account.told.push(told);
    account.byContent.set(content, told);
  }
}

function registersOf(payload: Payload, kind: Told['kind'], at: number): Told['registers'] {
  const own = payload['meterStart'] ?? payload['meterStop'];
  if (own !== undefined) return [{ register: Number(own), milestone: false, at }];
  const values = (payload['meterValue'] ?? []) as readonly {
    readonly timestamp: string;
    readonly sampledValue: readonly Sampled[];
  }[];
  return values.flatMap(({ timestamp, sampledValue }) =>
    sampledValue
      .filter(({ measurand = 'Energy.Active.Import.Register' }) => measurand === 'Energy.Active.Import.Register')
      .map(({ value, context }) => ({
        register: Number(value),
        milestone: kind === 'update' && context === 'Trigger',
        at: Date.parse(timestamp),
      })),
  );
}
