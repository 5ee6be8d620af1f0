// Seven other ways to share a garage's current, each as its kind of system does it: one number for all phases, no doubt about chargers.
import type { Garage } from './garage.js';
import { POLICY } from './garage.js';
import type { Controller, Order, SeenEvse, SeenSite } from './simulation.js';

const LEAST = 6;

interface Ask {
  readonly outlet: number;
  readonly path: readonly number[];
  readonly most: number;
  readonly evse: SeenEvse;
  readonly laxity: number;
}

/** Who gets how much of what is left on each circuit, worst phase for all. */
type Share = (asks: readonly Ask[], left: number[], second: number) => ReadonlyMap<number, number>;

const room = (left: readonly number[], path: readonly number[]): number =>
  Math.min(...path.map((row) => left[row] ?? 0));
const take = (left: number[], path: readonly number[], current: number): void => {
  for (const row of path) left[row] = (left[row] ?? 0) - current;
};

const uncontrolled: Share = (asks) => new Map(asks.map(({ outlet, most }) => [outlet, most]));

const equalSplit: Share = (asks, left) => {
  const users = left.map((_, row) => asks.filter(({ path }) => path.includes(row)).length);
  return new Map(
    asks.map(({ outlet, path, most }) => {
      const each = Math.min(most, ...path.map((row) => (left[row] ?? 0) / Math.max(1, users[row] ?? 1)));
      return [outlet, each < LEAST ? 0 : each];
    }),
  );
};

/** In an order, each all it can have. */
const oneAfterAnother =
  (order: (a: Ask, b: Ask) => number): Share =>
  (asks, left) =>
    new Map(
      [...asks].sort(order).map(({ outlet, path, most }) => {
        const current = Math.min(most, room(left, path));
        const given = current < LEAST ? 0 : current;
        take(left, path, given);
        return [outlet, given];
      }),
    );

/** The least current in turn, who begins changes every quarter of an hour; then slices in turn. */
const slices =
  (slice: number, rotates: boolean): Share =>
  (asks, left, second) => {
    const start = rotates ? Math.floor(second / 900) % Math.max(1, asks.length) : 0;
    const turn = [...asks.slice(start), ...asks.slice(0, start)];
    const given = new Map<number, number>();
    for (const { outlet, path } of turn) {
      const starts = room(left, path) >= LEAST;
      if (starts) take(left, path, LEAST);
      given.set(outlet, starts ? LEAST : 0);
    }
    for (let grows = true; grows;) {
      grows = false;
      for (const { outlet, path, most } of turn) {
        const current = given.get(outlet) ?? 0;
        if (current === 0 || current + slice > most || room(left, path) < slice) continue;
        take(left, path, slice);
        given.set(outlet, current + slice);
        grows = true;
      }
    }
    return given;
  };

/** A system that works out anew every so many seconds what everybody is to have. */
function centrally(garage: Garage, name: string, every: number, share: Share): Controller {
  const network = garage.network(POLICY);
  const told = new Map<number, number>();
  return {
    name,
    control(site) {
      if (site.second % every !== 0) return [];
      const left = network.circuits.map(({ breaker }, row) => Number(breaker) - (row === 0 ? building(site) : 0));
      const asks = site.evses.flatMap((evse, outlet): Ask[] => {
        const { visit } = evse;
        const { path = [], evse: own } = network.outlets[outlet] ?? {};
        if (visit === undefined || own === undefined || !evse.connected) return [];
        const needs = ((visit.energy - evse.served) * 3600) / (Number(own.maxCurrent) * 690);
        const laxity = visit.departure - site.second - needs;
        return [{ outlet, path, most: Number(own.maxCurrent), evse, laxity }];
      });
      const given = share(asks, left, site.second);
      return site.evses.flatMap((_, outlet): Order[] => {
        const current = Math.floor((given.get(outlet) ?? 0) * 10) / 10;
        if (told.get(outlet) === current) return [];
        told.set(outlet, current);
        return [{ outlet, current }];
      });
    },
    answered() {
      // They believe that every command is carried out.
    },
  };
}

/** What the meter shows beside the chargers, on its worst phase. */
function building({ meter, evses }: SeenSite): number {
  return Math.max(
    ...([0, 1, 2] as const).map(
      (phase) => meter[phase] - evses.reduce((sum, { measured }) => sum + measured[phase], 0),
    ),
    0,
  );
}

/**
 * One charger every second, each once in half a minute: it may have what its circuits leave on the worst phase beside what they carry
 * now, and stops where that is less than its least current.
 */
function sequentially(garage: Garage): Controller {
  const network = garage.network(POLICY);
  const told = new Map<number, number>();
  return {
    name: 'evcc-style, one after another',
    control({ second, evses, meter }) {
      const orders: Order[] = [];
      for (const [outlet, { visit, measured }] of evses.entries()) {
        if ((second + outlet) % 30 !== 0) continue;
        const { path = [], evse } = network.outlets[outlet] ?? {};
        const own = Math.max(...measured);
        const carried = (row: number): number =>
          row === 0
            ? Math.max(...meter)
            : evses.reduce(
                (sum, one, i) =>
                  sum + (network.outlets[i]?.path.includes(row) === true ? Math.max(...one.measured) : 0),
                0,
              );
        const free = Math.min(...path.map((row) => (network.circuits[row]?.breaker ?? 0) - carried(row) + own));
        const most = visit === undefined ? 0 : Math.min(Number(evse?.maxCurrent ?? 0), free);
        const current = most < LEAST ? 0 : Math.floor(most * 10) / 10;
        if (told.get(outlet) === current) continue;
        told.set(outlet, current);
        orders.push({ outlet, current });
      }
      return orders;
    },
    answered() {
      // It looks at what flows.
    },
  };
}

export const baselines = (garage: Garage): readonly Controller[] => [
  centrally(garage, 'uncontrolled', 1, uncontrolled),
  centrally(garage, 'equal split', 10, equalSplit),
  centrally(
    garage,
    'first come',
    10,
    oneAfterAnother((a, b) => (a.evse.visit?.arrival ?? 0) - (b.evse.visit?.arrival ?? 0)),
  ),
  centrally(garage, 'round robin', 10, slices(1, true)),
  centrally(
    garage,
    'least laxity',
    10,
    oneAfterAnother((a, b) => a.laxity - b.laxity),
  ),
  centrally(garage, 'EVerest-style slices', 1, slices(0.5, false)),
  sequentially(garage),
];
