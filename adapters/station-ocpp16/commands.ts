// Carries out the gateway's commands on an OCPP 1.6 charger: one call each, and the charger's word as the outcome.
import { idTagOf } from '../ocpp-j/token-alias.js';
import { COMMAND_TIME, outcomeWithout, type AskOptions, type Attachment } from '../ocpp-j/charger-link.js';
import type { Payload } from '../ocpp-j/contract.js';
import { integerOf, memberOf, textOf } from '../ocpp-j/fields.js';
import { setLimitOrStop } from '../ocpp-j/pause.js';
import { toRfc3339 } from '../../gateway/kernel/units.js';
import type {
  ChangeAvailability,
  CommandOutcome,
  RequestStart,
  ReserveStation,
  ResetStation,
  SetLimit,
  StationCommand,
  StationDataTransfer,
  TriggerStation,
  Unlock,
} from '../../gateway/site/station-command.js';
import type { Ask, Charger } from './charger.js';
import { sendLocalList } from './local-list.js';
import { profileCalls } from './profiles.js';
import { keyOf } from './translate-key.js';
import { groupTagOf } from './translate-token.js';

const STATUSES: readonly CommandOutcome['status'][] = [
  'Accepted',
  'Rejected',
  'Scheduled',
  'RebootRequired',
  'NotSupported',
  'Unlocked',
  'UnlockFailed',
  'Faulted',
  'Occupied',
  'Unavailable',
  'UnknownMessageId',
  'UnknownVendorId',
  'VersionMismatch',
];

const notSupported = (detail: string): CommandOutcome => ({ status: 'NotSupported', detail });
const unknownConnector: CommandOutcome = { status: 'Rejected', detail: 'the charger has no such connector' };

/** Triggers of 1.6 (section 6.51); diagnostics are what 2.0.1 calls logs, and transactions cannot be asked for. */
const TRIGGERS: Readonly<Partial<Record<TriggerStation['message'], string>>> = {
  BootNotification: 'BootNotification',
  Heartbeat: 'Heartbeat',
  StatusNotification: 'StatusNotification',
  MeterValues: 'MeterValues',
  FirmwareStatusNotification: 'FirmwareStatusNotification',
  LogStatusNotification: 'DiagnosticsStatusNotification',
};

export class Commands {
  readonly #charger: Charger;

  constructor(charger: Charger) {
    this.#charger = charger;
  }

  /** Never rejects; `Offline` at once where the charger is not there, after 15 s at the latest otherwise. */
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
    const ask = (action: string, payload: Payload): Promise<CommandOutcome> =>
      this.#ask(attachment, action, payload, options);
    switch (command.type) {
      case 'setLimit':
        return this.#setLimit(command, attachment, { ...options, priority: 0, late: true });
      case 'requestStart':
        return this.#requestStart(command, ask);
      case 'requestStop': {
        const transactionId = Number(command.stationTransactionId);
        if (!Number.isSafeInteger(transactionId))
          return { status: 'Rejected', detail: 'no transaction of this charger' };
        return ask('RemoteStopTransaction', { transactionId });
      }
      case 'unlock':
        return this.#unlock(command, ask);
      case 'changeAvailability':
        return this.#changeAvailability(command, ask);
      case 'reset':
        return this.#reset(command, ask);
      case 'reserve':
        return this.#reserve(command, ask);
      case 'cancelReservation':
        return ask('CancelReservation', { reservationId: command.reservationId });
      case 'trigger':
        return this.#trigger(command, ask);
      case 'sendLocalList':
        // Each portion has the time of a command, and gives way to everything else.
        return sendLocalList(command, this.#charger, (action, payload) =>
          this.#ask(attachment, action, payload, this.#charger.link.patient()),
        );
      case 'getLocalListVersion':
        return this.#listVersion(attachment);
      case 'setVariable': {
        const key = keyOf(command);
        if (key === undefined) return notSupported(`OCPP 1.6 has no key for ${command.component}.${command.variable}`);
        return ask('ChangeConfiguration', { key, value: command.value });
      }
      case 'dataTransfer':
        return this.#dataTransfer(command, attachment, options);
    }
  }

  async #ask(attachment: Attachment, action: string, payload: Payload, options: AskOptions): Promise<CommandOutcome> {
    const reply = await this.#charger.link.ask(attachment, action, payload, options);
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    const written = textOf(reply.payload, 'status');
    const status = memberOf(written, STATUSES);
    return status ? { status } : { status: 'Rejected', detail: written ?? 'no status' };
  }

  async #listVersion(attachment: Attachment): Promise<CommandOutcome> {
    const { link } = this.#charger;
    const reply = await link.ask(attachment, 'GetLocalListVersion', {}, link.patient());
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    return { status: 'Accepted', data: integerOf(reply.payload, 'listVersion') };
  }

  async #setLimit(command: SetLimit, attachment: Attachment, options: AskOptions): Promise<CommandOutcome> {
    const charger = this.#charger;
    const evse = charger.station.evses.find((candidate) => candidate.number === command.evse);
    if (!evse) return unknownConnector;
    if (command.phases !== undefined && !charger.capabilities.current.phaseSwitching)
      return notSupported('cannot switch phases');
    if (command.stationTransactionId !== undefined && !Number.isSafeInteger(Number(command.stationTransactionId)))
      return { status: 'Rejected', detail: 'no transaction of this charger' };
    const { limits } = charger.learned;
    const transaction = command.stationTransactionId;
    const outcome = await setLimitOrStop(command, evse, {
      limits,
      calls: profileCalls(attachment, options, charger),
      clock: charger.clock,
      log: charger.log,
      stop: () => this.#ask(attachment, 'RemoteStopTransaction', { transactionId: Number(transaction) }, options),
    });
    if (command.phases !== undefined) charger.capabilities.phasesSet(outcome);
    charger.capabilities.announceChange(limits);
    return outcome;
  }

  async #requestStart(command: RequestStart, ask: Ask): Promise<CommandOutcome> {
    if (command.idToken.idToken === '') return notSupported('OCPP 1.6 starts for a token only');
    const { connectors, memory } = this.#charger;
    const place = connectors.of(command.evse, command.connector)[0];
    if (!place) return unknownConnector;
    // Expected before it is asked: a quick charger starts before its answer has been read.
    memory.expect(command, place.id);
    const outcome = await ask('RemoteStartTransaction', {
      connectorId: place.id,
      idTag: idTagOf(command.idToken, memory),
    });
    if (outcome.status !== 'Accepted' && outcome.status !== 'Uncertain') memory.expectNoMore(command);
    return outcome;
  }

  async #unlock(command: Unlock, ask: Ask): Promise<CommandOutcome> {
    const place = this.#charger.connectors.of(command.evse, command.connector)[0];
    return place ? ask('UnlockConnector', { connectorId: place.id }) : unknownConnector;
  }

  async #changeAvailability(command: ChangeAvailability, ask: Ask): Promise<CommandOutcome> {
    const type = command.operative ? 'Operative' : 'Inoperative';
    if (command.evse === undefined) return ask('ChangeAvailability', { connectorId: 0, type });
    const places = this.#charger.connectors.of(command.evse, command.connector);
    if (places.length === 0) return unknownConnector;
    let merged: CommandOutcome = { status: 'Accepted' };
    for (const place of places) {
      const outcome = await ask('ChangeAvailability', { connectorId: place.id, type });
      if (outcome.status !== 'Accepted' && outcome.status !== 'Scheduled') return outcome;
      if (outcome.status === 'Scheduled') merged = outcome;
    }
    return merged;
  }

  async #reset(command: ResetStation, ask: Ask): Promise<CommandOutcome> {
    const { station, memory } = this.#charger;
    if (command.evse !== undefined && (station.evses.length > 1 || station.evses[0]?.number !== command.evse))
      return notSupported('OCPP 1.6 resets the whole charger only');
    // A 1.6 charger ends its transactions at once, so waiting is not something that it can be asked for.
    if (command.whenIdle && memory.transactionOpen) return notSupported('cannot wait for its transactions to end');
    return ask('Reset', { type: command.kind === 'hard' ? 'Hard' : 'Soft' });
  }

  async #reserve(command: ReserveStation, ask: Ask): Promise<CommandOutcome> {
    if (command.idToken.idToken === '') return notSupported('OCPP 1.6 reserves for a token only');
    const place = this.#charger.connectors.of(command.evse, command.connector)[0];
    if (!place) return unknownConnector;
    return ask('ReserveNow', {
      connectorId: place.id,
      expiryDate: toRfc3339(command.expiry),
      idTag: idTagOf(command.idToken, this.#charger.memory),
      ...(command.group && command.group.idToken !== '' && { parentIdTag: groupTagOf(command.group) }),
      reservationId: command.reservationId,
    });
  }

  async #trigger(command: TriggerStation, ask: Ask): Promise<CommandOutcome> {
    const requestedMessage = TRIGGERS[command.message];
    if (requestedMessage === undefined) return notSupported(`OCPP 1.6 cannot trigger ${command.message}`);
    if (command.evse === undefined) return ask('TriggerMessage', { requestedMessage });
    const place = this.#charger.connectors.of(command.evse)[0];
    return place ? ask('TriggerMessage', { requestedMessage, connectorId: place.id }) : unknownConnector;
  }

  async #dataTransfer(
    command: StationDataTransfer,
    attachment: Attachment,
    options: AskOptions,
  ): Promise<CommandOutcome> {
    const data =
      command.data === undefined || typeof command.data === 'string' ? command.data : JSON.stringify(command.data);
    const payload = {
      vendorId: command.vendorId,
      ...(command.messageId !== undefined && { messageId: command.messageId }),
      ...(data !== undefined && { data }),
    };
    const reply = await this.#charger.link.ask(attachment, 'DataTransfer', payload, options);
    if (reply.kind !== 'answered') return outcomeWithout(reply);
    const status = memberOf(reply.payload['status'], STATUSES) ?? 'Rejected';
    const back = reply.payload['data'];
    return { status, ...(back !== undefined && { data: back }) };
  }
}
