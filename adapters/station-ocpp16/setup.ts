// Makes an OCPP 1.6 charger ours, once per connection: fail-safe profile first, then who decides and what is measured.
import type { Attachment } from '../ocpp-j/charger-link.js';
import type { FallbackProfiles } from '../ocpp-j/fallback-profiles.js';
import { textOf } from '../ocpp-j/fields.js';
import { modelOf, traitsOf } from '../ocpp-j/models.js';
import { SetUpSteps } from '../ocpp-j/set-up-steps.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Charger } from './charger.js';
import { Configuration } from './configuration.js';

/** The gateway alone decides who may charge; the list on the charger is for when the gateway itself is away. */
const AUTHORIZATION_KEYS: readonly (readonly [key: string, value: string])[] = [
  ['AuthorizeRemoteTxRequests', 'false'],
  ['LocalPreAuthorize', 'false'],
  ['AuthorizationCacheEnabled', 'false'],
  ['StopTransactionOnInvalidId', 'true'],
  ['LocalAuthorizeOffline', 'true'],
];

/** Keys that a charger need not have (OCPP 1.6 section 9.1). */
const OPTIONAL_KEYS: ReadonlySet<string> = new Set(['AuthorizationCacheEnabled', 'AllowOfflineTxForUnknownId']);

export const MEASURANDS: readonly string[] = [
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Current.Import',
  'Voltage',
  'Current.Offered',
  'SoC',
];

export class SetUp {
  readonly #charger: Charger;
  readonly #fallbacks: FallbackProfiles;
  readonly #steps: SetUpSteps;

  constructor(charger: Charger, fallbacks: FallbackProfiles, attachment: Attachment) {
    this.#charger = charger;
    this.#fallbacks = fallbacks;
    this.#steps = new SetUpSteps(attachment, charger.link, charger.log, charger.station.id);
  }

  /** Runs every step once; a step that fails is logged and the next one follows. Never rejects. */
  async run(): Promise<void> {
    await this.#steps.run(async () => {
      const configuration = await this.#putProfilesInOrder();
      // After a boot the states come by themselves, mostly; after a plain reconnect they are needed soon.
      if (!this.#charger.learned.booted) await this.#requestStatus();
      await this.#setKeys(configuration);
      await this.#setMeasurands(configuration);
      if (this.#charger.learned.booted) await this.#requestStatus();
    });
  }

  async #putProfilesInOrder(): Promise<Configuration> {
    const { capabilities, learned } = this.#charger;
    let abilities: Partial<Capabilities> = {};
    try {
      const configuration = await this.#readConfiguration();
      ({ abilities } = configuration);
      await this.#installFallback();
      return configuration;
    } finally {
      this.#steps.attachment.profilesReady.open();
      if (this.#steps.current) capabilities.announce(learned.limits, abilities);
    }
  }

  async #readConfiguration(): Promise<Configuration> {
    const { learned, connectors, log, station, inventory } = this.#charger;
    const traits = traitsOf(this.#charger);
    const model = modelOf(inventory);
    if (model !== undefined) log.info({ station: station.id, model: model.name, why: model.why }, 'known model');
    const reply = traits.configurationUnreadable ? undefined : await this.#steps.ask('GetConfiguration', {});
    if (reply !== undefined && reply.kind !== 'answered') this.#steps.refused('GetConfiguration', reply);
    const configuration = new Configuration(reply?.kind === 'answered' ? reply.payload : {});
    const maxStackLevel = configuration.number('ChargeProfileMaxStackLevel');
    learned.limits.learn(
      { units: configuration.rateUnits, ...(maxStackLevel !== undefined && { maxStackLevel }) },
      traits,
    );
    learned.listChunk = configuration.listChunk;
    const counted = configuration.number('NumberOfConnectors');
    if (counted !== undefined && counted !== connectors.all.length)
      log.warn(
        { station: station.id, counted, configured: connectors.all.length },
        'the charger has another number of connectors than the site description',
      );
    return configuration;
  }

  /** The profiles of whoever had the charger before are removed, and every EVSE falls back by itself from now on. */
  async #installFallback(): Promise<void> {
    const { station } = this.#charger;
    const cleared = await this.#steps.ask('ClearChargingProfile', {});
    if (cleared.kind !== 'answered') this.#steps.refused('ClearChargingProfile', cleared);
    for (const evse of station.evses)
      this.#steps.taken(await this.#fallbacks.install(this.#steps.attachment, evse, this.#steps.options()));
  }

  /** Asks for the states where none has come yet. */
  async #requestStatus(): Promise<void> {
    const { learned, connectors } = this.#charger;
    if (connectors.all.some((place) => learned.statusSeen.has(place.id))) return;
    const reply = await this.#steps.ask('TriggerMessage', { requestedMessage: 'StatusNotification' });
    if (reply.kind !== 'answered' || textOf(reply.payload, 'status') !== 'Accepted')
      this.#steps.refused('StatusNotification', reply);
  }

  async #setKeys(configuration: Configuration): Promise<void> {
    const { settings, learned, capabilities } = this.#charger;
    const keys: (readonly [string, string])[] = [
      ...AUTHORIZATION_KEYS,
      ['AllowOfflineTxForUnknownId', String(settings.offlineTxForUnknownId)],
      ...(capabilities.current.localList && settings.localList ? ([['LocalAuthListEnabled', 'true']] as const) : []),
      ...(learned.booted ? [] : ([['HeartbeatInterval', String(settings.heartbeatInterval)]] as const)),
      ['MeterValueSampleInterval', String(settings.meterInterval)],
    ];
    for (const [key, value] of keys) {
      const optional = OPTIONAL_KEYS.has(key) && configuration.known && !configuration.has(key);
      if (!optional) await this.#set(configuration, key, value);
    }
  }

  /** Whether the charger now has the value. */
  async #set(configuration: Configuration, key: string, value: string): Promise<boolean> {
    if (configuration.says(key, value)) return true;
    if (configuration.isReadonly(key)) return false;
    const reply = await this.#steps.ask('ChangeConfiguration', { key, value });
    const status = reply.kind === 'answered' ? textOf(reply.payload, 'status') : undefined;
    if (status === 'Accepted' || status === 'RebootRequired') return true;
    this.#steps.refused(`${key}=${value}`, reply);
    return false;
  }

  /** A charger refuses the whole list for one measurand it does not know (OCPP 1.6 section 3.16.4), so it grows one by one. */
  async #setMeasurands(configuration: Configuration): Promise<void> {
    const key = 'MeterValuesSampledData';
    if (configuration.isReadonly(key)) return;
    if (await this.#set(configuration, key, MEASURANDS.join(','))) return;
    let taken: readonly string[] = [];
    for (const measurand of MEASURANDS) {
      const longer = [...taken, measurand];
      const reply = await this.#steps.ask('ChangeConfiguration', { key, value: longer.join(',') });
      const status = reply.kind === 'answered' ? textOf(reply.payload, 'status') : undefined;
      if (status === 'Accepted' || status === 'RebootRequired') taken = longer;
    }
    this.#charger.log.info({ station: this.#charger.station.id, taken }, 'measurands chosen one by one');
  }
}
