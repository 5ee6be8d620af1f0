// Shortens text to what a field of OCPP holds.

/** At most `length` code points: cutting a surrogate pair would make the frame invalid UTF-8. */
export const truncate = (text: string, length: number): string =>
  text.length <= length ? text : Array.from(text).slice(0, length).join('');
