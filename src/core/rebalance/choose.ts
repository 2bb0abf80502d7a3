// Which connections of one node bring it down to a level with the fewest disconnections.
import type { Rng } from '../rng.ts';

/** Which of a node's connections go first. */
export type Choice = 'heaviest' | 'newest' | 'oldest' | 'random';

/** Connections of one node that may be moved, in columns. */
export interface MovableConnections {
  readonly size: number;
  readonly id: ArrayLike<number>;
  /** Part of the node's utilization that each causes, 0 or more. */
  readonly utilization: ArrayLike<number>;
  readonly ageMs: ArrayLike<number>;
}

/** How much is to be chosen. */
export interface ChooseLimits {
  /** Utilization to take off the node; no choice exceeds it, since that would move the hot spot instead of cooling it. */
  readonly relief: number;
  /** The heaviest single connection that has a place elsewhere. */
  readonly heaviest: number;
  /** Connections at most. */
  readonly most: number;
  readonly choose: Choice;
}

/** Rows chosen, and the utilization that they make up. */
export interface Chosen {
  readonly rows: readonly number[];
  readonly utilization: number;
}

/** Chooses in the order asked for, leaving out what does not fit any more. Nothing when nothing fits. */
export function chooseConnections(list: MovableConnections, limits: ChooseLimits, rng: Rng): Chosen {
  const rows: number[] = [];
  let utilization = 0;
  for (const row of inOrder(list, limits.choose, rng)) {
    if (rows.length >= limits.most) break;
    const each = list.utilization[row] ?? 0;
    // A connection that causes no load is disturbed for nothing.
    if (each <= 0 || each > limits.heaviest || utilization + each > limits.relief) continue;
    rows.push(row);
    utilization += each;
  }
  return { rows, utilization };
}

function inOrder(list: MovableConnections, choose: Choice, rng: Rng): number[] {
  const rows = Array.from({ length: list.size }, (_, row) => row);
  if (choose === 'random') return shuffled(rows, rng);
  const key = choose === 'heaviest' ? list.utilization : list.ageMs;
  const sign = choose === 'newest' ? 1 : -1;
  return rows.toSorted((a, b) => sign * ((key[a] ?? 0) - (key[b] ?? 0)));
}

/** Fisher and Yates, 1938. */
function shuffled(rows: number[], rng: Rng): number[] {
  for (let last = rows.length - 1; last > 0; last -= 1) {
    const other = Math.floor(rng.next() * (last + 1));
    [rows[last], rows[other]] = [rows[other] ?? 0, rows[last] ?? 0];
  }
  return rows;
}
