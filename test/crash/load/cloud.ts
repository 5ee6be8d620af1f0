// A CSMS under load: takes everything, but drops its connection, answers late, refuses or loses an answer now and then; and keeps a ledger.
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../../simulation/random.js';
import type { Changes } from '../../peers/changes.js';
import { answer, callError, drop, silence, type Reaction } from '../../peers/reactions.js';
import { RpcCsms } from '../../peers/rpc-csms.js';
import type { OcppVersion, Payload } from '../../peers/wire-record.js';
import { IssuedIds } from '../ledger.js';
import { Ledger } from './cloud-ledger.js';

export interface CloudOptions {
  readonly name: string;
  readonly version: OcppVersion;
  readonly random: Random;
  readonly changes: Changes;
  readonly point: (name: string) => void;
}

/** Messages that belong to a transaction, and may be answered with an error that asks for them again. */
const OF_TRANSACTIONS: ReadonlySet<string> = new Set([
  'StartTransaction',
  'MeterValues',
  'StopTransaction',
  'TransactionEvent',
]);
/** Each costs MessageTimeout, of which 5 s are the least. */
const SILENCES = 2;

export class Cloud {
  readonly csms: RpcCsms;
  readonly ledger: Ledger;
  /** When this CSMS did something that makes the gateway send a message again: milliseconds since 1970. */
  readonly lapses: { readonly at: number; readonly why: string }[] = [];
  /** It answers everything at once. */
  calm = true;
  /** Values that must outlive every kill, by name. */
  readonly #promises = new Map<string, { kept: string; maybe: Set<string> }>();
  readonly #issued = new IssuedIds(700);
  readonly #is: CloudOptions;
  #silences = 0;
  #listVersion = 0;

  private constructor(options: CloudOptions, csms: RpcCsms) {
    this.#is = options;
    this.csms = csms;
    this.ledger = new Ledger(options.version, this.#issued);
    for (const action of [...OF_TRANSACTIONS, 'Authorize', 'StatusNotification'])
      csms.scripts.always(action, (payload) => this.#take(action, payload));
  }

  static async open(options: CloudOptions): Promise<Cloud> {
    const { name, version, changes } = options;
    return new Cloud(options, await RpcCsms.listen({ name, version, changes }));
  }

  get is16(): boolean {
    return this.#is.version === 'ocpp1.6';
  }

  /** Back soon, few waits, many attempts, every second a sample: what makes a short run tell much. */
  async setUp(): Promise<void> {
    const { name, changes } = this.#is;
    await changes.until(`the gateway to be connected to the ${name}`, () => this.csms.connected);
    await this.set('RetryBackOffWaitMinimum', '1');
    await this.set('RetryBackOffRandomRange', '0');
    await this.set('RetryBackOffRepeatTimes', '0');
    await this.set('MessageTimeout', '5');
    await this.set('TransactionMessageAttempts', '100');
    await this.set('TransactionMessageRetryInterval', '0');
    await this.set('MeterValueSampleInterval', '1');
  }

  /** Changes a setting; once accepted it must outlive every kill. */
  async set(key: keyof typeof KEYS, value: string): Promise<void> {
    const promise = this.#promises.get(key) ?? { kept: '', maybe: new Set() };
    this.#promises.set(key, promise);
    promise.maybe.add(value);
    const [component, name, instance] = KEYS[key];
    const accepted = this.is16
      ? (await this.csms.ask('ChangeConfiguration', { key, value }))['status']
      : (
          (
            await this.csms.ask('SetVariables', {
              setVariableData: [
                {
                  component: { name: component },
                  variable: { name, ...(instance && { instance }) },
                  attributeValue: value,
                },
              ],
            })
          )['setVariableResult'] as readonly { readonly attributeStatus: string }[]
        )[0]?.attributeStatus;
    if (accepted !== 'Accepted') throw new Error(`${key} = ${value} was ${String(accepted)}`);
    this.#promises.set(key, { kept: value, maybe: new Set() });
  }

  async sendLocalList(entries: number): Promise<void> {
    const version = ++this.#listVersion;
    const promise = this.#promises.get('list') ?? { kept: '0', maybe: new Set() };
    this.#promises.set('list', promise);
    promise.maybe.add(String(version));
    const tokens = Array.from({ length: entries }, (_, index) => `LISTED-${index}`);
    const { status } = await this.csms.ask('SendLocalList', {
      updateType: 'Full',
      ...(this.is16
        ? {
            listVersion: version,
            localAuthorizationList: tokens.map((idTag) => ({ idTag, idTagInfo: { status: 'Accepted' } })),
          }
        : {
            versionNumber: version,
            localAuthorizationList: tokens.map((idToken) => ({
              idToken: { idToken, type: 'ISO14443' },
              idTokenInfo: { status: 'Accepted' },
            })),
          }),
    });
    if (status === 'Accepted') this.#promises.set('list', { kept: String(version), maybe: new Set() });
  }

  /** What was accepted and is not there any more. */
  async brokenPromises(): Promise<string[]> {
    const broken: string[] = [];
    for (const [name, { kept, maybe }] of this.#promises) {
      const found = await this.#read(name);
      if (found !== kept && !maybe.has(found))
        broken.push(`${this.#is.name}: ${name} is ${found}, accepted was ${kept} (perhaps ${[...maybe].join(' ')})`);
    }
    return broken;
  }

  async #read(name: string): Promise<string> {
    if (name === 'list') {
      const { listVersion, versionNumber } = await this.csms.ask('GetLocalListVersion');
      return String(listVersion ?? versionNumber);
    }
    if (this.is16) {
      const { configurationKey } = await this.csms.ask('GetConfiguration', { key: [name] });
      return (configurationKey as readonly { readonly value: string }[])[0]?.value ?? '';
    }
    const [component, variable, instance] = KEYS[name as keyof typeof KEYS];
    const { getVariableResult } = await this.csms.ask('GetVariables', {
      getVariableData: [
        { component: { name: component }, variable: { name: variable, ...(instance && { instance }) } },
      ],
    });
    return (getVariableResult as readonly { readonly attributeValue: string }[])[0]?.attributeValue ?? '';
  }

  async remoteStart(evse: number, token: string, remoteStartId: number): Promise<void> {
    if (this.is16) await this.csms.ask('RemoteStartTransaction', { connectorId: evse, idTag: token });
    else
      await this.csms.ask('RequestStartTransaction', {
        evseId: evse,
        remoteStartId,
        idToken: { idToken: token, type: 'ISO14443' },
      });
  }

  async remoteStop(token: string): Promise<void> {
    const id = this.ledger.of(token)[0]?.id;
    if (id === undefined) return;
    if (this.is16) await this.csms.ask('RemoteStopTransaction', { transactionId: Number(id) });
    else await this.csms.ask('RequestStopTransaction', { transactionId: id });
  }

  async dropSocket(): Promise<void> {
    this.#lapse('drops its connection');
    await this.csms.dropSocket();
  }

  async #take(action: string, payload: Payload): Promise<Reaction> {
    const { random, point, name } = this.#is;
    const mood = this.calm ? 1 : random.next();
    point(`${name} hears ${action}`);
    if (mood < 0.008) return this.#lapse(`does not take ${action}`, drop);
    if (mood < 0.016 && OF_TRANSACTIONS.has(action))
      return this.#lapse(`refuses ${action}`, callError('InternalError', 'not now'));
    this.ledger.take(action, payload);
    const usual = this.#usual(action, payload);
    if (mood < 0.026) return this.#lapse(`loses its answer to ${action}`, drop);
    if (mood < 0.028 && this.#silences < SILENCES && !this.calm) {
      this.#silences++;
      return this.#lapse(`never answers ${action}`, silence);
    }
    if (mood < 0.06) await pause(random.between(10, 200));
    setImmediate(() => point(`${name} answers ${action}`));
    return usual;
  }

  #usual(action: string, payload: Payload): Reaction {
    if (action !== 'StartTransaction') return this.csms.usual(action, payload);
    return answer({ transactionId: this.#issued.issue(payload), idTagInfo: { status: 'Accepted' } });
  }

  #lapse(why: string, reaction: Reaction = drop): Reaction {
    this.lapses.push({ at: Date.now(), why: `${this.#is.name} ${why}` });
    return reaction;
  }
}

/** Component, variable and instance of each 1.6 key that is used. */
const KEYS: Readonly<
  Record<
    | 'RetryBackOffWaitMinimum'
    | 'RetryBackOffRandomRange'
    | 'RetryBackOffRepeatTimes'
    | 'MessageTimeout'
    | 'TransactionMessageAttempts'
    | 'TransactionMessageRetryInterval'
    | 'MeterValueSampleInterval'
    | 'CpoName',
    readonly [component: string, variable: string, instance?: string]
  >
> = {
  RetryBackOffWaitMinimum: ['OCPPCommCtrlr', 'RetryBackOffWaitMinimum'],
  RetryBackOffRandomRange: ['OCPPCommCtrlr', 'RetryBackOffRandomRange'],
  RetryBackOffRepeatTimes: ['OCPPCommCtrlr', 'RetryBackOffRepeatTimes'],
  MessageTimeout: ['OCPPCommCtrlr', 'MessageTimeout', 'Default'],
  TransactionMessageAttempts: ['OCPPCommCtrlr', 'MessageAttempts', 'TransactionEvent'],
  TransactionMessageRetryInterval: ['OCPPCommCtrlr', 'MessageAttemptInterval', 'TransactionEvent'],
  MeterValueSampleInterval: ['SampledDataCtrlr', 'TxUpdatedInterval'],
  CpoName: ['SecurityCtrlr', 'OrganizationName'],
};
