// Which number each connector of the site has for one CSMS: a table that only grows, so that a number never changes its meaning.
import type { EvseNumber } from '../kernel/ids.js';
import { evseNumber } from '../kernel/ids.js';
import type { Slot, SlotReference } from '../ports/csms.js';
import type { ConnectorTarget } from '../ports/operations.js';
import type { Csms, Evse, Site } from '../site/topology.js';

/** One row of the table; `removed` hardware keeps its number and is Unavailable for ever (OCPP 1.6 section 3.8 forbids gaps). */
export interface SlotRow {
  readonly slot: Slot;
  readonly evse: EvseNumber;
  readonly connector: number;
  readonly removed: boolean;
}

/** What a slot reference means on the site; `undefined` as an EVSE is the station as a whole. */
export type SlotTarget =
  | { readonly kind: 'station' }
  | { readonly kind: 'connector'; readonly target: ConnectorTarget; readonly row: SlotRow }
  | { readonly kind: 'unknown' };

/** The EVSEs that a CSMS sees, by the number painted on the wall: on a site shown whole, slot and wall agree. */
export function visibleEvses(site: Site, csms: Csms): readonly Evse[] {
  return site.stations
    .flatMap((station) => station.evses)
    .filter((evse) => csms.evses === undefined || csms.evses.includes(evse.number))
    .sort((a, b) => a.number - b.number);
}

export class SlotTable {
  #rows: readonly SlotRow[] = [];
  #evses: readonly Evse[] = [];
  readonly #byFlat = new Map<number, SlotRow>();
  readonly #byConnector = new Map<string, SlotRow>();
  readonly #byEvse = new Map<EvseNumber, SlotRow[]>();
  readonly #evseOf = new Map<EvseNumber, Evse>();

  private constructor(rows: readonly Omit<SlotRow, 'removed'>[], evses: readonly Evse[]) {
    this.#bringUpToDate(rows, evses);
  }

  get rows(): readonly SlotRow[] {
    return this.#rows;
  }

  /** The EVSEs that exist and that this CSMS sees. */
  get evses(): readonly Evse[] {
    return this.#evses;
  }

  /** The CSMS sees other EVSEs: as after a restart, no number that was given means anything else. */
  reconfigured(evses: readonly Evse[]): void {
    this.#bringUpToDate(this.#rows, evses);
  }

  #bringUpToDate(known: readonly Omit<SlotRow, 'removed'>[], evses: readonly Evse[]): void {
    const all = [...known];
    for (const evse of evses) for (const connector of evse.connectors) append(all, evse.number, connector.number);
    const present = new Set(evses.flatMap((evse) => evse.connectors.map((each) => `${evse.number}/${each.number}`)));
    const rows = all.map((row) => Object.assign({}, row, { removed: !present.has(`${row.evse}/${row.connector}`) }));
    this.#rows = rows;
    this.#evses = evses;
    for (const map of [this.#byFlat, this.#byConnector, this.#byEvse, this.#evseOf]) map.clear();
    for (const row of rows) {
      this.#byFlat.set(row.slot.flat, row);
      this.#byConnector.set(`${row.evse}/${row.connector}`, row);
      const beside = this.#byEvse.get(row.evse);
      if (beside === undefined) this.#byEvse.set(row.evse, [row]);
      else beside.push(row);
    }
    for (const evse of evses) this.#evseOf.set(evse.number, evse);
  }

  /**
   * The stored table brought up to date: new connectors are appended, removed ones stay as a tombstone, and one that
   * comes back takes its old number again.
   * @param stored the document as it was saved; undefined on a CSMS's first start
   * @throws Error when the document cannot be understood: guessing would renumber the site
   */
  static open(stored: unknown, evses: readonly Evse[]): SlotTable {
    return new SlotTable(stored === undefined ? [] : parseRows(stored), evses);
  }

  /** The table as a document. */
  toDocument(): unknown {
    return this.rows.map(({ slot, evse, connector }) => ({ ...slot, siteEvse: evse, siteConnector: connector }));
  }

  of(evse: EvseNumber, connector: number): SlotRow | undefined {
    return this.#byConnector.get(`${evse}/${connector}`);
  }

  evse(number: EvseNumber): Evse | undefined {
    return this.#evseOf.get(number);
  }

  sees(evse: EvseNumber): boolean {
    return this.#evseOf.has(evse);
  }

  /** All connectors of one EVSE of the site. */
  ofEvse(evse: EvseNumber): readonly SlotRow[] {
    return this.#byEvse.get(evse) ?? [];
  }

  flat(flat: number): SlotRow | undefined {
    return this.#byFlat.get(flat);
  }

  slot(slotEvse: number, connector = 1): SlotRow | undefined {
    return this.rows.find((row) => row.slot.evse === slotEvse && row.slot.connector === connector);
  }

  /** Number 0 and an absent reference mean the station; removed hardware is unknown to every command. */
  resolve(reference: SlotReference | undefined): SlotTarget {
    if (reference === undefined) return { kind: 'station' };
    if ('flat' in reference) {
      if (reference.flat === 0) return { kind: 'station' };
      const row = this.flat(reference.flat);
      if (row === undefined || row.removed) return { kind: 'unknown' };
      return { kind: 'connector', row, target: { evse: row.evse, connector: row.connector } };
    }
    if (reference.evse === 0) return { kind: 'station' };
    const row = this.slot(reference.evse, reference.connector);
    if (row === undefined || !this.sees(row.evse)) return { kind: 'unknown' };
    if (reference.connector === undefined) return { kind: 'connector', row, target: { evse: row.evse } };
    if (row.removed) return { kind: 'unknown' };
    return { kind: 'connector', row, target: { evse: row.evse, connector: row.connector } };
  }
}

function append(rows: Omit<SlotRow, 'removed'>[], evse: EvseNumber, connector: number): void {
  if (rows.some((row) => row.evse === evse && row.connector === connector)) return;
  const sameEvse = rows.filter((row) => row.evse === evse);
  const highest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
  rows.push({
    slot: {
      evse: sameEvse[0]?.slot.evse ?? highest(rows.map((row) => row.slot.evse)) + 1,
      connector: highest(sameEvse.map((row) => row.slot.connector)) + 1,
      flat: highest(rows.map((row) => row.slot.flat)) + 1,
    },
    evse,
    connector,
  });
}

function parseRows(stored: unknown): Omit<SlotRow, 'removed'>[] {
  if (!Array.isArray(stored)) throw new Error('the stored slot table is not a list');
  return stored.map((row: unknown) => {
    const number = (name: string): number => {
      const value = typeof row === 'object' && row !== null ? (row as Record<string, unknown>)[name] : undefined;
      if (typeof value !== 'number') throw new Error(`the stored slot table lacks ${name}`);
      return value;
    };
    return {
      slot: { evse: number('evse'), connector: number('connector'), flat: number('flat') },
      evse: evseNumber(number('siteEvse')),
      connector: number('siteConnector'),
    };
  });
}
