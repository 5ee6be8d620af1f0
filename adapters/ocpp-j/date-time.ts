// The times that OCPP messages carry: RFC 3339 with a zone, in the one form that every JavaScript engine reads alike.

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Whether the text is `YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)`. Leap seconds, `+03` and a blank for the T are not,
 * although RFC 3339 or ISO 8601 know them, because Date.parse does not. Looks at characters: it runs for every meter value.
 */
export function isDateTime(text: string): boolean {
  const { length } = text;
  if (length < 20 || text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':') {
    return false;
  }
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= (daysIn[month - 1] ?? 0))) return false;
  if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))) return false;
  if (!(digits(text, 11) <= 23 && digits(text, 14) <= 59 && digits(text, 17) <= 59)) return false;
  let at = 19;
  if (text[at] === '.') {
    do at++;
    while (isDigit(text.charCodeAt(at)));
    if (at === 20) return false;
  }
  if (text[at] === 'Z') return at + 1 === length;
  return (
    (text[at] === '+' || text[at] === '-') &&
    at + 6 === length &&
    text[at + 3] === ':' &&
    digits(text, at + 1) <= 23 &&
    digits(text, at + 4) <= 59
  );
}

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39;

/** The number of two digits, NaN for anything else. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : Number.NaN;
}

const looseTime =
  /^\s*(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?\s*(?:([Zz])|([+-]\d\d):?(\d\d)?)?\s*$/;

/** RFC 3339 from a time without zone (taken as UTC), with `+03` or `+0300`, a comma, a blank or without seconds. */
export function mendTime(text: string): string | undefined {
  const parts = looseTime.exec(text);
  if (parts === null) return undefined;
  const [, date = '', minutes = '', seconds = ':00', fraction, , hours, rest = '00'] = parts;
  const mended = `${date}T${minutes}${seconds}${fraction === undefined ? '' : `.${fraction}`}${
    hours === undefined ? 'Z' : `${hours}:${rest}`
  }`;
  return mended === text || Number.isNaN(Date.parse(mended)) ? undefined : mended;
}
