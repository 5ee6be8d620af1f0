// Compares what cars, chargers, the gateway's journal and every cloud wrote down about the same visits, and names each disagreement.
import type { BookedTransaction, CsmsBook } from './csms-book.js';

/** One driver's visit as the simulation itself knows it; energies in Wh, times in milliseconds since 1970. */
export interface VisitTruth {
  /** Unique to the visit: by it the books are matched. */
  readonly token: string;
  /** The EVSE's number on the site, which every cloud that sees the whole site uses too. */
  readonly evse: number;
  /** What the car took from the grid. */
  readonly carEnergy: number;
  /** The charger's own energy register before and after. */
  readonly meterStart: number;
  readonly meterStop: number;
  /** The charger's own book; a Modbus charger keeps none. */
  readonly session?: { readonly startedAt: number; readonly endedAt: number | undefined };
}

/** A charge detail record of the gateway, as far as it is compared. */
export interface BilledVisit {
  readonly uid: string;
  readonly idToken: string | undefined;
  readonly evse: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly meterStart: number;
  readonly meterStop: number;
  readonly energy: number;
  readonly estimated: boolean;
}

export interface CloudBook {
  readonly name: string;
  readonly book: Pick<CsmsBook, 'transactions' | 'strays'>;
  /** The cloud knows transactions by the gateway's own id (2.0.1). */
  readonly usesUid: boolean;
  /** Transaction messages that the gateway gave up on. */
  readonly deadLetters: number;
}

export interface Difference {
  readonly where: string;
  readonly visit?: string;
  readonly what: string;
  readonly expected?: string | number;
  readonly found?: string | number;
}

/** A register counts whole watt hours, a car does not: that much they may differ. */
const CAR_TOLERANCE = 1.5;

export function compareBooks(
  visits: readonly VisitTruth[],
  bills: readonly BilledVisit[],
  clouds: readonly CloudBook[],
): readonly Difference[] {
  const differences: Difference[] = [];
  const tokens = new Set(visits.map(({ token }) => token.toLowerCase()));
  for (const visit of visits) differences.push(...carAgainstCharger(visit));
  for (const visit of visits) {
    const own = bills.filter(({ idToken }) => sameToken(idToken, visit.token));
    const [bill] = own;
    if (own.length !== 1 || bill === undefined) {
      differences.push({ where: 'journal', visit: visit.token, what: 'bills', expected: 1, found: own.length });
      continue;
    }
    differences.push(...billAgainstCharger(visit, bill));
    for (const cloud of clouds) differences.push(...cloudAgainstBill(visit, bill, cloud));
  }
  for (const bill of bills) {
    if (bill.idToken !== undefined && tokens.has(bill.idToken.toLowerCase())) continue;
    differences.push({ where: 'journal', what: 'bill of a visit that never was', found: bill.uid });
  }
  for (const cloud of clouds) differences.push(...cloudAsAWhole(tokens, cloud));
  return differences;
}

const sameToken = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

function carAgainstCharger({ token, carEnergy, meterStart, meterStop }: VisitTruth): readonly Difference[] {
  const found = meterStop - meterStart;
  if (Math.abs(found - carEnergy) <= CAR_TOLERANCE) return [];
  return [{ where: 'charger', visit: token, what: 'energy', expected: Math.round(carEnergy * 10) / 10, found }];
}

function billAgainstCharger(visit: VisitTruth, bill: BilledVisit): readonly Difference[] {
  const checks = new Checks('journal', visit.token);
  checks.same('EVSE', visit.evse, bill.evse);
  checks.same('register at the start', visit.meterStart, bill.meterStart);
  checks.same('register at the end', visit.meterStop, bill.meterStop);
  checks.same('energy', visit.meterStop - visit.meterStart, bill.energy);
  checks.same('estimated', 'no', bill.estimated ? 'yes' : 'no');
  if (visit.session !== undefined) {
    checks.same('start', iso(visit.session.startedAt), iso(bill.startedAt));
    checks.same('end', iso(visit.session.endedAt), iso(bill.endedAt));
  }
  return checks.found;
}

function cloudAgainstBill(visit: VisitTruth, bill: BilledVisit, cloud: CloudBook): readonly Difference[] {
  const booked = [...cloud.book.transactions.values()].filter(({ idToken }) => sameToken(idToken, visit.token));
  const checks = new Checks(cloud.name, visit.token);
  checks.same('transactions', 1, booked.length);
  for (const transaction of booked) {
    if (cloud.usesUid) checks.same('id', bill.uid, transaction.id);
    checks.same('EVSE', bill.evse, transaction.slot);
    checks.same('start', iso(bill.startedAt), instant(transaction.startedAt));
    checks.same('end', iso(bill.endedAt), instant(transaction.endedAt));
    checks.same('register at the start', bill.meterStart, transaction.meterStart ?? 'none');
    checks.same('register at the end', bill.meterStop, transaction.meterStop ?? 'none');
    const fall = firstFall(transaction);
    if (fall !== undefined) checks.report('samples out of order', fall);
    for (const fault of transaction.faults) checks.report('fault', fault);
  }
  return checks.found;
}

function cloudAsAWhole(tokens: ReadonlySet<string>, { name, book, deadLetters }: CloudBook): readonly Difference[] {
  const checks = new Checks(name, undefined);
  for (const { id, idToken } of book.transactions.values()) {
    if (idToken === undefined) checks.report('transaction without a token', id);
    else if (!tokens.has(idToken.toLowerCase())) checks.report('transaction of a visit that never was', id);
  }
  for (const stray of book.strays) checks.report('message of an unknown transaction', stray);
  if (deadLetters > 0) checks.report('messages given up', deadLetters);
  return checks.found;
}

/** Registers never fall, so samples that do came in a wrong order. */
function firstFall({ meterStart, samples, meterStop }: BookedTransaction): string | undefined {
  const registers = [meterStart, ...samples, meterStop].filter((value) => value !== undefined);
  const at = registers.findIndex((value, i) => i > 0 && value < (registers[i - 1] ?? value));
  return at < 0 ? undefined : `${registers[at - 1]} then ${registers[at]}`;
}

class Checks {
  readonly found: Difference[] = [];
  constructor(
    private readonly where: string,
    private readonly visit: string | undefined,
  ) {}

  same(what: string, expected: string | number, found: string | number): void {
    if (expected !== found) this.#add({ what, expected, found });
  }

  report(what: string, found: string | number): void {
    this.#add({ what, found });
  }

  #add(difference: Omit<Difference, 'where' | 'visit'>): void {
    this.found.push({ where: this.where, ...(this.visit !== undefined && { visit: this.visit }), ...difference });
  }
}

const iso = (at: number | undefined): string => (at === undefined ? 'none' : new Date(at).toISOString());

/** Times are compared as moments: clouds get them as text. */
function instant(text: string | undefined): string {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? (text ?? 'none') : iso(at);
}
