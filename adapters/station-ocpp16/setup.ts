// Makes an OCPP 1.6 charger ours, once per connection: fail-safe profile first, then who decides and what is measured.
import type { Attachment, Reply } from '../ocpp-j/charger-link.js';
import type { Payload } from '../ocpp-j/contract.js';
import { textOf } from '../ocpp-j/fields.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { Evse } from '../../gateway/site/topology.js';
import { announce, type Charger } from './charger.js';
import { Configuration } from './configuration.js';
import { profileCalls } from './profiles.js';

/** The gateway alone decides who may charge; the list on the charger is for when the gateway itself is away. */
const AUTHORIZATION_KEYS: readonly (readonly [key: string, value: string])[] = [
  ['AuthorizeRemoteTxRequests', 'false'],
  ['LocalPreAuthorize', 'false'],
  ['AuthorizationCacheEnabled', 'false'],
  ['StopTransactionOnInvalidId', 'true'],
  ['LocalAuthorizeOffline', 'true'],
];

export const MEASURANDS: readonly string[] = [
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Current.Import',
  'Voltage',
  'Current.Offered',
  'SoC',
];

const STEP_TIME = seconds(15);
/** Set-up gives way to everything else. */
const PRIORITY = 2;

/** The charger stopped answering: there is no use in going on, and none in trying again on this connection. */
class Unresponsive extends Error {}

export class SetUp {
  readonly #charger: Charger;
  readonly #attachment: Attachment;
  #unanswered = 0;

  constructor(charger: Charger, attachment: Attachment) {
    this.#charger = charger;
    this.#attachment = attachment;
  }

  /** Runs every step once; a step that fails is logged and the next one follows. Never rejects. */
  async run(): Promise<void> {
    const { log, station } = this.#charger;
    try {
      const configuration = await this.#putProfilesInOrder();
      await this.#requestStatus();
      await this.#setKeys(configuration);
      await this.#setMeasurands(configuration);
      log.info({ station: station.id }, 'charger set up');
    } catch (err) {
      if (err instanceof Unresponsive) log.warn({ station: station.id }, `set-up ended early: ${err.message}`);
      else log.error({ station: station.id, err }, 'set-up failed');
    }
  }

  async #putProfilesInOrder(): Promise<Configuration> {
    let abilities = {};
    try {
      const configuration = await this.#readConfiguration();
      ({ abilities } = configuration);
      await this.#installFallback();
      return configuration;
    } finally {
      this.#attachment.profilesReady.open();
      if (this.#charger.link.attachment === this.#attachment) announce(this.#charger, abilities);
    }
  }

  async #ask(action: string, payload: Payload): Promise<Reply> {
    const { link } = this.#charger;
    const reply = await link.ask(this.#attachment, action, payload, {
      deadline: link.deadline(STEP_TIME),
      priority: PRIORITY,
    });
    if (reply.kind === 'offline') throw new Unresponsive('the link is gone');
    this.#unanswered = reply.kind === 'uncertain' ? this.#unanswered + 1 : 0;
    if (this.#unanswered >= 2) throw new Unresponsive('two steps without an answer');
    return reply;
  }

  #refused(step: string, reply: Reply): void {
    const said = reply.kind === 'answered' ? reply.payload['status'] : 'detail' in reply ? reply.detail : reply.kind;
    this.#charger.log.warn({ station: this.#charger.station.id, step, said }, 'a step of the set-up was not accepted');
  }

  async #readConfiguration(): Promise<Configuration> {
    const { learned, connectors, log, station } = this.#charger;
    const reply = await this.#ask('GetConfiguration', {});
    if (reply.kind !== 'answered') this.#refused('GetConfiguration', reply);
    const configuration = new Configuration(reply.kind === 'answered' ? reply.payload : {});
    const maxStackLevel = configuration.number('ChargeProfileMaxStackLevel');
    learned.limits.learn({
      units: configuration.rateUnits,
      ...(maxStackLevel !== undefined && { maxStackLevel }),
    });
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
    const cleared = await this.#ask('ClearChargingProfile', {});
    if (cleared.kind !== 'answered') this.#refused('ClearChargingProfile', cleared);
    for (const evse of station.evses) await this.#protect(evse);
  }

  async #protect(evse: Evse): Promise<void> {
    const outcome = await installFallback(this.#charger, this.#attachment, evse, PRIORITY);
    if (outcome === 'Offline') throw new Unresponsive('the link is gone');
    this.#unanswered = outcome === 'Uncertain' ? this.#unanswered + 1 : 0;
    if (this.#unanswered >= 2) throw new Unresponsive('two steps without an answer');
  }

  /** A charger tells its states after a boot by itself; after a plain reconnect it has to be asked. */
  async #requestStatus(): Promise<void> {
    const { learned, connectors } = this.#charger;
    if (learned.booted || connectors.all.some((place) => learned.statusSeen.has(place.id))) return;
    const reply = await this.#ask('TriggerMessage', { requestedMessage: 'StatusNotification' });
    if (reply.kind !== 'answered' || textOf(reply.payload, 'status') !== 'Accepted')
      this.#refused('StatusNotification', reply);
  }

  async #setKeys(configuration: Configuration): Promise<void> {
    const { settings, learned, capabilities } = this.#charger;
    const keys: (readonly [string, string])[] = [
      ...AUTHORIZATION_KEYS,
      ...(capabilities.localList ? ([['LocalAuthListEnabled', 'true']] as const) : []),
      ...(learned.booted ? [] : ([['HeartbeatInterval', String(settings.heartbeatInterval)]] as const)),
      ['MeterValueSampleInterval', String(settings.meterInterval)],
    ];
    for (const [key, value] of keys) {
      const optional = key === 'AuthorizationCacheEnabled' && configuration.known && !configuration.has(key);
      if (!optional) await this.#set(configuration, key, value);
    }
  }

  /** Whether the charger now has the value. */
  async #set(configuration: Configuration, key: string, value: string): Promise<boolean> {
    if (configuration.says(key, value)) return true;
    if (configuration.isReadonly(key)) return false;
    const reply = await this.#ask('ChangeConfiguration', { key, value });
    const status = reply.kind === 'answered' ? textOf(reply.payload, 'status') : undefined;
    if (status === 'Accepted' || status === 'RebootRequired') return true;
    this.#refused(`${key}=${value}`, reply);
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
      const reply = await this.#ask('ChangeConfiguration', { key, value: longer.join(',') });
      const status = reply.kind === 'answered' ? textOf(reply.payload, 'status') : undefined;
      if (status === 'Accepted' || status === 'RebootRequired') taken = longer;
    }
    this.#charger.log.info({ station: this.#charger.station.id, taken }, 'measurands chosen one by one');
  }
}

/** Writes the fail-safe profile of one EVSE and keeps account of it; answers how it went. */
export async function installFallback(
  charger: Charger,
  attachment: Attachment,
  evse: Evse,
  priority: number,
): Promise<string> {
  const { link, clock, connectors, settings, learned, log, station, memory } = charger;
  const calls = profileCalls(
    attachment,
    { deadline: link.deadline(STEP_TIME), priority },
    {
      link,
      clock,
      connectors,
      nominalVoltage: settings.nominalVoltage,
      connectorOf: (transaction) => memory.connectorOf(transaction),
    },
  );
  const outcome = await learned.limits.installFallback(evse, calls);
  if (outcome.status === 'Accepted') learned.protectedEvses.add(evse.number);
  else
    log.warn(
      { station: station.id, evse: evse.number, status: outcome.status, detail: outcome.detail },
      'fail-safe profile not accepted: the charger keeps its last limit when the gateway is silent',
    );
  return outcome.status;
}
