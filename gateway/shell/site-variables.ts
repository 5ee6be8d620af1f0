// Settings of the whole site that a CSMS may change: what site.yaml says, then what was set since, kept over restarts.
import { seconds, wattHour } from '../kernel/units.js';
import type { AuthorizationSettings } from '../authorization/settings.js';
import { settingsOf } from '../authorization/settings.js';
import type { Journal } from '../ports/journal.js';
import type { Site } from '../site/topology.js';

const COLLECTION = 'site-variable';

export const variableName = (component: string, variable: string, instance?: string): string =>
  `${component}.${variable}${instance === undefined ? '' : `[${instance}]`}`;

export class SiteVariables {
  readonly #values = new Map<string, string>();
  readonly #journal: Journal;
  readonly #site: Site;
  #authorization: AuthorizationSettings;

  private constructor(site: Site, journal: Journal) {
    this.#journal = journal;
    this.#site = site;
    this.#authorization = this.#defaults;
  }

  /** The site is another one: what CSMSs have set still goes before what it says. */
  reconfigured(): void {
    this.#authorization = this.#overlay();
  }

  get #defaults(): AuthorizationSettings {
    return settingsOf(this.#site.authorization);
  }

  static async open(site: Site, journal: Journal): Promise<SiteVariables> {
    const variables = new SiteVariables(site, journal);
    for (const [name, value] of await journal.load(COLLECTION)) {
      if (typeof value === 'string') variables.#values.set(name, value);
    }
    variables.#authorization = variables.#overlay();
    return variables;
  }

  /** What was set by a CSMS, or what the site's own settings amount to; undefined: nothing is known of it here. */
  get(component: string, variable: string, instance?: string): string | undefined {
    const name = variableName(component, variable, instance);
    return this.#values.get(name) ?? fromSettings(name, this.#defaults);
  }

  async set(component: string, variable: string, instance: string | undefined, value: string): Promise<void> {
    const name = variableName(component, variable, instance);
    await this.#journal.commit({ documents: [{ collection: COLLECTION, key: name, value }] });
    this.#values.set(name, value);
    this.#authorization = this.#overlay();
  }

  /** What was set for the stations themselves, to be told to those that come back. */
  entries(): Iterable<readonly [string, string]> {
    return this.#values;
  }

  get authorization(): AuthorizationSettings {
    return this.#authorization;
  }

  #overlay(): AuthorizationSettings {
    const settings: { -readonly [K in keyof AuthorizationSettings]: AuthorizationSettings[K] } = { ...this.#defaults };
    for (const [name, key] of FLAGS) {
      const value = this.#values.get(name);
      if (value !== undefined) settings[key] = value.toLowerCase() === 'true';
    }
    const lifetime = Number(this.#values.get('AuthCacheCtrlr.LifeTime') ?? Number.NaN);
    if (Number.isFinite(lifetime)) settings.cacheLifetime = seconds(lifetime);
    const energy = Number(this.#values.get('TxCtrlr.MaxEnergyOnInvalidId') ?? Number.NaN);
    if (Number.isFinite(energy)) settings.maxEnergyOnInvalidId = wattHour(energy);
    const masterPass = this.#values.get('AuthCtrlr.MasterPassGroupId');
    if (masterPass !== undefined) settings.masterPassGroup = masterPass;
    return settings;
  }
}

type Flag = {
  [K in keyof AuthorizationSettings]-?: AuthorizationSettings[K] extends boolean ? K : never;
}[keyof AuthorizationSettings];

const FLAGS: readonly (readonly [name: string, key: Flag])[] = [
  ['AuthCtrlr.Enabled', 'enabled'],
  ['AuthCtrlr.LocalPreAuthorize', 'localPreAuthorize'],
  ['AuthCtrlr.LocalAuthorizeOffline', 'localAuthorizeOffline'],
  ['AuthCtrlr.OfflineTxForUnknownIdEnabled', 'offlineTxForUnknownId'],
  ['AuthCtrlr.AuthorizeRemoteStart', 'authorizeRemoteStart'],
  ['AuthCtrlr.DisableRemoteAuthorization', 'disableRemoteAuthorization'],
  ['LocalAuthListCtrlr.Enabled', 'listEnabled'],
  ['LocalAuthListCtrlr.SupportsExpiryDateTime', 'listSupportsExpiry'],
  ['LocalAuthListCtrlr.DisablePostAuthorize', 'listDisablePostAuthorize'],
  ['AuthCacheCtrlr.Enabled', 'cacheEnabled'],
  ['AuthCacheCtrlr.DisablePostAuthorize', 'cacheDisablePostAuthorize'],
  ['TxCtrlr.TxBeforeAcceptedEnabled', 'txBeforeAccepted'],
  ['TxCtrlr.StopTxOnInvalidId', 'stopOnInvalidId'],
];

function fromSettings(name: string, settings: AuthorizationSettings): string | undefined {
  const flag = FLAGS.find(([each]) => each === name);
  if (flag !== undefined) return String(settings[flag[1]]);
  if (name === 'AuthCacheCtrlr.LifeTime') return String(Math.round(settings.cacheLifetime / 1000));
  if (name === 'TxCtrlr.MaxEnergyOnInvalidId') return String(settings.maxEnergyOnInvalidId ?? 0);
  return undefined;
}
