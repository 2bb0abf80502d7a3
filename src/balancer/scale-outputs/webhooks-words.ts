// What others have said, made fit for logs, events and terminals.

const maxCharacters = 300;

/** One line without controls or invisible characters, cut after 300 characters. '' for nothing. */
export function plainLine(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]+/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters)}…` : line;
}
