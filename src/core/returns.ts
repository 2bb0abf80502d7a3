// Clients that were asked to leave a pool and are not back yet. No client says that it has been here before, so it is
// told from how many come. One estimate for each pool: two would both take the same arrivals for theirs.
import {
  boundUsual,
  startAnew,
  learnUsual,
  nothingUsual,
  usualPerSecond,
  type UsualRate,
} from './usual-rate.ts';

/** Clients that were asked to leave a node at one instant and are not back yet. */
export interface Out {
  /** Who has shed them; to this one they are credited. */
  readonly owner: string;
  readonly atMs: number;
  /** The node that they left. */
  readonly nodeId: string;
  /** Above 0. */
  readonly count: number;
  /** What each of them causes, in average connections. */
  readonly work: number;
}

/** What is on its way in a pool, and what is known of its arrivals. */
export interface Returns {
  /** Oldest first. */
  readonly out: readonly Out[];
  readonly usual: UsualRate;
  /** Arrivals above the usual that nobody has been matched with; below 0 after a quiet moment. */
  readonly surplus: number;
  /** Arrivals seen so far; undefined before the first look. */
  readonly arrivedTotal: number | undefined;
  readonly atMs: number;
}

/** So many clients of one owner. */
export interface Credit {
  readonly owner: string;
  readonly count: number;
}

/** What a look has come to: who is taken to be back, and who has not come within a minute. */
export interface Admitted {
  readonly returns: Returns;
  readonly back: readonly Credit[];
  readonly lost: readonly Credit[];
}

export const noReturns: Returns = {
  out: [],
  usual: nothingUsual,
  surplus: 0,
  arrivedTotal: undefined,
  atMs: 0,
};

// A client that backs off for longer than this is no part of any plan (DESIGN: "or a minute has passed").
const lostAfterMs = 60_000;

/** Adds who has just been asked to leave. */
export function withOut(returns: Returns, out: readonly Out[]): Returns {
  if (out.length === 0) return returns;
  // What came before, perhaps a storm, is no part of what comes with somebody on the way.
  const usual = returns.out.length === 0 ? startAnew(returns.usual) : returns.usual;
  return { ...returns, usual, out: [...returns.out, ...out] };
}

/** How many clients these are. */
export function clientsIn(out: readonly Credit[]): number {
  return out.reduce((sum, { count }) => sum + count, 0);
}

/** Work on its way, in average connections. */
export function workIn(out: readonly Out[]): number {
  return out.reduce((sum, { count, work }) => sum + count * work, 0);
}

/**
 * Matches arrivals above the usual rate with who is on the way, oldest first. `arrivedTotal` may begin anew, as when a
 * node is removed: what it lacks is no arrival. A second look at the same instant changes nothing.
 */
export function admitArrivals(
  returns: Returns,
  { arrivedTotal, nowMs }: { readonly arrivedTotal: number; readonly nowMs: number },
): Admitted {
  const elapsedMs = nowMs - returns.atMs;
  const seen = returns.arrivedTotal;
  if (seen !== undefined && elapsedMs <= 0) return { returns, back: [], lost: [] };
  const next = { ...returns, arrivedTotal, atMs: nowMs };
  if (seen === undefined) return { returns: next, back: [], lost: [] };
  const arrived = Math.max(0, arrivedTotal - seen);
  if (returns.out.length === 0) {
    const usual = learnUsual(returns.usual, arrived, elapsedMs);
    return { returns: { ...next, usual }, back: [], lost: [] };
  }
  return matched(next, { arrived, elapsedMs, nowMs });
}

function matched(
  returns: Returns,
  { arrived, elapsedMs, nowMs }: { arrived: number; elapsedMs: number; nowMs: number },
): Admitted {
  const perSecond = usualPerSecond(returns.usual);
  // A quiet spell pays for one second only: else a long one would hide a whole drain. Without any debt, though, every
  // crowded moment of the usual arrivals would count as clients that are back.
  const surplus = Math.max(returns.surplus + arrived - (perSecond * elapsedMs) / 1000, -perSecond);
  // Rounded: what is usual takes its part off everybody who comes, and nobody comes by parts.
  const { left, back } = takeOldest(returns.out, Math.max(0, Math.round(surplus)));
  const isLost = ({ atMs }: Out) => nowMs - atMs > lostAfterMs;
  const out = left.filter((each) => !isLost(each));
  // Those that came with nobody on the way were newcomers.
  const rest = out.length === 0 ? 0 : surplus - clientsIn(back);
  const bound = boundUsual(returns.usual, arrived, elapsedMs, clientsIn(returns.out));
  const usual = out.length === 0 ? startAnew(bound) : bound;
  return { returns: { ...returns, usual, out, surplus: rest }, back, lost: left.filter(isLost) };
}

/** Takes so many off, whole and in part. */
function takeOldest(out: readonly Out[], most: number): { left: readonly Out[]; back: readonly Credit[] } {
  const left: Out[] = [];
  const back: Credit[] = [];
  let more = most;
  for (const each of out) {
    const count = Math.min(more, each.count);
    more -= count;
    if (count > 0) back.push({ owner: each.owner, count });
    if (count < each.count) left.push({ ...each, count: each.count - count });
  }
  return { left, back };
}
