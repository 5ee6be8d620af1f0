// What another site.yaml means for a gateway that runs: what holds at once, what connects anew, what waits for a restart.
import type { MeterId } from '../kernel/ids.js';
import type { Circuit, Csms, Evse, Meter, Site, Station } from './topology.js';

/**
 * - `live`: in force at once, nothing is interrupted.
 * - `reconnects`: in force at once, and the connection of its subject is made anew, ended, or begun.
 * - `restart`: in force when the gateway is started the next time.
 */
export type Effect = 'live' | 'reconnects' | 'restart';

export interface SiteEffect {
  /** In words, without any secret. */
  readonly what: string;
  readonly effect: Effect;
  /** Such as `circuit/main`, `evse/3`, `station/CP01`, `csms/operator`, `gateway`. */
  readonly subject: string;
}

/** Both were made by the same builder, so that the same content has the same order of keys. */
export const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** What everything else is built on: while one of these waits for a restart, the whole change does. */
const FOUNDATIONS = ['id', 'dataDirectory', 'nominalVoltage'] as const satisfies readonly (keyof Site)[];

const FOUNDATION_WORDS = {
  id: 'site id',
  dataDirectory: 'data-directory',
  nominalVoltage: 'nominal-voltage',
} as const satisfies Record<(typeof FOUNDATIONS)[number], string>;

/**
 * The site as it can be in force without a restart. Entries that did not change are the very objects that are in force, so
 * that whoever serves one can tell that nothing is to be done.
 */
export function withoutRestart(running: Site, next: Site): Site {
  if (FOUNDATIONS.some((key) => running[key] !== next[key])) return running;
  const { listen, console, telemetry, journal, authorization } = running;
  const { console: _console, telemetry: wanted, ...rest } = next;
  const { localBroker: _local, ...far } = wanted;
  return {
    ...rest,
    circuits: kept(running.circuits, next.circuits),
    meters: kept(running.meters, next.meters),
    stations: kept(running.stations, next.stations),
    csms: kept(running.csms, next.csms),
    authorization: { ...next.authorization, cacheEntries: authorization.cacheEntries },
    listen,
    telemetry: { ...far, ...(telemetry.localBroker && { localBroker: telemetry.localBroker }) },
    ...(console && { console }),
    journal: { ...next.journal, sizeLimit: journal.sizeLimit },
  };
}

function kept<T extends { readonly id: string }>(running: readonly T[], next: readonly T[]): readonly T[] {
  const known = new Map(running.map((each) => [each.id, each]));
  return next.map((each) => {
    const same = known.get(each.id);
    return same !== undefined && isSame(same, each) ? same : each;
  });
}

/** Meters that another device may answer for from now on: what they said before is of no use. */
export const renewedMeters = (running: readonly Meter[], next: readonly Meter[]): ReadonlySet<MeterId> =>
  new Set(
    [...running, ...next]
      .map(({ id }) => id)
      .filter((id) => {
        const of = (list: readonly Meter[]): Meter | undefined => list.find((each) => each.id === id);
        return !isSame(of(running), of(next));
      }),
  );

/** Whether both are one EVSE: the same number at another place is another. */
export const isSameEvse = (before: Evse | undefined, after: Evse | undefined): boolean =>
  before !== undefined && before.station === after?.station && before.stationEvse === after.stationEvse;

/** What is behind the connector numbers of a station; another one is another driver. */
const layout = ({ evses }: Station): unknown =>
  evses.map(({ number, stationEvse, connectors }) => [number, stationEvse, connectors]);

/** What the driver of a Modbus charger writes and counts with: all but how load balancing treats its EVSEs. */
const driven = ({ start, evses }: Station): unknown => [
  start,
  evses.map(({ circuit: _c, chargingPriority: _p, weight: _w, rotationKnown: _r, ...evse }) => evse),
];

/** Whether the station's connection is made anew; otherwise what has changed is told on the one that is there. */
export const reconnects = (running: Station, next: Station): boolean =>
  !isSame(running.link, next.link) ||
  !isSame(layout(running), layout(next)) ||
  (next.link.kind === 'modbus' && !isSame(driven(running), driven(next)));

/** What the gateway itself makes of a CSMS, whatever the link is like. */
const ownPolicy = ({ evses: _e, role: _r, resetScope: _s, profileMaxAgeOffline: _p, ...link }: Csms): unknown => link;

/** Whether the CSMS is called anew. */
export const callsAnew = (running: Csms, next: Csms): boolean => !isSame(ownPolicy(running), ownPolicy(next));

/** What changes from the site that runs to the next, in the order of site.yaml. */
export function effectsOf(running: Site, next: Site): readonly SiteEffect[] {
  const effects: SiteEffect[] = [];
  const add = (subject: string, effect: Effect, what: string): void => void effects.push({ what, effect, subject });
  const held = FOUNDATIONS.filter((key) => running[key] !== next[key]);
  for (const key of held) add('gateway', 'restart', `${FOUNDATION_WORDS[key]} ${String(next[key])}`);
  if (held.length > 0) {
    add('gateway', 'restart', 'everything else of this change: it stands on what is above');
    return effects;
  }
  if (running.name !== next.name) add('gateway', 'live', `name ${next.name}`);
  if (running.timeZone !== next.timeZone) add('gateway', 'live', `time zone ${next.timeZone}`);
  for (const [before, after] of pairs(running.circuits, next.circuits)) circuit(before, after, add);
  for (const [before, after] of pairs(running.meters, next.meters)) {
    if (isSame(before, after)) continue;
    const id = (after ?? before)?.id ?? '';
    add(`meter/${id}`, 'reconnects', after === undefined ? 'removed' : before === undefined ? 'added' : 'read anew');
  }
  for (const [before, after] of pairs(running.stations, next.stations)) station(before, after, add);
  for (const [before, after] of pairs(running.csms, next.csms)) csms(before, after, add);
  rest(running, next, add);
  return effects;
}

type Add = (subject: string, effect: Effect, what: string) => void;

function* pairs<T extends { readonly id: string }>(
  running: readonly T[],
  next: readonly T[],
): Iterable<readonly [T | undefined, T | undefined]> {
  for (const before of running) yield [before, next.find(({ id }) => id === before.id)];
  for (const after of next) if (!running.some(({ id }) => id === after.id)) yield [undefined, after];
}

function circuit(before: Circuit | undefined, after: Circuit | undefined, add: Add): void {
  if (after === undefined) return add(`circuit/${before?.id}`, 'live', 'removed');
  const subject = `circuit/${after.id}`;
  if (before === undefined) return add(subject, 'live', `added: breaker ${after.breaker} A`);
  const was = (a: unknown, b: unknown, words: string): void => {
    if (!isSame(a, b)) add(subject, 'live', words);
  };
  was(before.breaker, after.breaker, `breaker ${after.breaker} A instead of ${before.breaker} A`);
  was(before.margin, after.margin, `margin ${after.margin} A instead of ${before.margin} A`);
  was(before.fedBy, after.fedBy, after.fedBy === undefined ? 'fed by the grid' : `fed by ${after.fedBy}`);
  was(before.meter, after.meter, after.meter === undefined ? 'without a meter' : `measured by ${after.meter}`);
  was(before.whenMeterLost, after.whenMeterLost, `when-meter-lost ${amperes(after.whenMeterLost)}`);
  was(before.primaryVoltage, after.primaryVoltage, 'another transformer');
}

const amperes = (current: number | undefined): string => (current === undefined ? 'not set' : `${current} A`);

function station(before: Station | undefined, after: Station | undefined, add: Add): void {
  if (after === undefined) {
    return add(`station/${before?.id}`, 'reconnects', 'removed: its connection ends, and with it an open transaction');
  }
  const subject = `station/${after.id}`;
  if (before === undefined) return add(subject, 'reconnects', 'added');
  if (isSame(before, after)) return;
  if (reconnects(before, after)) return add(subject, 'reconnects', 'connected anew: transactions go on');
  for (const evse of after.evses) {
    const was = before.evses.find(({ number }) => number === evse.number);
    if (was !== undefined && !isSame(was, evse)) add(`evse/${evse.number}`, 'live', evseWords(was, evse));
  }
  if (!isSame(before.start, after.start)) add(subject, 'live', 'another rule of who may start');
}

const EVSE_WORDS: readonly (readonly [keyof Evse, string])[] = [
  ['circuit', 'circuit'],
  ['maxCurrent', 'max-current'],
  ['minCurrent', 'min-current'],
  ['fallbackCurrent', 'fallback-current'],
  ['phases', 'phases'],
  ['lineToLine', 'line to line'],
  ['rotationKnown', 'phases'],
  ['phaseSwitching', 'phase switching'],
  ['chargingPriority', 'priority'],
  ['weight', 'weight'],
];

const evseWords = (before: Evse, after: Evse): string =>
  [
    ...new Set(
      EVSE_WORDS.filter(([key]) => !isSame(before[key], after[key])).map(([key, word]) => {
        const value = after[key];
        return typeof value === 'string' || typeof value === 'number'
          ? `${word} ${value}${word.endsWith('-current') ? ' A' : ''}`
          : Array.isArray(value)
            ? `${word} ${value.join(' ')}`
            : word;
      }),
    ),
  ].join(', ');

function csms(before: Csms | undefined, after: Csms | undefined, add: Add): void {
  if (after === undefined) return add(`csms/${before?.id}`, 'reconnects', 'removed: its connection ends');
  const subject = `csms/${after.id}`;
  if (before === undefined) return add(subject, 'reconnects', 'added');
  if (isSame(before, after)) return;
  if (callsAnew(before, after)) return add(subject, 'reconnects', 'called anew');
  if (!isSame(before.evses, after.evses)) add(subject, 'live', 'sees other EVSEs, and is told of them');
  if (before.role !== after.role) add(subject, 'live', `role ${after.role}`);
  if (before.resetScope !== after.resetScope) add(subject, 'live', `reset-scope ${after.resetScope}`);
  if (before.profileMaxAgeOffline !== after.profileMaxAgeOffline) add(subject, 'live', 'profile-max-age-offline');
}

function rest(running: Site, next: Site, add: Add): void {
  const { cacheEntries, offline, listsInChargers, ...rules } = running.authorization;
  const { cacheEntries: entries, offline: off, listsInChargers: lists, ...newRules } = next.authorization;
  if (!isSame(rules, newRules)) add('authorization', 'live', 'who may charge');
  if (offline !== off || listsInChargers !== lists)
    add('authorization', 'live', 'what holds while nobody can be asked; chargers are told when they next connect');
  if (cacheEntries !== entries) add('authorization', 'restart', `cache of ${entries} tokens`);
  const { gridOperatorLimit: limit, ...policy } = running.balancing;
  const { gridOperatorLimit: newLimit, ...newPolicy } = next.balancing;
  if (!isSame(policy, newPolicy)) add('balancing', 'live', 'how current is shared');
  if (!isSame(limit, newLimit)) add('grid-operator', 'live', 'the limit of the grid operator; contacts are read anew');
  if (!isSame(running.tariff, next.tariff)) add('tariff', 'live', 'for transactions that end from now on');
  if (!isSame(running.telemetry.broker, next.telemetry.broker)) add('broker', 'reconnects', 'called anew');
  if (!isSame(running.telemetry.localBroker, next.telemetry.localBroker))
    add('local-broker', 'restart', 'where LAN clients subscribe');
  if (!isSame(running.listen, next.listen)) add('gateway', 'restart', 'where chargers connect, and its certificate');
  if (!isSame(running.console, next.console)) add('console', 'restart', 'where the console listens');
  if (running.journal.keepBills !== next.journal.keepBills) add('journal', 'live', 'how long bills are kept');
  if (running.journal.sizeLimit !== next.journal.sizeLimit) add('journal', 'restart', 'size-limit');
}
