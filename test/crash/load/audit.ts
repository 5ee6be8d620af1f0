// Compares the books: what the chargers did, what the gateway has on disk, and what either cloud was told.
import Database from 'better-sqlite3';
import type { TransactionEntry } from '../../../gateway/transactions/book.js';
import type { ChargeDetailRecord, JournalRecord, TransactionRecord } from '../../../gateway/site/transaction.js';
import { NOBODYS, type Account, type Told } from './cloud-ledger.js';
import type { Cloud } from './cloud.js';
import type { Visit } from './visit.js';

export interface Evidence {
  readonly visits: readonly Visit[];
  readonly clouds: readonly Cloud[];
  readonly kills: readonly { readonly at: number; readonly why: string }[];
  /** Of the gateway, which no longer runs. */
  readonly database: string;
}

export interface Finding {
  readonly what: string;
  readonly visit?: Visit;
}

/** Milliseconds: what was on its way when the gateway was killed is heard a little later. */
const SOON_AFTER = 300;

export function audit(evidence: Evidence): readonly Finding[] {
  const findings: Finding[] = [];
  for (const visit of evidence.visits) {
    for (const cloud of evidence.clouds)
      for (const what of atCloud(visit, cloud, evidence))
        findings.push({ visit, what: `${cloud.csms.record.peer}: ${what}` });
    for (const what of atStation(visit)) findings.push({ visit, what });
  }
  for (const cloud of evidence.clouds) {
    const tokens = new Set(evidence.visits.map(({ token }) => token));
    for (const { id, token } of cloud.ledger.accounts.values())
      if (token === undefined || !tokens.has(token))
        findings.push({ what: `${cloud.csms.record.peer}: transaction ${id} of ${token ?? 'nobody'} was never begun` });
    for (const stray of cloud.ledger.strays) findings.push({ what: `${cloud.csms.record.peer}: stray ${stray}` });
    for (const fault of cloud.csms.record.faults) findings.push({ what: fault });
  }
  const ids = evidence.visits.flatMap((visit) => [...visit.ids]);
  if (new Set(ids).size !== ids.length) findings.push({ what: 'the gateway issued an id twice' });
  findings.push(...onDisk(evidence));
  return findings;
}

function* atStation({ ids, verdicts }: Visit): Iterable<string> {
  if (ids.size > 1) yield `one start was given the ids ${[...ids].join(' ')}`;
  for (const verdict of verdicts) if (verdict !== 'Accepted') yield `the driver was ${verdict}`;
}

function* atCloud(visit: Visit, cloud: Cloud, { kills }: Evidence): Iterable<string> {
  const accounts = cloud.ledger.of(visit.token);
  const [account] = accounts;
  if (account === undefined) return yield 'was never told';
  if (accounts.length > 1) yield `was told of ${accounts.length} transactions`;
  if (account.evse !== visit.evse) yield `was told EVSE ${account.evse} instead of ${visit.evse}`;
  yield* inOrder(account);
  yield* asItWas(visit, account, cloud.is16);
  for (const told of account.told) yield* repeatedWithReason(told, [...kills, ...cloud.lapses]);
}

function* inOrder({ told }: Account): Iterable<string> {
  const kinds = told.map(({ kind }) => kind);
  if (kinds.indexOf('start') !== 0 || kinds.lastIndexOf('start') !== 0) yield `starts in ${kinds.join(' ')}`;
  if (kinds.indexOf('stop') !== kinds.length - 1) yield `ends in ${kinds.join(' ')}`;
  if (told.some(({ seqNo }, index) => seqNo !== undefined && seqNo !== index))
    yield `seqNo ${told.map(({ seqNo }) => seqNo).join(' ')}`;
  const registers = told.flatMap((each) => each.registers.map(({ register }) => register));
  if (registers.some((register, index) => register < (registers[index - 1] ?? 0)))
    yield `the register runs backwards: ${registers.join(' ')}`;
}

function* asItWas(visit: Visit, { told }: Account, is16: boolean): Iterable<string> {
  const registers = told.flatMap((each) => each.registers);
  const [start, stop] = [told[0], told.at(-1)];
  if (registers[0]?.register !== visit.meterStart)
    yield `begins at ${registers[0]?.register} Wh instead of ${visit.meterStart}`;
  if (registers.at(-1)?.register !== visit.meterStop)
    yield `ends at ${registers.at(-1)?.register} Wh instead of ${visit.meterStop}`;
  if (!visit.exact) return;
  const begun = is16 ? visit.identifiedAt : visit.startedAt;
  if (start?.at !== begun) yield `begins at ${start?.at} instead of ${begun}`;
  if (stop?.at !== visit.endedAt) yield `ends at ${stop?.at} instead of ${visit.endedAt}`;
  if (stop?.reason !== visit.reason) yield `ended by ${stop?.reason} instead of ${visit.reason}`;
  const invented = registers.filter(({ register }) => !visit.registers.includes(register));
  if (invented.length > 0) yield `registers that no charger told: ${JSON.stringify(invented)}`;
  const milestones = registers.filter(({ milestone }) => milestone).map(({ at, register }) => ({ at, register }));
  if (JSON.stringify(milestones) !== JSON.stringify(visit.milestones))
    yield `${JSON.stringify(milestones)} instead of ${JSON.stringify(visit.milestones)}`;
}

/** Between two hearings of the same lies a reason why the gateway could not know that it was heard. */
function* repeatedWithReason(told: Told, reasons: readonly { readonly at: number }[]): Iterable<string> {
  let before = told.heardAt;
  for (const again of told.repeated) {
    const from = before;
    if (!reasons.some(({ at }) => at >= from - SOON_AFTER && at <= again))
      yield `${told.kind} of ${told.at} was repeated after ${again - from} ms without a reason`;
    before = again;
  }
}

function* onDisk({ database, visits }: Evidence): Iterable<Finding> {
  const db = new Database(database, { readonly: true });
  try {
    const documents = (collection: string): unknown[] =>
      db
        .prepare('SELECT body FROM document WHERE collection = ?')
        .pluck()
        .all(collection)
        .map((body) => JSON.parse(String(body)) as unknown);
    const bills = new Map<string, ChargeDetailRecord[]>();
    let nobodys = 0;
    for (const bill of (documents('cdr') as ChargeDetailRecord[]).toSorted((a, b) => a.startedAt - b.startedAt)) {
      const presented = bill.idToken?.idToken ?? '';
      const token = presented === NOBODYS ? `${presented}#${++nobodys}` : presented;
      bills.set(token, [...(bills.get(token) ?? []), bill]);
    }
    for (const visit of visits) {
      const found = bills.get(visit.token) ?? [];
      const [bill] = found;
      if (bill === undefined || found.length > 1) yield { visit, what: `${found.length} bills` };
      else for (const what of billed(visit, bill)) yield { visit, what };
    }
    const known = new Set(visits.map(({ token }) => token));
    for (const token of bills.keys()) if (!known.has(token)) yield { what: `a bill for ${token}, who was never there` };
    for (const { transaction } of documents('transaction') as TransactionEntry[])
      if (transaction.endedAt === undefined)
        yield { what: `${transaction.uid} of ${transaction.station} is still open` };
    yield* entries(db);
  } finally {
    db.close();
  }
}

function* billed(visit: Visit, bill: ChargeDetailRecord): Iterable<string> {
  if (bill.estimated) yield 'the bill is estimated';
  if (bill.meterStart !== visit.meterStart || bill.meterStop !== visit.meterStop)
    yield `billed ${bill.meterStart} to ${bill.meterStop} Wh instead of ${visit.meterStart} to ${visit.meterStop}`;
  if (visit.exact && (bill.startedAt !== visit.startedAt || bill.endedAt !== visit.endedAt))
    yield `billed from ${bill.startedAt} to ${bill.endedAt} instead of ${visit.startedAt} to ${visit.endedAt}`;
}

/** The records of one transaction are numbered without gap, each once (of the oldest the first ones are trimmed away). */
function* entries(db: Database.Database): Iterable<Finding> {
  const newest = new Map<string, TransactionRecord>();
  for (const body of db.prepare('SELECT body FROM entry ORDER BY seq').pluck().iterate()) {
    const record = JSON.parse(String(body)) as JournalRecord;
    if (record.type !== 'transaction') continue;
    const before = newest.get(record.uid);
    if (before !== undefined && record.n !== before.n + 1)
      yield { what: `${JSON.stringify(record)} follows ${JSON.stringify(before)}` };
    if (before !== undefined && record.key !== undefined && record.key === before.key)
      yield { what: `${JSON.stringify(record)} was taken in twice` };
    newest.set(record.uid, record);
  }
}

/** The findings with the story of the first visit that is wrong. */
export function report(findings: readonly Finding[], { kills, clouds }: Evidence): string {
  const visit = findings.find((each) => each.visit !== undefined)?.visit;
  const lines = findings.slice(0, 20).map((each) => `${each.visit?.token ?? 'site'}: ${each.what}`);
  if (visit !== undefined) {
    const reasons = [...kills, ...clouds.flatMap(({ lapses }) => lapses)];
    lines.push(`the story of ${visit.token}:`, ...visit.story(reasons));
    for (const { csms, ledger } of clouds)
      for (const { id, told } of ledger.of(visit.token))
        lines.push(
          `${csms.record.peer} (${csms.version}) as ${id}: ${told.map(({ kind, at, registers, repeated }) => `${kind} ${at} ${registers.map(({ register }) => register).join(',')}${repeated.length > 0 ? ` +${repeated.length}` : ''}`).join('; ')}`,
        );
  }
  return lines.join('\n');
}
