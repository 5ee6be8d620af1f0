// The measured process of the Modbus benchmark: polls as fast as it is answered, over our links or with modbus-serial; prints JSON.
// Usage: modbus-master.js <forecourt|modbus-serial> <tcp|rtu> <seconds> <units> <port> [<port> ...]
import ModbusRTU from 'modbus-serial';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { silentLog } from '../../../gateway/kernel/log.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { percentile } from '../statistics.js';

/** Registers of one poll: a meter's currents, powers and energies as floats. */
const COUNT = 20;
/** Milliseconds that a device has for its answer. */
const PATIENCE = 500;
const HOST = '127.0.0.1';

export interface Measured {
  /** Polls that were answered, per second. */
  readonly rate: number;
  readonly values: number;
  readonly p50: number;
  readonly p99: number;
  /** Seconds of processor time for 10,000 answered polls. */
  readonly cpu: number;
  readonly failed: number;
}

/** One poll of a unit behind port `slave`; false where no answer came. */
type Poll = (slave: number, unit: number) => Promise<boolean>;

const [subject, kind, seconds, unitCount, ...ports] = process.argv.slice(2);
const units = Number(unitCount);
const isLine = kind === 'rtu';

function ours(): Poll {
  const context = { clock: systemClock, log: silentLog };
  const links = ports.map((port) =>
    openModbusLink({ kind: isLine ? 'rtu-over-tcp' : 'tcp', host: HOST, port: Number(port) }, context),
  );
  return async (slave, unit) => (await links[slave]?.read(unit, 3, 0, COUNT, { timeoutMs: PATIENCE }))?.ok === true;
}

/** Its class is the default export of a CommonJS module. */
const Client = ModbusRTU.default;

async function theirs(): Promise<Poll> {
  const clients = await Promise.all(
    ports.map(async (port) => {
      const client = new Client();
      if (isLine) await client.connectTelnet(HOST, { port: Number(port) });
      else await client.connectTCP(HOST, { port: Number(port) });
      client.setTimeout(PATIENCE);
      return client;
    }),
  );
  return async (slave, unit) => {
    const client = clients[slave];
    client?.setID(unit);
    try {
      return (await client?.readHoldingRegisters(0, COUNT))?.data.length === COUNT;
    } catch {
      // A poll that brought nothing is counted, whatever the reason.
      return false;
    }
  };
}

const poll = subject === 'forecourt' ? ours() : await theirs();
const latencies: number[] = [];
let failed = 0;

/** Units of one line in turn, one question at a time, as both subjects do it. */
async function drive(slave: number, until: number): Promise<void> {
  for (let turn = 0; performance.now() < until; turn++) {
    const begun = performance.now();
    if (await poll(slave, (turn % units) + 1)) latencies.push(performance.now() - begun);
    else {
      failed += 1;
      // What is refused at once must not keep the sockets from their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

await Promise.all(ports.map((_, slave) => drive(slave, performance.now() + 1000)));
latencies.length = 0;
failed = 0;
const cpuBefore = process.cpuUsage();
const begun = performance.now();
process.send?.('begun');
await Promise.all(ports.map((_, slave) => drive(slave, begun + Number(seconds) * 1000)));
const elapsed = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const measured: Measured = {
  rate: latencies.length / elapsed,
  values: (latencies.length * COUNT) / elapsed,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  cpu: ((user + system) / 1e6 / latencies.length) * 10_000,
  failed,
};
process.send?.(measured);
process.exit(0);
