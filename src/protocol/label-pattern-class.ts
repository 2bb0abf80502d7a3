// The single characters of a label pattern: escapes and `[...]`. How they are put together is in label-pattern.ts.

/** True for the code points that one place of a pattern stands for. */
export type TestCode = (code: number) => boolean;

interface Cursor {
  readonly text: string;
  at: number;
}

const isDigit: TestCode = (code) => code >= 0x30 && code <= 0x39;
const isWord: TestCode = (code) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isSpace: TestCode = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b);

const named: ReadonlyMap<string, TestCode> = new Map([
  ['d', isDigit],
  ['D', (code) => !isDigit(code)],
  ['w', isWord],
  ['W', (code) => !isWord(code)],
  ['s', isSpace],
  ['S', (code) => !isSpace(code)],
  ['n', (code) => code === 0x0a],
  ['t', (code) => code === 0x09],
]);

/** Reads what follows a backslash; a text is what is wrong. */
export function readEscape(cursor: Cursor): TestCode | string {
  const character = cursor.text[cursor.at] ?? '';
  cursor.at += 1;
  const test = named.get(character);
  if (test !== undefined) return test;
  if (!/^[!-/:-@[-`{-~]$/.test(character)) return `an escape \\${/^[ -~]$/.test(character) ? character : ''}`;
  const code = character.codePointAt(0);
  return (each) => each === code;
}

/** Reads what follows an opening bracket, the closing one included; a text is what is wrong. */
export function readClass(cursor: Cursor): TestCode | string {
  const isInverted = cursor.text[cursor.at] === '^';
  if (isInverted) cursor.at += 1;
  const tests: TestCode[] = [];
  while (cursor.text[cursor.at] !== ']') {
    if (cursor.at >= cursor.text.length) return 'a [ that is not closed';
    const test = readMember(cursor);
    if (typeof test === 'string') return test;
    tests.push(test);
  }
  if (tests.length === 0) return 'brackets with nothing between';
  cursor.at += 1;
  return (code) => tests.some((test) => test(code)) !== isInverted;
}

function readMember(cursor: Cursor): TestCode | string {
  if (cursor.text.startsWith('[:', cursor.at)) return 'a class such as [[:alpha:]]';
  const first = readOne(cursor);
  if (typeof first !== 'number') return first;
  const isRange = cursor.text[cursor.at] === '-' && cursor.text[cursor.at + 1] !== ']';
  if (!isRange) return (code) => code === first;
  cursor.at += 1;
  if (cursor.at >= cursor.text.length) return 'a [ that is not closed';
  const last = readOne(cursor);
  if (typeof last !== 'number' || last < first) return 'a range that ends before it begins';
  return (code) => code >= first && code <= last;
}

/** One character as its code point, or what an escape stands for. */
function readOne(cursor: Cursor): number | TestCode | string {
  const character = String.fromCodePoint(cursor.text.codePointAt(cursor.at) ?? 0);
  cursor.at += character.length;
  if (character !== '\\') return character.codePointAt(0) ?? 0;
  const escaped = cursor.text[cursor.at] ?? '';
  const test = readEscape(cursor);
  return typeof test === 'string' || named.has(escaped) ? test : (escaped.codePointAt(0) ?? 0);
}
