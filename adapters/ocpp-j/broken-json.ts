// Text that is almost JSON, as some chargers send it, made into JSON: values left out, commas too many, NULs at the end.

/**
 * Puts null where a member has no value (`"transactionId":,`, AEFA), drops commas before a closing bracket and drops NULs
 * outside strings. Linear in the length of the text; whether the outcome is JSON is for the parser to say.
 */
export function mendJson(text: string): string {
  let mended = '';
  let copied = 0;
  let quoted = false;
  let before = 0; // the last character outside strings that was not white space
  let beforeAt = -1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (quoted) {
      if (char === 0x5c) i++;
      else if (char === 0x22) quoted = false;
      continue;
    }
    if (char === 0x20 || char === 0x09 || char === 0x0a || char === 0x0d) continue;
    if (char === 0x00) {
      mended += text.slice(copied, i);
      copied = i + 1;
      continue;
    }
    if (before === 0x3a && (char === 0x2c || char === 0x7d)) {
      mended += `${text.slice(copied, i)}null`;
      copied = i;
    } else if (before === 0x2c && (char === 0x7d || char === 0x5d) && beforeAt >= copied) {
      mended += text.slice(copied, beforeAt);
      copied = beforeAt + 1;
    }
    if (char === 0x22) quoted = true;
    before = char;
    beforeAt = i;
  }
  return mended + text.slice(copied);
}
