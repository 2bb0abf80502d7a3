// The section `registrations` of the saved state: nodes that registered by report, so that a restarted balancer has
// somewhere to place before the first report. They come back as nodes without data.
import type { NodeIdentity } from '../../core/snapshot.ts';
import type { StateSection } from './ports.ts';
import type { Registry } from './registry.ts';

interface SavedNode extends Omit<NodeIdentity, 'capacity' | 'maxConnections'> {
  readonly capacity: number | null;
}

/** Saves and restores registered nodes. `mayRegister`: whether this configuration still lets one in at this address. */
export function createRegistrationsSection(
  registry: Registry,
  mayRegister: (host: string, port: number) => boolean,
): StateSection {
  return {
    name: 'registrations',
    revision: () => registry.membersRevision,
    save: () =>
      Object.fromEntries([...registry.pools.keys()].map((pool) => [pool, savedNodes(registry, pool)])),
    restore(saved) {
      if (!isRow(saved)) return undefined;
      let count = 0;
      for (const [pool, nodes] of Object.entries(saved)) {
        for (const each of Array.isArray(nodes) ? nodes : []) {
          const identity = readNode(each);
          if (identity === undefined || !mayRegister(identity.host, identity.port)) continue;
          if (registry.restoreNode(pool, identity)) count += 1;
        }
      }
      return count;
    },
  };
}

function savedNodes(registry: Registry, pool: string): SavedNode[] {
  return [...registry.pool(pool).nodes.values()].flatMap(({ origin, hasLeft, identity }) => {
    if (origin !== 'registered' || hasLeft) return [];
    const { id, host, port, capacity, zone, version } = identity;
    return [{ id, host, port, capacity: capacity ?? null, zone, version }];
  });
}

const idPattern = /^[A-Za-z0-9._:-]{1,64}$/;

function readNode(value: unknown): NodeIdentity | undefined {
  if (!isRow(value)) return undefined;
  const { id, host, port, capacity, zone, version } = value;
  if (typeof id !== 'string' || !idPattern.test(id) || typeof host !== 'string' || host === '')
    return undefined;
  if (typeof port !== 'number' || !(port >= 1 && port <= 65_535)) return undefined;
  if (typeof zone !== 'string' || typeof version !== 'string') return undefined;
  const size = typeof capacity === 'number' && capacity > 0 ? capacity : undefined;
  return { id, host, port, capacity: size, zone, version, maxConnections: Infinity };
}

function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
