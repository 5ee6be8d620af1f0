// Reads a contact of the grid operator's box every second: an input of a Modbus I/O module, or a file in which Linux shows an input line.
import { readFile } from 'node:fs/promises';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { ContactDriver, ContactHost } from '../../gateway/ports/contact.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { Contact, ContactInput } from '../../gateway/site/topology.js';
import type { IoPolicy } from '../modbus/device-profile.js';
import { describeFault, type ModbusFault, type ModbusLink } from '../modbus/link.js';

const POLL = seconds(1);
const FUNCTIONS = { coil: 1, 'discrete-input': 2, 'holding-register': 3, 'input-register': 4 } as const;
/** As any device may be read unless its profile says otherwise. */
const IO: IoPolicy = {};

type ModbusInput = Extract<ContactInput, { kind: 'modbus' }>;

/** True: closed, or 1; the error says why it cannot be told. */
type ReadLine = () => Promise<Result<boolean, string>>;

/** Reads a Modbus input over its link, which others may share. */
export const readModbus = (input: ModbusInput, link: ModbusLink): ReadLine => {
  const { unit, table, address, bit } = input;
  const described = <T>(outcome: Result<T, ModbusFault>): Result<T, string> =>
    outcome.ok ? outcome : failed(describeFault(outcome.error));
  if (table === 'coil' || table === 'discrete-input')
    return async () => described(await link.readBit(unit, FUNCTIONS[table], address, IO));
  return async () => {
    const words = described(await link.read(unit, FUNCTIONS[table], address, 1, IO));
    if (!words.ok) return words;
    const value = words.value.readUInt16BE(0);
    return ok(bit === undefined ? value !== 0 : ((value >> bit) & 1) === 1);
  };
};

/** Reads a file with 0 or 1, such as `/sys/class/gpio/gpio17/value`. */
export const readLineFile =
  (path: string): ReadLine =>
  async () => {
    let text: string;
    try {
      text = await readFile(path, { encoding: 'utf8', flag: 'r' });
    } catch (err) {
      return failed(err instanceof Error ? err.message : String(err));
    }
    const value = text.trim();
    return value === '0' || value === '1' ? ok(value === '1') : failed('it holds neither 0 nor 1');
  };

/** Reads at once and then every second, until stopped. */
export function openContact(
  contact: Contact,
  read: ReadLine,
  host: ContactHost,
  context: AdapterContext,
): ContactDriver {
  const { clock, log } = context;
  let trouble: string | undefined;
  let stopped = false;
  let reading: Promise<void> | undefined;

  /** Once per change, not once per second. */
  const note = (now: string | undefined): void => {
    if (now === trouble || stopped) return;
    trouble = now;
    if (now === undefined) log.info({ contact: contact.number }, 'contact is read');
    else log.warn({ contact: contact.number, fault: FAULTS.contactUnread.code, reason: now }, 'contact cannot be read');
  };
  const look = async (): Promise<void> => {
    const outcome = await read();
    note(outcome.ok ? undefined : outcome.error);
    if (outcome.ok && !stopped) host.read(contact, outcome.value);
  };
  const poll = (): void => {
    reading ??= look().finally(() => (reading = undefined));
  };
  const cancel = clock.every(POLL, poll);
  poll();
  return {
    async stop() {
      stopped = true;
      cancel();
      await reading;
    },
  };
}
