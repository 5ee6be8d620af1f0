// The seven rules that hold after every journey, whatever went wrong in it (I1 to I7); what breaks one is named.
import type { MeteredVisit } from './charger-visits.js';
import type { BookedTransaction } from './csms-book.js';
import type { WrittenDeadLetter, WrittenTransaction } from './journal-reader.js';

export type Rule = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7';

/** A limit that a charger has taken, in force from `at` (milliseconds of the system clock), per phase. */
export interface Grant {
  readonly at: number;
  readonly ampere: number;
}

export interface ChargerEvidence {
  readonly evse: number;
  readonly visits: readonly MeteredVisit[];
  readonly grants: readonly Grant[];
}

export interface CsmsEvidence {
  readonly name: string;
  readonly transactions: readonly BookedTransaction[];
  readonly deadLetters: readonly WrittenDeadLetter[];
  /** Something of a transaction still waited for it at the end. */
  readonly behind: boolean;
}

/** All that is known at the end of a journey. */
export interface Evidence {
  /** What broke a rule of the wire, beginning with `I1`, `I2` or `I3`. */
  readonly wireFaults: readonly string[];
  readonly chargers: readonly ChargerEvidence[];
  readonly journal: readonly WrittenTransaction[];
  readonly csmss: readonly CsmsEvidence[];
  /** A per phase: what the chargers may be granted together. */
  readonly cap: number;
}

/** Empty where every rule holds. */
export function broken(evidence: Evidence): readonly string[] {
  return [
    ...evidence.wireFaults,
    ...energyAtChargers(evidence),
    ...evidence.csmss.flatMap((csms) => energyAtCsms(csms, evidence.journal)),
    ...grants(evidence),
    ...endings(evidence),
    ...evidence.csmss.flatMap(sequence),
  ];
}

const say = (rule: Rule, text: string): string => `${rule} ${text}`;
/** 1.6 tells whole watt-hours, rounded down, and so does everybody here. */
const whole = (register: number | undefined): number => Math.floor(register ?? Number.NaN);
const drew = ({ from, to }: Span): boolean => to > from;

interface Span {
  readonly from: number;
  readonly to: number;
}

const spanText = (evse: number, { from, to }: Span): string => `EVSE ${evse}: ${from} to ${to} Wh`;

/** What is in `wanted` and not in `found`, each as often as it is missing. */
function missing(wanted: readonly string[], found: readonly string[]): readonly string[] {
  const left = [...found];
  return wanted.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** I4: every visit that a charger has metered to its end is a bill of the same energy, and no other bill claims to be exact. */
function energyAtChargers({ chargers, journal }: Evidence): readonly string[] {
  return chargers.flatMap(({ evse, visits }) => {
    const metered = visits
      .flatMap(({ from, to }) => (to === undefined ? [] : [{ from: whole(from), to: whole(to) }]))
      .filter(drew)
      .map((span) => spanText(evse, span));
    const bills = journal.filter((each) => each.evse === evse).flatMap(({ bill }) => bill ?? []);
    const billed = (list: readonly Bill[]): readonly string[] =>
      list
        .map(({ meterStart, meterStop }) => ({ from: whole(meterStart), to: whole(meterStop) }))
        .filter(drew)
        .map((span) => spanText(evse, span));
    return [
      ...missing(metered, billed(bills)).map((text) => say('I4', `metered and not billed, ${text}`)),
      ...missing(billed(bills.filter(({ estimated }) => !estimated)), metered).map((text) =>
        say('I4', `billed as exact and not metered, ${text}`),
      ),
    ];
  });
}

type Bill = NonNullable<WrittenTransaction['bill']>;

/**
 * I4: a CSMS has been told the journal's energy of every transaction, once. Only what it refused for good, or had not yet
 * been sent, may be missing; nothing may be added.
 */
function energyAtCsms(
  { name, transactions, deadLetters, behind }: CsmsEvidence,
  journal: readonly WrittenTransaction[],
): readonly string[] {
  const refused = new Set(
    deadLetters.flatMap(({ uid, kind }) => (uid === undefined || kind === 'updated' ? [] : [uid])),
  );
  const ended = journal.filter((each) => each.ended);
  const spanOf = (each: WrittenTransaction): Span => ({ from: whole(each.meterStart), to: whole(each.meterStop) });
  const textOf = (each: WrittenTransaction): string => spanText(each.evse, spanOf(each));
  const booked = transactions.filter((each) => each.ended && each.meterStart !== undefined);
  const told = booked
    .map((each) => ({ slot: each.slot, span: { from: whole(each.meterStart), to: whole(each.meterStop) } }))
    .filter(({ span }) => drew(span))
    .map(({ slot, span }) => spanText(slot, span));
  // A stop whose start was given up comes without one (errata 3.18): its register is all that can be compared.
  const bare = transactions
    .filter((each) => each.ended && each.meterStart === undefined)
    .map((each) => whole(each.meterStop));
  const owed = ended
    .filter((each) => drew(spanOf(each)) && !refused.has(each.uid) && !bare.includes(whole(each.meterStop)))
    .map(textOf);
  return [
    ...(behind ? [] : missing(owed, told).map((text) => say('I4', `the ${name} was not told, ${text}`))),
    ...missing(told, ended.map(textOf)).map((text) =>
      say('I4', `the ${name} was told what the journal does not have, ${text}`),
    ),
    ...bare
      .filter((stop) => !ended.some((each) => whole(each.meterStop) === stop))
      .map((stop) => say('I4', `the ${name} was told a stop at ${stop} Wh that the journal does not have`)),
  ];
}

/** I5: at no moment may the chargers that have a transaction draw more together than the cap. */
function grants({ chargers, cap }: Evidence): readonly string[] {
  const moments = [
    ...new Set(
      chargers.flatMap((each) => [...each.grants.map(({ at }) => at), ...each.visits.map(({ begun }) => begun)]),
    ),
  ];
  return moments
    .sort((a, b) => a - b)
    .flatMap((moment) => {
      const sum = chargers.reduce((total, each) => {
        const busy = each.visits.some(({ begun, ended }) => begun <= moment && (ended ?? Infinity) > moment);
        return total + (busy ? (each.grants.findLast(({ at }) => at <= moment)?.ampere ?? 0) : 0);
      }, 0);
      return sum > cap + 0.001 ? [say('I5', `${sum} A are granted of ${cap} A`)] : [];
    })
    .slice(0, 3);
}

/** I6: what has not ended is listed as open, by the gateway and by every CSMS, and nothing else is. */
function endings({ journal, csmss }: Evidence): readonly string[] {
  const open = journal.filter(({ ended }) => !ended);
  return [
    ...open
      .filter(({ listedOpen }) => !listedOpen)
      .map(({ uid, evse }) => say('I6', `transaction ${uid} on EVSE ${evse} has no end and is not listed as open`)),
    ...journal
      .filter(({ ended, listedOpen }) => ended && listedOpen)
      .map(({ uid, evse }) => say('I6', `transaction ${uid} on EVSE ${evse} has ended and is listed as open`)),
    ...csmss
      .filter(({ behind, deadLetters }) => !behind && !deadLetters.some(({ kind }) => kind === 'ended'))
      .flatMap(({ name, transactions }) => {
        const slots = open.map(({ evse }) => String(evse));
        const seen = transactions.filter(({ ended }) => !ended).map(({ slot }) => String(slot));
        return missing(seen, slots).map((slot) =>
          say('I6', `the ${name} waits for an end on ${slot} that will not come`),
        );
      }),
  ];
}

/** I7: a CSMS of 2.0.1 has every number from 0 on, in order, but those of its dead letters. */
function sequence({ name, transactions, deadLetters }: CsmsEvidence): readonly string[] {
  return transactions.flatMap(({ id, seqNos }) => {
    const dead = deadLetters.flatMap(({ uid, seqNo }) => (uid === id && seqNo !== undefined ? [seqNo] : []));
    const last = Math.max(-1, ...seqNos, ...dead);
    const gaps = Array.from({ length: last + 1 }, (_, number) => number).filter(
      (number) => !seqNos.includes(number) && !dead.includes(number),
    );
    const ordered = seqNos.every((seqNo, index) => index === 0 || seqNo > (seqNos[index - 1] ?? 0));
    return gaps.length === 0 && ordered ? [] : [say('I7', `the ${name} has of ${id} the numbers ${seqNos.join(' ')}`)];
  });
}
