// Cards that a charger shows in its registers: told once each time that one is held to the reader.
import type { IdToken } from '../../gateway/site/tokens.js';
import type { Reader } from '../modbus/charger-behaviour.js';
import type { RegisterValues } from '../modbus/device.js';
import type { RegisterValue } from '../modbus/register-value.js';

/** OCPP 2.0.1 IdTokenType: longer ones are none. */
const LONGEST = 36;

export class CardReader {
  /** What was seen last; undefined before the first poll, whose card may have been there for days. */
  private seen: string | undefined;

  constructor(private readonly reader: Reader | undefined) {}

  /** The card that was held to the reader since the last poll. */
  presented(values: RegisterValues): IdToken | undefined {
    if (this.reader === undefined) return undefined;
    const { token, counter, length } = this.reader;
    const bytes = length === undefined ? undefined : values.get(length);
    const text = cardText(values.get(token), typeof bytes === 'number' ? bytes : undefined);
    const now = `${String(counter === undefined ? '' : values.get(counter))} ${text}`;
    const { seen } = this;
    this.seen = now;
    if (seen === undefined || seen === now || text === '' || text.length > LONGEST) return undefined;
    return { idToken: text, type: 'ISO14443' };
  }
}

/** Numbers as readers print them: hexadecimal, four bytes at least. Zeros only are no card. */
function cardText(value: RegisterValue | undefined, bytes = LONGEST): string {
  const whole = typeof value === 'number' ? value.toString(16).toUpperCase().padStart(8, '0') : (value ?? '');
  const text = whole.slice(0, bytes * 2);
  // What is not a character of a card's number is noise in the register.
  return /^0*$/.test(text) || !/^[\x21-\x7e]+$/.test(text) ? '' : text;
}
