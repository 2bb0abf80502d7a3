// Numbers that come as text: in files, StatsD datagrams, Prometheus pages and quoted in JSON.

/** Longer than any number that is written in full; more digits are somebody's garbage. */
const maxCharacters = 64;
const pattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** A decimal number, `12`, `-0.5` or `1.2e3`; undefined for anything else: hex, blanks, units, NaN, infinities. */
export function readDecimal(text: string): number | undefined {
  if (text.length > maxCharacters || !pattern.test(text)) return undefined;
  const value = Number(text);
  // Adding 0 makes -0 an ordinary 0.
  return Number.isFinite(value) ? value + 0 : undefined;
}
