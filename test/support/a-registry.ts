// A registry with one pool, `chat`, on a clock that the test moves.
import type { ReportSource } from '../../src/balancer/state/claim.ts';
import { Registry } from '../../src/balancer/state/registry.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { NodeIdentity } from '../../src/core/snapshot.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { Report } from '../../src/protocol/report.ts';
import { aPolicy } from './a-policy.ts';
import { ManualClock } from './manual-clock.ts';

export function aRegistry(policy: Policy = aPolicy()): { registry: Registry; clock: ManualClock } {
  const clock = new ManualClock();
  const registry = new Registry({
    clock,
    rng: pcg32(1),
    visibility: { countsMessages: true, countsConnections: true },
    notify: () => undefined,
  });
  registry.addPool('chat', policy);
  // Past the time in which every node counts as one that was there before.
  clock.advance(10_000);
  return { registry, clock };
}

/** A port of its own for each id of a test: one address is one node. */
export function portOf(id: string): number {
  return 8081 + ([...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1000, 0) - 97);
}

/** Where the reports of a node come from. */
export function sourceOf(id: string): ReportSource {
  return { identity: '127.0.0.1', host: '127.0.0.1', port: portOf(id) };
}

/** A node of the configuration. */
export function aNode(id: string, change: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    id,
    host: '127.0.0.1',
    port: portOf(id),
    capacity: undefined,
    zone: '',
    version: '',
    maxConnections: Infinity,
    ...change,
  };
}

/** A decoded report of node `a` with `cpu` at 0.4, half of its saturation. */
export function aReport(id: string, change: Partial<Report> = {}): Report {
  return {
    pool: 'chat',
    node: { id, port: portOf(id) },
    epoch: 'e1',
    seq: 1,
    ageMs: 0,
    intervalMs: 1000,
    connections: 0,
    signals: { cpu: 0.4 },
    leaving: false,
    ...change,
  };
}
