// What is typed, as names of keys. Over ssh an arrow may come in several pieces.

/** A key that `herald top` knows. */
export type Key =
  | 'quit'
  | 'sort'
  | 'reverse'
  | 'pool'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end';

const keyOf: Readonly<Record<string, Key>> = {
  q: 'quit',
  Q: 'quit',
  // In raw mode Ctrl-C is a byte and no signal.
  '\u0003': 'quit',
  s: 'sort',
  r: 'reverse',
  p: 'pool',
  '\t': 'pool',
  k: 'up',
  j: 'down',
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
  '\u001b[5~': 'pageUp',
  '\u001b[6~': 'pageDown',
  '\u001b[H': 'home',
  '\u001b[F': 'end',
  '\u001b[1~': 'home',
  '\u001b[4~': 'end',
  ' ': 'pageDown',
  '\u001b[C': 'pool',
};

const longestRest = 16;

/** Reads keys out of chunks in any cuts; what is unknown is passed over. */
export function createKeyReader(): (chunk: string) => Key[] {
  let rest = '';
  return (chunk) => {
    const keys: Key[] = [];
    rest += chunk;
    while (rest !== '') {
      const [token] = /^(?:\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Za-z]|[^\u001b])/u.exec(rest) ?? [];
      if (token === undefined) {
        // An escape that may go on; anything else behind an escape is a key that nobody asked for.
        if (rest.length <= longestRest && /^\u001b(?:\[[0-9;]*|O)?$/.test(rest)) return keys;
        rest = rest.slice(1);
        continue;
      }
      rest = rest.slice(token.length);
      const key = keyOf[token];
      if (key !== undefined) keys.push(key);
    }
    return keys;
  };
}
