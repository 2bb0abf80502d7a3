// A registry with pool `chat` and its placement, on a clock that the test moves.
import { createPlacement, type RunningPlacement } from '../../src/balancer/state/placement.ts';
import type { Lease } from '../../src/balancer/state/ports.ts';
import { Registry } from '../../src/balancer/state/registry.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { NodeIdentity, Visibility } from '../../src/core/snapshot.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { anIdentity } from './a-node.ts';
import { anOpenPolicy, aPlainPolicy, type PolicyParts } from './a-policy.ts';
import { aReport, type ReportParts } from './a-report.ts';
import { relaySees } from './a-snapshot.ts';
import { ManualClock } from './manual-clock.ts';

/** A notice as the log would get it. */
export interface Notice {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A registry with pool `chat`, its placement, and what a test asks of them. */
export interface Room {
  readonly clock: ManualClock;
  readonly registry: Registry;
  readonly placement: RunningPlacement;
  readonly notices: Notice[];
  /** Adds one more pool with static nodes of these ids. */
  addPool(name: string, ...ids: readonly string[]): void;
  /** Reports for a node by reporter `agent`, the next `seq` unless given; new ids get a port of their own from 9000. */
  report(parts?: ReportParts & { host?: string; port?: number; identity?: string }): void;
  /** Places one connection; undefined when refused. */
  place(wish?: { excluded?: readonly string[]; affinityNode?: string }): Lease | undefined;
}

/** A running registry on a manual clock, with static nodes by id. */
export function aRoom(
  options: {
    policy?: Policy;
    nodes?: readonly (string | NodeIdentity)[];
    visibility?: Visibility;
    seed?: number;
    /** How long it has run; nodes of its first five seconds count as there before. */
    ageMs?: number;
    /** Another's clock; left out, its own. */
    clock?: ManualClock;
  } = {},
): Room {
  const { clock = new ManualClock() } = options;
  const notices: Notice[] = [];
  const notify = (event: string, facts: Readonly<Record<string, unknown>>) =>
    void notices.push({ event, facts });
  const rng = pcg32(options.seed ?? 1);
  const registry = new Registry({ clock, rng, visibility: options.visibility ?? relaySees, notify });
  const nodes = (options.nodes ?? []).map((node) => (typeof node === 'string' ? anIdentity(node) : node));
  const chat = { name: 'chat', policy: options.policy ?? aPlainPolicy(), nodes };
  registry.configure([chat]);
  const placement = createPlacement({ pools: registry.pools, clock, notify });
  clock.advance(options.ageMs ?? 0);
  let seq = 0;
  return {
    clock,
    registry,
    placement,
    notices,
    addPool(name, ...ids) {
      const pool = { name, policy: aPlainPolicy(), nodes: ids.map((id) => anIdentity(id)) };
      registry.configure([chat, pool]);
    },
    report({ host = '127.0.0.1', port, identity = 'agent', ...parts } = {}) {
      seq += 1;
      const report = aReport({ seq, ...parts });
      registry.applyReport(report, { identity, host, port: port ?? portOf(registry, report.node.id) });
    },
    place({ excluded = [], affinityNode = '' } = {}) {
      const result = placement.place({ pool: 'chat', affinityNode, excluded: new Set(excluded) });
      return result.placed ? result.lease : undefined;
    },
  };
}

/** A room in which nothing is in the way of a placement, old enough that nodes join it anew. */
export function anOpenRoom(parts: PolicyParts = {}): Room {
  return aRoom({ policy: anOpenPolicy(parts), ageMs: 10_000 });
}

/** Where the node is known to be; for a new id a port that no other has. */
function portOf(registry: Registry, id: string): number {
  for (const { nodes } of registry.pools.values()) {
    const node = nodes.get(id);
    if (node !== undefined) return node.identity.port;
  }
  const known = [...registry.pools.values()].flatMap(({ nodes }) => [...nodes.values()]);
  let port = 9000;
  while (known.some(({ identity }) => identity.port === port)) port += 1;
  return port;
}
