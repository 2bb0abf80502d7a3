// What balancers of one fleet say to each other about a pool: reports that one took in, and what it carries itself.
// Values and text; who says it when is balancer/state/peers.
import { decodeReport } from './decode-report.ts';
import { idPattern, isRecord } from './field-checks.ts';
import { encodeReport, type Report } from './report.ts';

/** Another version of a word is passed over, not guessed at. */
export const peerWordVersion = 1;

// A word takes at most 64 KiB, and a character at most three bytes of JSON in UTF-8.
const maxWordCharacters = 20_000;

/** A report and who sent it, as the intake that took it in knows them. Its `ageMs` is its age when the word is said. */
export interface PeerReport {
  readonly report: Report;
  /** Token name or source address of the reporter, 1 to 256 characters. */
  readonly identity: string;
  /** Where the node takes clients. */
  readonly host: string;
  readonly port: number;
}

/** What one balancer has on one node: absolute numbers, so that a lost word heals with the next one. */
export interface PeerNodeCounts {
  readonly id: string;
  /** 0 or more, whole. */
  readonly open: number;
  readonly dialling: number;
  /** To be expected of them, 0 or more. */
  readonly messagesPerSecond: number;
  /** Since its process began. */
  readonly openedTotal: number;
}

/** What one balancer does in a pool. A word may hold some of the nodes only. */
export interface PeerCountsWord {
  readonly kind: 'counts';
  /** Another one for each life of the process that says it; its totals begin at 0. */
  readonly epoch: string;
  /** Placements of this balancer in the pool, per second, lately. */
  readonly arrivalsPerSecond: number;
  readonly nodes: readonly PeerNodeCounts[];
  /**
   * When it was said, by a clock that only its sender can read: whoever answers gives it back, and the sender knows how
   * old the view is that the answer stands on. Absent in words of older versions.
   */
  readonly stamp?: number;
}

/** One word, read. */
export type PeerWord = PeerCountsWord | { readonly kind: 'reports'; readonly reports: readonly PeerReport[] };

/** What could not be read, and why. `version`: it is of a newer or older Herald. */
export interface UnreadWord {
  readonly kind: 'unread';
  readonly reason: 'version' | 'malformed';
}

const channelPrefix = 'pool:';

/** The channel on which words about this pool are said. */
export function channelOf(pool: string): string {
  return channelPrefix + pool;
}

/** The pool that a channel is about; undefined for a channel of something else. */
export function poolOfChannel(channel: string): string | undefined {
  return channel.startsWith(channelPrefix) ? channel.slice(channelPrefix.length) : undefined;
}

/** Texts of these reports, as few as their size allows; none for none. A report that fills no word is left out. */
export function encodeReports(reports: readonly PeerReport[]): readonly string[] {
  const rows = reports.map(({ report, identity, host, port }) =>
    JSON.stringify([encodeReport(report), identity, host, port]),
  );
  return gather(rows).map((part) => `{"v":${peerWordVersion},"r":[${part.join(',')}]}`);
}

/** Texts of these counts; one at least, since that nobody is there is news, too. */
export function encodeCounts({ epoch, arrivalsPerSecond, nodes, stamp }: PeerCountsWord): readonly string[] {
  const rows = nodes.map(({ id, open, dialling, messagesPerSecond, openedTotal }) =>
    JSON.stringify([id, open, dialling, rounded(messagesPerSecond), openedTotal]),
  );
  const stamped = stamp === undefined ? '' : `,"s":${stamp}`;
  const head = `{"v":${peerWordVersion},"e":${JSON.stringify(epoch)},"a":${rounded(arrivalsPerSecond)}${stamped}`;
  const parts = rows.length === 0 ? [[]] : gather(rows);
  return parts.map((part) => `${head},"n":[${part.join(',')}]}`);
}

/** Reads a word. One bad row spoils the whole word: who sends one is broken or no Herald. Never throws. */
export function decodePeerWord(text: string): PeerWord | UnreadWord {
  const malformed = { kind: 'unread', reason: 'malformed' } as const;
  const word = parsed(text);
  if (!isRecord(word)) return malformed;
  if (word['v'] !== peerWordVersion)
    return typeof word['v'] === 'number' ? { kind: 'unread', reason: 'version' } : malformed;
  if (Array.isArray(word['r'])) {
    const reports = all(word['r'], readReportRow);
    return reports === undefined ? malformed : { kind: 'reports', reports };
  }
  return readCounts(word) ?? malformed;
}

function readCounts(word: Readonly<Record<string, unknown>>): PeerCountsWord | undefined {
  const { e: epoch, a: arrivalsPerSecond, n: rows, s: stamp } = word;
  if (typeof epoch !== 'string' || !idPattern.test(epoch)) return undefined;
  if (!isAmount(arrivalsPerSecond) || !Array.isArray(rows)) return undefined;
  const nodes = all(rows, readCountsRow);
  return nodes && { kind: 'counts', epoch, arrivalsPerSecond, nodes, ...(isAmount(stamp) && { stamp }) };
}

function readCountsRow(row: unknown): PeerNodeCounts | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, open, dialling, messagesPerSecond, openedTotal]: readonly unknown[] = row;
  if (typeof id !== 'string' || !idPattern.test(id)) return undefined;
  if (!isCount(open) || !isCount(dialling) || !isCount(openedTotal)) return undefined;
  return isAmount(messagesPerSecond) ? { id, open, dialling, messagesPerSecond, openedTotal } : undefined;
}

function readReportRow(row: unknown): PeerReport | undefined {
  if (!Array.isArray(row)) return undefined;
  const [body, identity, host, port]: readonly unknown[] = row;
  if (typeof identity !== 'string' || identity === '' || identity.length > 256) return undefined;
  if (typeof host !== 'string' || host === '' || host.length > 253) return undefined;
  if (!isCount(port) || port < 1 || port > 65_535) return undefined;
  try {
    return { report: decodeReport(body), identity, host, port };
  } catch {
    return undefined;
  }
}

/** Every row read; undefined when one cannot be. */
function all<Row>(
  rows: readonly unknown[],
  read: (row: unknown) => Row | undefined,
): readonly Row[] | undefined {
  const found: Row[] = [];
  for (const row of rows) {
    const value = read(row);
    if (value === undefined) return undefined;
    found.push(value);
  }
  return found;
}

/** Rows in as few words as their size allows; one that alone is too large is left out. */
function gather(rows: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let room = 0;
  for (const row of rows) {
    if (row.length > maxWordCharacters) continue;
    if (row.length > room) {
      parts.push([]);
      room = maxWordCharacters;
    }
    parts.at(-1)?.push(row);
    room -= row.length + 1;
  }
  return parts;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && isAmount(value);
}

/** Three digits after the point say more than the estimate knows. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
