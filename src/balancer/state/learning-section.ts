// The section `learning` of the saved state: what each node has taught, by pool and id. Loads are not in it: reports
// bring those.
import type { Clock } from '../../core/clock.ts';
import {
  learningOf,
  readLearning,
  savedFields,
  saveLearning,
  type Restored,
  type SavedLearning,
} from '../../core/restored.ts';
import type { PoolState } from './pool-state.ts';
import type { StateSection } from './ports.ts';
import type { Registry } from './registry.ts';

interface SavedNode {
  readonly ageMs: number;
  readonly learning: SavedLearning;
}

// Pairs are forgotten within minutes, so what is older than this weighs nothing; it only fills the file.
const oldestMs = 15 * 60_000;

/** Saves and restores what a registry's nodes have taught. */
export function createLearningSection(registry: Registry, clock: Clock): StateSection {
  return {
    name: 'learning',
    revision: () => registry.reportsTotal,
    save() {
      const nowMs = clock.nowMs();
      const pools = [...registry.pools.values()].map((pool) => [
        pool.name,
        savedNodes(registry, pool, nowMs),
      ]);
      return { fields: savedFields, pools: Object.fromEntries(pools) };
    },
    restore(saved, ageMs) {
      const pools = poolsIn(saved);
      if (pools === undefined) return undefined;
      const nowMs = clock.nowMs();
      let count = 0;
      for (const [pool, nodes] of Object.entries(pools)) {
        for (const [id, node] of Object.entries(isRecord(nodes) ? nodes : {})) {
          const restored = readNode(node, { ageMs, nowMs });
          if (restored !== undefined && give(registry, { pool, id, restored })) count += 1;
        }
      }
      return count;
    },
  };
}

function savedNodes(registry: Registry, pool: PoolState, nowMs: number): Record<string, SavedNode> {
  const known = [...pool.nodes].map(([id, node]) => [id, learningOf(node)] as const);
  // Those that wait are saved again: two restarts in a row lose no more than one.
  const all = [...known, ...registry.waiting.of(pool.name)];
  return Object.fromEntries(
    all.flatMap(([id, restored]) => {
      if (restored === undefined) return [];
      const ageMs = Math.max(0, Math.round(nowMs - restored.sampledAtMs));
      const learning = saveLearning(restored.learning);
      return learning === undefined || ageMs > oldestMs ? [] : [[id, { ageMs, learning }]];
    }),
  );
}

/** To the node, now or when it comes; false where its pool is no more, or where it has reported and knows better. */
function give(
  { pools, waiting }: Registry,
  { pool, id, restored }: { pool: string; id: string; restored: Restored },
): boolean {
  const state = pools.get(pool);
  const node = state?.nodes.get(id);
  if (state === undefined || node?.load !== undefined) return false;
  if (node === undefined) waiting.put(pool, id, restored);
  else node.restored = restored;
  state.markDirty();
  return true;
}

function poolsIn(saved: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(saved)) return undefined;
  const { fields, pools } = saved;
  if (!Array.isArray(fields) || fields.join() !== savedFields.join()) return undefined;
  return isRecord(pools) ? pools : undefined;
}

function readNode(node: unknown, { ageMs, nowMs }: { ageMs: number; nowMs: number }): Restored | undefined {
  if (!isRecord(node)) return undefined;
  const own = node['ageMs'];
  const learning = readLearning(node['learning']);
  if (learning === undefined || typeof own !== 'number' || !(own >= 0)) return undefined;
  return own + ageMs > oldestMs ? undefined : { learning, sampledAtMs: nowMs - own - ageMs };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
