// Carries out the gateway's commands on an OCPP 2.0.1 station: one call each, and the station's word as the outcome.
import { COMMAND_TIME, outcomeWithout, type AskOptions, type Attachment } from '../ocpp-j/charger-link.js';
import type { Payload } from '../ocpp-j/contract.js';
import { integerOf, memberOf, recordsOf, textOf } from '../ocpp-j/fields.js';
import { listPortions } from '../ocpp-j/list-portions.js';
import { setLimitOrStop } from '../ocpp-j/pause.js';
import type { StationTransactionId } from '../../gateway/kernel/ids.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type {
  CommandOutcome,
  ReserveStation,
  SendStationList,
  SetLimit,
  SetStationVariable,
  StationCommand,
  StationDataTransfer,
  TriggerStation,
} from '../../gateway/site/station-command.js';
import type { Charger } from './charger.js';
import { profileCalls } from './profiles.js';
import { fits, idTokenInfoOf, writtenToken } from './translate-token.js';
import { written } from './variables.js';

const STATUSES: readonly CommandOutcome['status'][] = [
  'Accepted',
  'Rejected',
  'Scheduled',
  'RebootRequired',
  'Unlocked',
  'UnlockFailed',
  'OngoingAuthorizedTransaction',
  'Faulted',
  'Occupied',
  'Unavailable',
  'UnknownMessageId',
  'UnknownVendorId',
  'VersionMismatch',
];

/** Statuses of 2.0.1 for which the gateway has no word of its own. */
const OTHER_WORDS: Readonly<Record<string, CommandOutcome['status']>> = {
  NotImplemented: 'NotSupported',
  UnknownConnector: 'UnlockFailed',
  UnknownComponent: 'NotSupported',
  UnknownVariable: 'NotSupported',
  NotSupportedAttributeType: 'NotSupported',
};

const outcomeOf = (status: string | undefined): CommandOutcome => {
  const known = memberOf(status, STATUSES);
  if (known) return { status: known };
  return { status: OTHER_WORDS[status ?? ''] ?? 'Rejected', detail: status ?? 'no status' };
};

const unknownEvse: CommandOutcome = { status: 'Rejected', detail: 'the station has no such EVSE' };
const tokenTooLong: CommandOutcome = { status: 'NotSupported', detail: 'the token is longer than 36 characters' };

type Ask = (action: string, payload: Payload) => Promise<CommandOutcome>;

export class Commands {
  readonly #charger: Charger;

  constructor(charger: Charger) {
    this.#charger = charger;
  }

  /** Never rejects; `Offline` at once where the station is not there, after 15 s at the latest otherwise. */
  async execute(command: StationCommand): Promise<CommandOutcome> {
    const { link } = this.#charger;
    const { attachment } = link;
    if (!attachment) return { status: 'Offline' };
    const options = { deadline: link.deadline(COMMAND_TIME) };
    const gate = command.type === 'setLimit' ? attachment.profilesReady : attachment.approachable;
    if (!(await link.pass(attachment, gate, options.deadline)))
      return { status: 'Offline', detail: 'not ready for commands' };
    return this.#carryOut(command, attachment, options);
  }

  async #carryOut(command: StationCommand, attachment: Attachment, options: AskOptions): Promise<CommandOutcome> {
    const { link } = this.#charger;
    const askWithin =
      (within: () => AskOptions): Ask =>
      async (action, payload) => {
        const reply = await link.ask(attachment, action, payload, within());
        return reply.kind === 'answered' ? outcomeOf(textOf(reply.payload, 'status')) : outcomeWithout(reply);
      };
    const ask = askWithin(() => options);
    // Where a command names an EVSE, the station has to have it.
    const named = 'evse' in command && command.evse !== undefined ? command.evse : undefined;
    const evse = named === undefined ? undefined : this.#charger.places.of(named);
    if (named !== undefined && !evse) return unknownEvse;
    const evseId = evse && { evseId: evse.stationEvse };
    switch (command.type) {
      case 'setLimit':
        return this.#setLimit(command, attachment, { ...options, priority: 0, late: true });
      case 'requestStart':
        if (!fits(command.idToken)) return tokenTooLong;
        return ask('RequestStartTransaction', {
          idToken: writtenToken(command.idToken),
          remoteStartId: command.remoteStartId,
          ...evseId,
          ...(command.group && fits(command.group) && { groupIdToken: writtenToken(command.group) }),
        });
      case 'requestStop':
        return ask('RequestStopTransaction', { transactionId: command.stationTransactionId });
      case 'unlock':
        return ask('UnlockConnector', { ...evseId, connectorId: command.connector });
      case 'changeAvailability':
        return ask('ChangeAvailability', {
          operationalStatus: command.operative ? 'Operative' : 'Inoperative',
          ...(evse && {
            evse: {
              id: evse.stationEvse,
              ...(command.connector !== undefined && { connectorId: command.connector }),
            },
          }),
        });
      case 'reset':
        return ask('Reset', { type: command.whenIdle ? 'OnIdle' : 'Immediate', ...evseId });
      case 'reserve':
        return this.#reserve(command, evseId, ask);
      case 'cancelReservation':
        return ask('CancelReservation', { reservationId: command.reservationId });
      case 'trigger':
        return this.#trigger(command, ask);
      case 'sendLocalList':
        // Each portion has the time of a command, and gives way to everything else.
        return this.#sendLocalList(
          command,
          askWithin(() => link.patient()),
        );
      case 'getLocalListVersion':
        return this.#listVersion(attachment);
      case 'setVariable':
        return this.#setVariable(command, evse?.stationEvse, attachment, options);
      case 'dataTransfer':
        return this.#dataTransfer(command, attachment, options);
    }
  }

  async #setLimit(command: SetLimit, attachment: Attachment, options: AskOptions): Promise<CommandOutcome> {
    const charger = this.#charger;
    const evse = charger.places.of(command.evse);
    if (!evse) return unknownEvse;
    if (command.phases !== undefined && !charger.capabilities.current.phaseSwitching)
      return { status: 'NotSupported', detail: 'cannot switch phases' };
    const { limits } = charger.learned;
    const transaction = command.stationTransactionId;
    const outcome = await setLimitOrStop(command, evse, {
      limits,
      calls: profileCalls(attachment, options, charger),
      clock: charger.clock,
      log: charger.log,
      stop: () => this.#requestStop(transaction, attachment, options),
    });
    if (command.phases !== undefined) charger.capabilities.phasesSet(outcome);
    charger.capabilities.announceChange(limits);
    return outcome;
  }

  async #requestStop(
    transactionId: StationTransactionId | undefined,
    attachment: Attachment,
    options: AskOptions,
  ): Promise<CommandOutcome> {
    const reply = await this.#charger.link.ask(attachment, 'RequestStopTransaction', { transactionId }, options);
    return reply.kind === 'answered' ? outcomeOf(textOf(reply.payload, 'status')) : outcomeWithout(reply);
  }

  async #reserve(command: ReserveStation, evseId: Payload | undefined, ask: Ask): Promise<CommandOutcome> {
    if (!fits(command.idToken)) return tokenTooLong;
    return ask('ReserveNow', {
      id: command.reservationId,
      expiryDateTime: toRfc3339(command.expiry),
      idToken: writtenToken(command.idToken),
      ...evseId,
      ...(command.group && fits(command.group) && { groupIdToken: writtenToken(command.group) }),
    });
  }

  /** A status can only be asked for connector by connector (F06). */
  async #trigger(command: TriggerStation, ask: Ask): Promise<CommandOutcome> {
    const requestedMessage = command.message;
    const evses = this.#charger.station.evses.filter(
      (evse) => command.evse === undefined || evse.number === command.evse,
    );
    if (requestedMessage !== 'StatusNotification') {
      const evse = command.evse === undefined ? undefined : evses[0];
      return ask('TriggerMessage', { requestedMessage, ...(evse && { evse: { id: evse.stationEvse } }) });
    }
    let outcome: CommandOutcome = unknownEvse;
    for (const evse of evses)
      for (const connector of evse.connectors) {
        outcome = await ask('TriggerMessage', {
          requestedMessage,
          evse: { id: evse.stationEvse, connectorId: connector.number },
        });
        if (outcome.status !== 'Accepted') return outcome;
      }
    return outcome;
  }

  async #sendLocalList(command: SendStationList, ask: Ask): Promise<CommandOutcome> {
    const { learned, station } = this.#charger;
    for (const { version, update, entries } of listPortions(command, learned.listChunk, fits)) {
      const outcome = await ask('SendLocalList', {
        versionNumber: version,
        updateType: update,
        ...(entries.length > 0 && {
          localAuthorizationList: entries.map(({ idToken, info }) => ({
            idToken: writtenToken(idToken),
            ...(info && { idTokenInfo: idTokenInfoOf(info, station) }),
          })),
        }),
      });
      if (outcome.status !== 'Accepted') return outcome;
    }
    return { status: 'Accepted' };
  }

  async #listVersion(attachment: Attachment): Promise<CommandOutcome> {
    const { link } = this.#charger;
    const reply = await link.ask(attachment, 'GetLocalListVersion', {}, link.patient());
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    return { status: 'Accepted', data: integerOf(reply.payload, 'versionNumber') };
  }

  async #setVariable(
    command: SetStationVariable,
    evseId: number | undefined,
    attachment: Attachment,
    options: AskOptions,
  ): Promise<CommandOutcome> {
    const name = {
      component: command.component,
      variable: command.variable,
      ...(command.instance !== undefined && { instance: command.instance }),
      ...(evseId !== undefined && { evseId }),
    };
    const setVariableData = [{ attributeValue: command.value, ...written(name) }];
    const reply = await this.#charger.link.ask(attachment, 'SetVariables', { setVariableData }, options);
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    return outcomeOf(textOf(recordsOf(reply.payload, 'setVariableResult')[0] ?? {}, 'attributeStatus'));
  }

  async #dataTransfer(
    command: StationDataTransfer,
    attachment: Attachment,
    options: AskOptions,
  ): Promise<CommandOutcome> {
    const payload = {
      vendorId: command.vendorId,
      ...(command.messageId !== undefined && { messageId: command.messageId }),
      ...(command.data !== undefined && { data: command.data }),
    };
    const reply = await this.#charger.link.ask(attachment, 'DataTransfer', payload, options);
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    const back = reply.payload['data'];
    return { ...outcomeOf(textOf(reply.payload, 'status')), ...(back !== undefined && { data: back }) };
  }
}
