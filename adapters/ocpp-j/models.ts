// What is known of models of chargers and how they want to be limited: data, each row with where it was seen.
// Nothing here is needed for a charger that refuses what it cannot do: that is found out. A row spares it the refusals, and
// says what no refusal tells. A line in site.yaml (smart-charging) outweighs a row.
import { seconds, type Milliseconds } from '../../gateway/kernel/units.js';
import type { Inventory } from '../../gateway/site/station-event.js';
import type { SmartChargingTraits, Station } from '../../gateway/site/topology.js';

export interface ModelTraits extends SmartChargingTraits {
  /** Left alone for so long after it has been told that its boot is accepted. */
  readonly quietAfterBoot?: Milliseconds;
  /** Its configuration is not read: it drops the connection, or never answers. */
  readonly configurationUnreadable?: true;
}

export interface ChargerModel {
  readonly name: string;
  /** Vendors write themselves in many ways, and differently over the years. */
  readonly vendor: RegExp;
  readonly model?: RegExp;
  readonly traits: ModelTraits;
  readonly why: string;
  readonly source: string;
}

export const CHARGER_MODELS: readonly ChargerModel[] = [
  {
    name: 'ABB Terra AC',
    vendor: /^abb\b/i,
    traits: { stackLevel: 0 },
    why: 'refuses the highest stack level that it reports',
    source: 'lbbrhzn/ocpp#1737, evcc-io/evcc#15493',
  },
  {
    name: 'EVBox',
    vendor: /^ev-?box/i,
    traits: { purposes: ['TxProfile', 'TxDefaultProfile'], quietAfterBoot: seconds(5) },
    why: 'refuses ChargePointMaxProfile; loses what comes right after a connection',
    source: 'lbbrhzn/ocpp#221, lbbrhzn/ocpp#1703, evcc-io/evcc charger/ocpp.go',
  },
  {
    name: 'go-e Charger',
    vendor: /^go-?e\b/i,
    traits: { units: ['A'] },
    why: 'accepts a profile in watts and does not act on it',
    source: 'goecharger/go-eCharger-API-v2#190, #105',
  },
  {
    name: 'EFR SECC (HomeCharge)',
    vendor: /^(efr|homecharge)\b/i,
    traits: { units: ['W'] },
    why: 'takes watts only',
    source: 'evcc-io/evcc#9838, evcc-io/evcc#9883',
  },
  {
    name: 'ZJ Beny',
    vendor: /^(zj\s?)?benyi?\b/i,
    traits: { units: ['A'], pause: 'zero', configurationUnreadable: true },
    why: 'drops the connection when its configuration is read; once stopped it starts again only after unplugging',
    source: 'lbbrhzn/ocpp#1078, evcc-io/evcc#15401, evcc-io/evcc#12861',
  },
  {
    name: 'EN+, Atronix',
    vendor: /^(en\s?\+|en\s?plus|atronix)/i,
    traits: { pause: 'stop' },
    why: 'goes on charging at a limit of 0 A',
    source: 'evcc-io/evcc#25069',
  },
  {
    name: 'Huawei SCharger',
    vendor: /^(huawei.*|)$/i,
    model: /^(acchargepoint|scharger)/i,
    traits: { pause: 'stop' },
    why: 'ends the transaction at a limit of 0, and every later one while that limit stands',
    source: 'traktore-org/sem-community#977, evcc-io/evcc#29274, evcc-io/evcc#32170',
  },
  {
    name: 'Zaptec Go 2',
    vendor: /^zaptec/i,
    model: /go\s?2/i,
    traits: { pause: 'stop' },
    why: 'does not pause by a charging profile',
    source: 'evcc-io/evcc#27499',
  },
];

export const modelOf = (inventory: Inventory | undefined): ChargerModel | undefined =>
  inventory &&
  CHARGER_MODELS.find(
    ({ vendor, model }) => vendor.test(inventory.vendor.trim()) && (model?.test(inventory.model.trim()) ?? true),
  );

/** What the site says of its own charger outweighs what is known of the model. */
export const traitsOf = ({
  inventory,
  station,
}: {
  readonly inventory: Inventory | undefined;
  readonly station: Station;
}): ModelTraits => ({
  ...modelOf(inventory)?.traits,
  ...(station.link.kind === 'ocpp' && station.link.smartCharging),
});
