// The section `control` of the saved state: what operators want of nodes, drains under way and over, freezes.
import type { Clock } from '../../core/clock.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { Operation } from '../../protocol/operations.ts';
import type { StateSection } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import type { Drains } from './drains.ts';
import type { Drain } from './drain.ts';
import type { Freezes } from './freezes.ts';
import { pastOperation, type Operations } from './operations.ts';
import { readSavedControl } from './read-control.ts';

/** A drain as it is saved: the operation, and what its sentence does not say. */
export interface SavedDrain {
  readonly operation: Operation;
  readonly ratePerSecond: number | 'auto';
  readonly startedWallMs: number;
  /** Epoch milliseconds at which each node must be empty. */
  readonly deadlines: Readonly<Record<string, number>>;
}

/** What an operator, or the node itself, wants of a node. */
export interface SavedWish {
  readonly pool: string;
  readonly node: string;
  readonly adminState: AdminState;
  /** The agent's epoch under which the node asked for it itself; absent for an operator's wish. */
  readonly selfDrainEpoch?: string;
}

/** The whole section. */
export interface SavedControl {
  readonly wishes: readonly SavedWish[];
  readonly drains: readonly SavedDrain[];
  readonly over: readonly Operation[];
  readonly freezes: Readonly<
    Record<string, { readonly by: string; readonly why: string; readonly sinceWallMs: number }>
  >;
}

/** What the section saves and restores. */
export interface ControlSectionDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly operations: Operations;
  readonly drains: Drains;
  readonly freezes: Freezes;
}

/** Saves and restores what is wanted and under way. Nodes must have been restored before. */
export function createControlSection(deps: ControlSectionDeps): StateSection {
  const { registry, clock, operations, drains, freezes } = deps;
  let ticks = 0;
  return {
    name: 'control',
    revision() {
      // A running drain changes all the time; what is written is a few hundred bytes.
      if (drains.running.size > 0) ticks += 1;
      return operations.revision + freezes.revision + registry.wishes.revision + ticks;
    },
    save: () => saveControl(deps),
    restore(saved) {
      const read = readSavedControl(saved);
      if (read === undefined) return undefined;
      for (const wish of read.wishes) registry.wishes.restore(wish);
      for (const [pool, freeze] of Object.entries(read.freezes)) freezes.restore(pool, freeze);
      for (const operation of [...read.over].toReversed()) operations.add(pastOperation(operation));
      for (const drain of read.drains)
        restoreDrain(drains, drain, { nowMs: clock.nowMs(), wallMs: clock.wallMs() });
      return read.wishes.length + read.drains.length + Object.keys(read.freezes).length;
    },
  };
}

function saveControl({ registry, clock, operations, drains, freezes }: ControlSectionDeps): SavedControl {
  const toWall = clock.wallMs() - clock.nowMs();
  const running = new Set([...drains.running].map(({ id }) => id));
  return {
    wishes: registry.wishes.all(),
    drains: [...drains.running].map((drain) => savedDrain(drain, toWall)),
    over: operations.list().filter(({ id, state }) => state !== 'running' && !running.has(id)),
    freezes: Object.fromEntries(freezes.entries),
  };
}

function savedDrain(drain: Drain, toWall: number): SavedDrain {
  const deadlines = [...drain.nodes].map(([id, { deadlineAtMs }]) => [id, Math.round(deadlineAtMs + toWall)]);
  return {
    // What others have done is theirs to say again.
    operation: { ...drain.view(), progress: drain.ownProgress },
    ratePerSecond: drain.ratePerSecond,
    startedWallMs: drain.startedWallMs,
    // Pairs of an id and a number.
    deadlines: Object.fromEntries(deadlines) as Record<string, number>,
  };
}

function restoreDrain(
  drains: Drains,
  { operation, ratePerSecond, startedWallMs, deadlines }: SavedDrain,
  { nowMs, wallMs }: { nowMs: number; wallMs: number },
): void {
  const { id, owner, pool, by, why, progress } = operation;
  const drain = drains.make({
    id,
    owner,
    pool,
    by,
    why,
    ratePerSecond,
    restored: { startedWallMs, progress },
  });
  for (const [node, deadlineWallMs] of Object.entries(deadlines))
    drain.include(node, nowMs + (deadlineWallMs - wallMs));
  drains.restore(drain);
}
