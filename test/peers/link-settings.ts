// Settings of the link and of sampling that a cloud may make, in the words of either version.
import type { RpcCsms } from './rpc-csms.js';

interface Setting {
  /** In 1.6. */
  readonly key: string;
  readonly component: string;
  readonly variable: string;
  readonly instance?: string;
}

const COMM = 'OCPPCommCtrlr';
const SETTINGS = {
  attempts: {
    key: 'TransactionMessageAttempts',
    component: COMM,
    variable: 'MessageAttempts',
    instance: 'TransactionEvent',
  },
  attemptInterval: {
    key: 'TransactionMessageRetryInterval',
    component: COMM,
    variable: 'MessageAttemptInterval',
    instance: 'TransactionEvent',
  },
  messageTimeout: { key: 'MessageTimeout', component: COMM, variable: 'MessageTimeout', instance: 'Default' },
  backOffMinimum: {
    key: 'RetryBackOffWaitMinimum',
    component: COMM,
    variable: 'RetryBackOffWaitMinimum',
  },
  backOffRandom: { key: 'RetryBackOffRandomRange', component: COMM, variable: 'RetryBackOffRandomRange' },
  backOffRepeats: { key: 'RetryBackOffRepeatTimes', component: COMM, variable: 'RetryBackOffRepeatTimes' },
  sampleInterval: { key: 'MeterValueSampleInterval', component: 'SampledDataCtrlr', variable: 'TxUpdatedInterval' },
  sampled: { key: 'MeterValuesSampledData', component: 'SampledDataCtrlr', variable: 'TxUpdatedMeasurands' },
  stopOnEvDisconnect: {
    key: 'StopTransactionOnEVSideDisconnect',
    component: 'TxCtrlr',
    variable: 'StopTxOnEVSideDisconnect',
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** @throws Error when the gateway does not accept it */
export async function setAt(csms: RpcCsms, name: keyof typeof SETTINGS, value: string): Promise<void> {
  const { key, component, variable, instance }: Setting = SETTINGS[name];
  const said =
    csms.version === 'ocpp1.6'
      ? await csms.ask('ChangeConfiguration', { key, value })
      : await csms.ask('SetVariables', {
          setVariableData: [
            {
              component: { name: component },
              variable: { name: variable, ...(instance !== undefined && { instance }) },
              attributeValue: value,
            },
          ],
        });
  if (!JSON.stringify(said).includes('"Accepted"')) throw new Error(`${name}: ${JSON.stringify(said)}`);
}

/** A line that is lost is dialled again after a second, and what is refused is repeated at once. */
export async function hurry(csms: RpcCsms): Promise<void> {
  await setAt(csms, 'backOffMinimum', '1');
  await setAt(csms, 'backOffRandom', '0');
  await setAt(csms, 'backOffRepeats', '0');
  await setAt(csms, 'attemptInterval', '0');
  await setAt(csms, 'attempts', '3');
  await setAt(csms, 'messageTimeout', '5');
}
