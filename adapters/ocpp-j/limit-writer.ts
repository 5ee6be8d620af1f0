// Puts a current in force on a charger, by whichever kind of charging profile that charger takes, and remembers which.
import { ampere, type Ampere, type Milliseconds } from '../../gateway/kernel/units.js';
import type { EvseNumber, StationTransactionId } from '../../gateway/kernel/ids.js';
import type { ChargingRateUnit } from '../../gateway/site/charging-profile.js';
import type { CommandOutcome, SetLimit } from '../../gateway/site/station-command.js';
import type { Evse, LimitPurpose, SmartChargingTraits } from '../../gateway/site/topology.js';
import { outcomeWithout, type Reply } from './charger-link.js';
import { limitWays, type LimitWay } from './charging-limit.js';
import type { Payload } from './contract.js';
import { textOf } from './fields.js';

/** One single-period profile to be written. */
export interface ProfileWish {
  readonly evse: Evse;
  readonly purpose: LimitPurpose;
  readonly stackLevel: number;
  readonly unit: ChargingRateUnit;
  readonly current: Ampere;
  /** Only where a switch of phases is meant. */
  readonly phases?: 1 | 3;
  readonly transaction?: StationTransactionId;
}

/** The calls of one protocol version that the writer needs; each reply carries `status` as the charger gave it. */
export interface ProfileCalls {
  write(wish: ProfileWish): Promise<Reply>;
  /** Removes the TxProfile of the EVSE. */
  clearTxProfile(evse: Evse): Promise<Reply>;
}

interface ChargingAbilities {
  /** Units the charger takes, the preferred one first. */
  readonly units: readonly ChargingRateUnit[];
  readonly maxStackLevel?: number;
}

const statusOf = (reply: Reply): string | undefined =>
  reply.kind === 'answered' ? textOf(reply.payload, 'status') : undefined;

/** In ten years 350,000, which flash with a little wear levelling bears (10,000 to 100,000 erasures of a block). */
const KEPT_SETPOINTS = 96;

const EVERY_UNIT: readonly ChargingRateUnit[] = ['A', 'W'];
const OVER: CommandOutcome = { status: 'Rejected', detail: 'the transaction is over' };

/** What one connection has taught about a charger's profiles; made anew for each connection. */
export class LimitWriter {
  readonly #singleEvse: boolean;
  #units: readonly ChargingRateUnit[] = EVERY_UNIT;
  #maxStackLevel: number | undefined;
  #traits: SmartChargingTraits = {};
  /** It takes whole ampere only: known, or found out. */
  #whole = false;
  #refusesZero = false;
  readonly #toPause = new Map<EvseNumber, Milliseconds>();
  /** Units that it does not name, for a charger that names the wrong one. */
  #otherUnits: readonly ChargingRateUnit[] = [];
  /** What worked last, per kind of situation. */
  readonly #worked = new Map<'transaction' | 'idle', LimitWay>();
  /** The transaction whose TxProfile is in force, per EVSE: it would outrank any TxDefaultProfile. */
  readonly #txProfiles = new Map<EvseNumber, StationTransactionId>();
  /** EVSEs whose TxDefaultProfile lies above the fallback current, and for which transaction it does. */
  readonly #raised = new Map<EvseNumber, StationTransactionId | undefined>();
  /** EVSEs whose fail-safe profile was accepted. */
  readonly #protected = new Set<EvseNumber>();
  /** Transactions with a limit on its way, and whether they have ended meanwhile. */
  readonly #underWay = new Map<StationTransactionId, { limits: number; over: boolean }>();
  #unsupported = false;

  constructor(singleEvse: boolean) {
    this.#singleEvse = singleEvse;
  }

  /** No profile of any kind is taken: there is no use in asking again on this connection. */
  get unsupported(): boolean {
    return this.#unsupported;
  }

  /** @param traits what is known of the charger beforehand, which outweighs what it says of itself */
  learn(abilities: ChargingAbilities, traits: SmartChargingTraits = {}): void {
    this.#traits = traits;
    const units = traits.units ?? abilities.units;
    if (units.length > 0) {
      this.#units = units;
      this.#otherUnits = traits.units ? [] : EVERY_UNIT.filter((unit) => !units.includes(unit));
    }
    this.#maxStackLevel = abilities.maxStackLevel;
    this.#whole = traits.wholeAmperes ?? false;
  }

  /** Where its limits are kept beyond the transaction, in a memory that wears out: how many a day it should bear for years. */
  get setpointsPerDay(): number | undefined {
    const way = this.#worked.get('transaction');
    const persisted = way !== undefined && way.purpose !== 'TxProfile';
    return this.#traits.setpointsPerDay ?? (persisted ? KEPT_SETPOINTS : undefined);
  }

  /** Whether a limit of 0 does not pause it: known, or because it refuses one. */
  get cannotPause(): boolean {
    return this.#traits.pause === undefined ? this.#refusesZero : this.#traits.pause === 'stop';
  }

  /**
   * The EVSE is to be paused and cannot be. A shortage that passes must not cost the driver his visit.
   * @returns since when it is, on the scale of `now`
   */
  toPause(evse: Evse, now: Milliseconds): Milliseconds {
    const since = this.#toPause.get(evse.number) ?? now;
    this.#toPause.set(evse.number, since);
    return since;
  }

  /** Whether the EVSE goes by its fallback current for the next car if the gateway falls silent now. */
  fallsBack(evse: Evse): boolean {
    return this.#protected.has(evse.number) && !this.#raised.has(evse.number);
  }

  /** The fallback current is another one: what the charger was given is not it any more. */
  fallbackChanged({ number }: Evse): void {
    this.#protected.delete(number);
  }

  /** Writes the TxDefaultProfile that holds while the gateway is away. */
  async installFallback(evse: Evse, calls: ProfileCalls): Promise<CommandOutcome> {
    const way = { purpose: 'TxDefaultProfile', stackLevel: this.#traits.stackLevel ?? 0 } as const;
    const wanted = { evse, current: evse.fallbackCurrent };
    const named = this.#units;
    let outcome = await this.#attempt(way, wanted, calls);
    if (outcome.status === 'Rejected' && this.#otherUnits.length > 0) {
      this.#units = this.#otherUnits;
      this.#otherUnits = [];
      outcome = await this.#attempt(way, wanted, calls);
      if (outcome.status !== 'Accepted') this.#units = named;
    }
    if (outcome.status !== 'Accepted') return outcome;
    this.#raised.delete(evse.number);
    this.#protected.add(evse.number);
    return outcome;
  }

  /**
   * Puts the limit in force. Without a transaction nothing flows yet, so the default never rises above the fallback
   * current: it is what the next car starts with, and what holds when the gateway has died by then.
   */
  async apply(command: SetLimit, evse: Evse, calls: ProfileCalls): Promise<CommandOutcome> {
    if (this.#unsupported) return { status: 'NotSupported', detail: 'takes no charging profile' };
    if (command.current > 0) this.#toPause.delete(evse.number);
    const transaction = command.stationTransactionId;
    if (transaction === undefined) return this.#applyAll(command, evse, calls, () => false);
    const underWay = this.#underWay.get(transaction) ?? { limits: 0, over: false };
    this.#underWay.set(transaction, underWay);
    underWay.limits += 1;
    const outcome = await this.#applyAll(command, evse, calls, () => underWay.over);
    underWay.limits -= 1;
    if (underWay.limits === 0) this.#underWay.delete(transaction);
    return outcome;
  }

  /** @param over the transaction has ended at the charger: nothing may be raised for it any more */
  async #applyAll(command: SetLimit, evse: Evse, calls: ProfileCalls, over: () => boolean): Promise<CommandOutcome> {
    const transaction = command.stationTransactionId;
    const situation = transaction === undefined ? 'idle' : 'transaction';
    const wanted = {
      evse,
      ...(command.phases !== undefined && { phases: command.phases }),
      ...(transaction !== undefined && { transaction }),
    };
    let last: CommandOutcome = { status: 'Rejected' };
    let everyWayUnsupported = true;
    for (const way of this.#ways(situation)) {
      if (over()) return OVER;
      const isDefault = way.purpose === 'TxDefaultProfile';
      const current =
        isDefault && situation === 'idle' ? ampere(Math.min(command.current, evse.fallbackCurrent)) : command.current;
      if (isDefault && transaction !== undefined && this.#txProfiles.get(evse.number) === transaction) {
        const cleared = statusOf(await calls.clearTxProfile(evse));
        if (cleared !== 'Accepted' && cleared !== 'Unknown')
          return { status: 'Rejected', detail: 'an earlier TxProfile stays in force' };
        this.#txProfiles.delete(evse.number);
      }
      last = await this.#attempt(way, { ...wanted, current }, calls);
      if (last.status === 'Accepted') {
        this.#remember(situation, way, evse, current, transaction);
        if (!over() || !isDefault || current <= evse.fallbackCurrent) return last;
        // Its end came while the default was being raised: nobody else will put it back.
        await this.installFallback(evse, calls);
        return OVER;
      }
      if (last.status === 'Uncertain') {
        // It may be in force all the same: a default written later would be outranked by it.
        if (way.purpose === 'TxProfile' && transaction !== undefined) this.#txProfiles.set(evse.number, transaction);
        if (isDefault && current > evse.fallbackCurrent) this.#raised.set(evse.number, transaction);
        const { later, ...uncertain } = last;
        if (later === undefined) return uncertain;
        const taken = (outcome: CommandOutcome): CommandOutcome => {
          if (outcome.status === 'Accepted') this.#worked.set(situation, way);
          return outcome;
        };
        return { ...uncertain, later: later.then(taken) };
      }
      if (last.status === 'Offline') return last;
      everyWayUnsupported &&= last.status === 'NotSupported';
    }
    if (everyWayUnsupported) this.#unsupported = true;
    // A charger that takes no limit at all is not to be controlled, by this or otherwise.
    const controllable = this.#worked.size > 0 || this.#protected.size > 0;
    if (command.current === 0 && last.status === 'Rejected' && controllable) this.#refusesZero = true;
    return last;
  }

  /**
   * The transaction has ended, and its TxProfile with it (OCPP 1.6 section 3.13.1).
   * @returns the EVSEs whose default was raised for it and should go back to the fallback current
   */
  transactionEnded(transaction: StationTransactionId): readonly EvseNumber[] {
    const underWay = this.#underWay.get(transaction);
    if (underWay !== undefined) underWay.over = true;
    for (const [evse, of] of this.#txProfiles) if (of === transaction) this.#txProfiles.delete(evse);
    this.#toPause.clear();
    return [...this.#raised].filter(([, of]) => of === transaction).map(([evse]) => evse);
  }

  #ways(situation: 'transaction' | 'idle'): readonly LimitWay[] {
    const ways = limitWays(situation === 'transaction', this.#maxStackLevel, this.#singleEvse, this.#traits);
    const worked = this.#worked.get(situation);
    if (!worked) return ways;
    const others = ways.filter((way) => way.purpose !== worked.purpose || way.stackLevel !== worked.stackLevel);
    return [worked, ...others];
  }

  #remember(
    situation: 'transaction' | 'idle',
    way: LimitWay,
    evse: Evse,
    current: Ampere,
    transaction: StationTransactionId | undefined,
  ): void {
    this.#worked.set(situation, way);
    if (way.purpose === 'TxProfile' && transaction !== undefined) this.#txProfiles.set(evse.number, transaction);
    if (way.purpose !== 'TxDefaultProfile') return;
    if (current > evse.fallbackCurrent) this.#raised.set(evse.number, transaction);
    else this.#raised.delete(evse.number);
  }

  /** One way, in every unit that may do; the unit that was taken is the only one from then on. */
  async #attempt(
    way: LimitWay,
    wanted: Omit<ProfileWish, 'purpose' | 'stackLevel' | 'unit'>,
    calls: ProfileCalls,
  ): Promise<CommandOutcome> {
    const { transaction, ...rest } = wanted;
    const bound = way.purpose === 'TxProfile' && transaction !== undefined ? { ...rest, transaction } : rest;
    let outcome: CommandOutcome = { status: 'Rejected' };
    for (const unit of this.#units) {
      for (const current of this.#roundings(unit, bound.current)) {
        outcome = outcomeOfProfile(await calls.write({ ...bound, ...way, unit, current }));
        if (outcome.status === 'Accepted') {
          this.#units = [unit];
          this.#whole ||= current !== bound.current;
        }
        if (outcome.status !== 'Rejected') return outcome;
      }
    }
    return outcome;
  }

  /** Some chargers refuse a tenth of an ampere, which the protocol allows. */
  #roundings(unit: ChargingRateUnit, current: Ampere): readonly Ampere[] {
    const whole = ampere(Math.floor(current));
    if (unit === 'W' || whole === current) return [current];
    return this.#whole ? [whole] : [current, whole];
  }
}

const outcomeOfProfile = (reply: Reply): CommandOutcome => {
  if (reply.kind === 'answered') return outcomeOfAnswer(reply.payload);
  const late = reply.kind === 'uncertain' ? reply.late : undefined;
  return { ...outcomeWithout(reply), ...(late && { later: late.then(outcomeOfAnswer) }) };
};

const outcomeOfAnswer = (payload: Payload): CommandOutcome => {
  const status = textOf(payload, 'status');
  if (status === 'Accepted') return { status: 'Accepted' };
  return { status: status === 'NotSupported' ? 'NotSupported' : 'Rejected', detail: status ?? 'no status' };
};
