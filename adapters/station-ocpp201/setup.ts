// Makes an OCPP 2.0.1 station ours, once per connection: fail-safe profile first, then who decides and what is measured.
import type { Attachment } from '../ocpp-j/charger-link.js';
import type { FallbackProfiles } from '../ocpp-j/fallback-profiles.js';
import { recordOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import { modelOf, traitsOf } from '../ocpp-j/models.js';
import { SetUpSteps } from '../ocpp-j/set-up-steps.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { Charger } from './charger.js';
import { Variables, WANTED, written, type VariableName } from './variables.js';

type Setting = VariableName & { readonly value: string };

/**
 * The gateway alone decides who may charge, and a transaction begins and ends where 1.6 clouds expect it to
 * (OCPP 2.0.1 part 2, appendix on 1.6 compatible transactions).
 */
const SETTINGS: readonly Setting[] = [
  { component: 'AuthCtrlr', variable: 'AuthorizeRemoteStart', value: 'false' },
  { component: 'AuthCtrlr', variable: 'LocalPreAuthorize', value: 'false' },
  { component: 'AuthCtrlr', variable: 'LocalAuthorizeOffline', value: 'true' },
  { component: 'AuthCacheCtrlr', variable: 'Enabled', value: 'false' },
  { component: 'TxCtrlr', variable: 'StopTxOnInvalidId', value: 'true' },
  { component: 'TxCtrlr', variable: 'TxStartPoint', value: 'PowerPathClosed' },
  { component: 'TxCtrlr', variable: 'TxStopPoint', value: 'EVConnected,Authorized' },
];

/** Settings of one SetVariables; stations have limits (ItemsPerMessage), the smallest seen is 4. */
const PORTION = 4;

const REGISTER = 'Energy.Active.Import.Register';
export const MEASURANDS: readonly string[] = [
  REGISTER,
  'Power.Active.Import',
  'Current.Import',
  'Voltage',
  'Current.Offered',
  'SoC',
];

const portions = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

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
      await this.#putProfilesInOrder();
      // After a boot the states come by themselves, mostly; after a plain reconnect they are needed soon.
      if (!this.#charger.learned.booted) await this.#requestStatus();
      await this.#setVariables();
      await this.#setMeasurands();
      if (this.#charger.learned.booted) await this.#requestStatus();
    });
  }

  async #putProfilesInOrder(): Promise<void> {
    const { capabilities, learned } = this.#charger;
    let abilities: Partial<Capabilities> = {};
    try {
      ({ abilities } = await this.#readVariables());
      await this.#installFallback();
    } finally {
      this.#steps.attachment.profilesReady.open();
      if (this.#steps.current) capabilities.announce(learned.limits, abilities);
    }
  }

  async #readVariables(): Promise<Variables> {
    const { learned, log, station, inventory } = this.#charger;
    const traits = traitsOf(this.#charger);
    const model = modelOf(inventory);
    if (model !== undefined) log.info({ station: station.id, model: model.name, why: model.why }, 'known model');
    const variables = new Variables();
    for (const portion of traits.configurationUnreadable ? [] : portions(WANTED, PORTION)) {
      const reply = await this.#steps.ask('GetVariables', { getVariableData: portion.map(written) });
      if (reply.kind === 'answered') variables.take(reply.payload);
      else this.#steps.refused('GetVariables', reply);
    }
    const maxStackLevel = variables.number('SmartChargingCtrlr', 'ProfileStackLevel');
    learned.limits.learn({ units: variables.rateUnits, ...(maxStackLevel !== undefined && { maxStackLevel }) }, traits);
    learned.listChunk = variables.listChunk;
    learned.choosesPhase = variables.choosesPhase;
    return variables;
  }

  /** The profiles of whoever had the station before are removed, and every EVSE falls back by itself from now on. */
  async #installFallback(): Promise<void> {
    // A request has to name at least one criterion (K10.FR.02), so the purposes are gone through.
    for (const chargingProfilePurpose of ['TxProfile', 'TxDefaultProfile', 'ChargingStationMaxProfile']) {
      const criteria = { chargingProfileCriteria: { chargingProfilePurpose } };
      const cleared = await this.#steps.ask('ClearChargingProfile', criteria);
      if (cleared.kind !== 'answered') this.#steps.refused(`ClearChargingProfile ${chargingProfilePurpose}`, cleared);
    }
    for (const evse of this.#charger.station.evses)
      this.#steps.taken(await this.#fallbacks.install(this.#steps.attachment, evse, this.#steps.options()));
  }

  /** Asks for the state of each connector where none has come yet. */
  async #requestStatus(): Promise<void> {
    const { learned, station } = this.#charger;
    if (learned.statusSeen) return;
    for (const evse of station.evses)
      for (const connector of evse.connectors) {
        const reply = await this.#steps.ask('TriggerMessage', {
          requestedMessage: 'StatusNotification',
          evse: { id: evse.stationEvse, connectorId: connector.number },
        });
        if (reply.kind === 'answered' && textOf(reply.payload, 'status') === 'Accepted') continue;
        this.#steps.refused('StatusNotification', reply);
        return;
      }
  }

  async #setVariables(): Promise<void> {
    const { settings, learned, capabilities } = this.#charger;
    const wanted: Setting[] = [
      ...SETTINGS,
      {
        component: 'AuthCtrlr',
        variable: 'OfflineTxForUnknownIdEnabled',
        value: String(settings.offlineTxForUnknownId),
      },
      ...(capabilities.current.localList && settings.localList
        ? [{ component: 'LocalAuthListCtrlr', variable: 'Enabled', value: 'true' }]
        : []),
      ...(learned.booted
        ? []
        : [{ component: 'OCPPCommCtrlr', variable: 'HeartbeatInterval', value: String(settings.heartbeatInterval) }]),
      { component: 'SampledDataCtrlr', variable: 'TxUpdatedInterval', value: String(settings.meterInterval) },
      { component: 'SampledDataCtrlr', variable: 'TxStartedMeasurands', value: REGISTER },
      { component: 'SampledDataCtrlr', variable: 'TxEndedMeasurands', value: REGISTER },
    ];
    for (const portion of portions(wanted, PORTION)) {
      const understood = await this.#set(portion);
      // One CALLERROR for many settings does not tell which one it is about.
      if (!understood && portion.length > 1) for (const setting of portion) await this.#set([setting]);
    }
  }

  /** Whether the request as a whole was answered; single settings that were not taken are logged. */
  async #set(settings: readonly Setting[]): Promise<boolean> {
    const reply = await this.#write(settings);
    if (reply.kind !== 'answered') {
      this.#steps.refused(settings.map(({ component, variable }) => `${component}.${variable}`).join(' '), reply);
      return reply.kind !== 'refused';
    }
    for (const result of recordsOf(reply.payload, 'setVariableResult')) {
      const status = textOf(result, 'attributeStatus');
      if (status === 'Accepted' || status === 'RebootRequired') continue;
      const component = textOf(recordOf(result, 'component') ?? {}, 'name');
      const variable = textOf(recordOf(result, 'variable') ?? {}, 'name');
      this.#charger.log.info({ station: this.#charger.station.id, component, variable, status }, 'setting not taken');
    }
    return true;
  }

  #write(settings: readonly Setting[]): ReturnType<SetUpSteps['ask']> {
    const setVariableData = settings.map((setting) => ({ attributeValue: setting.value, ...written(setting) }));
    return this.#steps.ask('SetVariables', { setVariableData });
  }

  /** A station refuses the whole list for one measurand it does not know, so it grows one by one. */
  async #setMeasurands(): Promise<void> {
    if (await this.#takes(MEASURANDS)) return;
    let taken: readonly string[] = [];
    for (const measurand of MEASURANDS) {
      const longer = [...taken, measurand];
      if (await this.#takes(longer)) taken = longer;
    }
    this.#charger.log.info({ station: this.#charger.station.id, taken }, 'measurands chosen one by one');
  }

  async #takes(measurands: readonly string[]): Promise<boolean> {
    const value = measurands.join(',');
    const reply = await this.#write([{ component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands', value }]);
    if (reply.kind !== 'answered') return false;
    const status = textOf(recordsOf(reply.payload, 'setVariableResult')[0] ?? {}, 'attributeStatus');
    return status === 'Accepted' || status === 'RebootRequired';
  }
}
