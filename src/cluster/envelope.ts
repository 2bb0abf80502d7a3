// The text of one message of words: a head of JSON on the first line, the words behind it one after another.
// Not JSON as a whole: words are mostly JSON themselves, and quoting them again costs a sixth more bytes.

/** Words of one peer that travel together. */
export interface Envelope {
  readonly from: string;
  readonly epoch: string;
  /** Grows by one with each message of this epoch. */
  readonly seq: number;
  /** What the peer says of itself; undefined: as before. */
  readonly about: string | undefined;
  /** The last message of this epoch. */
  readonly isFarewell: boolean;
  readonly words: readonly Word[];
}

/** One text to all. */
export interface Word {
  readonly channel: string;
  readonly text: string;
}

/** The message of an envelope. */
export function encodeEnvelope({ from, epoch, seq, about, isFarewell, words }: Envelope): string {
  const parts = words.map(({ channel, text }) => [channel, text.length]);
  const head = JSON.stringify({
    from,
    epoch,
    seq,
    ...(about === undefined ? {} : { about }),
    ...(isFarewell ? { farewell: true } : {}),
    words: parts,
  });
  return `${head}\n${words.map(({ text }) => text).join('')}`;
}

/** The envelope of a message; undefined for what no peer of this version has sent. */
export function decodeEnvelope(message: string): Envelope | undefined {
  const end = message.indexOf('\n');
  const head = end === -1 ? undefined : parseHead(message.slice(0, end));
  if (head === undefined) return undefined;
  const words: Word[] = [];
  let at = end + 1;
  for (const [channel, length] of head.parts) {
    words.push({ channel, text: message.slice(at, at + length) });
    at += length;
  }
  if (at !== message.length) return undefined;
  const { parts: _parts, ...rest } = head;
  return { ...rest, words };
}

type Part = readonly [channel: string, length: number];

function parseHead(text: string): (Omit<Envelope, 'words'> & { parts: readonly Part[] }) | undefined {
  const head = parseObject(text);
  if (head === undefined) return undefined;
  const { from, epoch, seq, about, farewell, words } = head;
  if (typeof from !== 'string' || typeof epoch !== 'string' || typeof seq !== 'number') return undefined;
  if (!Array.isArray(words) || !words.every(isPart)) return undefined;
  if (about !== undefined && typeof about !== 'string') return undefined;
  return { from, epoch, seq, about, isFarewell: farewell === true, parts: words };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // An object or an array: either can be asked for members.
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isPart(value: unknown): value is Part {
  return (
    Array.isArray(value) &&
    typeof value[0] === 'string' &&
    Number.isInteger(value[1]) &&
    Number(value[1]) >= 0
  );
}
