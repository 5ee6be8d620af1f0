// What a CSMS has heard of one transaction, with repetitions told apart from news.
import { answer } from '../peers/reactions.js';
import type { RpcCsms } from '../peers/rpc-csms.js';
import type { Payload } from '../peers/wire-record.js';

export interface Entry {
  /** Identifier of the CSMS for the transaction. */
  readonly transactions: ReadonlySet<string>;
  /** Each message once, in the order in which it was first heard. */
  readonly messages: readonly { readonly kind: string; readonly payload: Payload }[];
  /** Messages that were heard more than once, and how often more. */
  readonly repeated: readonly number[];
  readonly meterStart: number | undefined;
  readonly meterStop: number | undefined;
  readonly registers: readonly number[];
  readonly ended: boolean;
  /** What is wrong: an order, a gap, a second transaction. */
  readonly faults: readonly string[];
}

/** The ids of a 1.6 CSMS that knows a repeated start by its content, as the widespread ones do. */
export class IssuedIds {
  readonly #ids = new Map<string, number>();

  constructor(readonly first: number) {}

  /** The id of a start: of a repeated one, the same. */
  issue(start: Payload): number {
    const key = contentOf(start);
    const id = this.#ids.get(key) ?? this.first + this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }

  /** Installed before the first start. */
  serve(csms: RpcCsms): void {
    csms.scripts.always('StartTransaction', (payload) =>
      answer({ transactionId: this.issue(payload), idTagInfo: { status: 'Accepted' } }),
    );
  }
}

/** The offline flag is of the transmission, everything else of the message. */
const contentOf = (payload: Payload): string => JSON.stringify({ ...payload, offline: undefined });

/** All that belongs to the transaction begun with `token`. */
export function entryOf(csms: RpcCsms, token: string, ids: IssuedIds): Entry {
  const is16 = csms.version === 'ocpp1.6';
  const transactions = new Set<string>();
  const heard: { kind: string; payload: Payload }[] = [];
  for (const { action, payload } of csms.calls) {
    const kind = is16 ? action : String(payload['eventType']);
    const info = payload['transactionInfo'] as { readonly transactionId: string } | undefined;
    if (is16 && action === 'StartTransaction' && payload['idTag'] === token) {
      transactions.add(String(ids.issue(payload)));
    } else if (!is16 && action === 'TransactionEvent' && kind === 'Started') {
      if ((payload['idToken'] as { readonly idToken: string } | undefined)?.idToken !== token) continue;
      transactions.add(info?.transactionId ?? '');
    } else {
      const id = is16 ? payload['transactionId'] : info?.transactionId;
      if ((typeof id !== 'string' && typeof id !== 'number') || !transactions.has(String(id))) continue;
    }
    heard.push({ kind, payload });
  }
  return digest(is16, transactions, heard);
}

function digest(
  is16: boolean,
  transactions: ReadonlySet<string>,
  heard: readonly { readonly kind: string; readonly payload: Payload }[],
): Entry {
  const counts = new Map<string, number>();
  const messages = heard.filter(({ payload }) => {
    const content = contentOf(payload);
    counts.set(content, (counts.get(content) ?? 0) + 1);
    return counts.get(content) === 1;
  });
  const kinds = messages.map(({ kind }) => kind);
  const [start, stop] = is16 ? ['StartTransaction', 'StopTransaction'] : ['Started', 'Ended'];
  const faults: string[] = [];
  if (transactions.size !== 1) faults.push(`${transactions.size} transactions`);
  if (kinds.indexOf(start) !== 0 || kinds.lastIndexOf(start) !== 0) faults.push(`starts in ${kinds.join(' ')}`);
  const ended = kinds.includes(stop);
  if (ended && kinds.indexOf(stop) !== kinds.length - 1) faults.push(`something after the end: ${kinds.join(' ')}`);
  const seqNos = messages.map(({ payload }) => payload['seqNo']);
  if (!is16 && seqNos.some((seqNo, index) => seqNo !== index)) faults.push(`seqNo ${seqNos.join(' ')}`);
  const registers = messages.flatMap(({ payload }) => registersOf(payload));
  if (registers.some((register, index) => register < (registers[index - 1] ?? 0)))
    faults.push(`the register runs backwards: ${registers.join(' ')}`);
  return {
    transactions,
    messages,
    repeated: [...counts.values()].filter((count) => count > 1).map((count) => count - 1),
    registers,
    meterStart: registers[0],
    meterStop: registers.at(-1),
    ended,
    faults,
  };
}

function registersOf(payload: Payload): number[] {
  const own = payload['meterStart'] ?? payload['meterStop'];
  if (own !== undefined) return [Number(own)];
  const values = (payload['meterValue'] ?? []) as readonly { readonly sampledValue: readonly Payload[] }[];
  return values
    .flatMap(({ sampledValue }) => sampledValue)
    .filter(({ measurand = 'Energy.Active.Import.Register' }) => measurand === 'Energy.Active.Import.Register')
    .map(({ value }) => Number(value));
}
