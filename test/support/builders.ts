// Values for tests that hide what a test does not care about: a node, a report, a policy, a pool, a whole registry.
import { createPlacement } from '../../src/balancer/state/placement.ts';
import type { Lease, Placement } from '../../src/balancer/state/ports.ts';
import { Registry } from '../../src/balancer/state/registry.ts';
import type { NodeLoad } from '../../src/core/load.ts';
import { noMoments } from '../../src/core/moments.ts';
import { NodeCounters } from '../../src/core/node-counters.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { NodeIdentity, NodeView, PoolSnapshot, Visibility } from '../../src/core/snapshot.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { Report } from '../../src/protocol/report.ts';
import { ManualClock } from './manual-clock.ts';

/** What a relay sees, and what a placement API sees: nothing. */
export const relaySees: Visibility = { countsMessages: true, countsConnections: true };
export const nothingSeen: Visibility = { countsMessages: false, countsConnections: false };
/** What an HAProxy tells: connections, not messages. */
export const connectionsSeen: Visibility = { countsMessages: false, countsConnections: true };

type PolicyParts = {
  [Key in keyof Policy]?: Policy[Key] extends object ? Partial<Policy[Key]> : Policy[Key];
};

/** The default policy, changed in the keys of the sections given. */
export function aPolicy(parts: PolicyParts = {}): Policy {
  const merged: Record<string, unknown> = { ...defaultPolicy };
  for (const [key, part] of Object.entries(parts)) {
    const old = merged[key];
    const isSection = typeof part === 'object' && typeof old === 'object' && !Array.isArray(part);
    merged[key] = isSection ? { ...old, ...part } : part;
  }
  // Each section was merged with parts of its own type: PolicyParts allows no other.
  return merged as unknown as Policy;
}

const defaultPolicy: Policy = {
  name: 'chat',
  signals: [
    { name: 'cpu', kind: 'additive', saturation: 0.8 },
    { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
    { name: 'eventLoopUtilization', kind: 'additive', saturation: 0.85 },
    { name: 'throughput', kind: 'additive', saturation: 'auto' },
  ],
  score: { combine: 'max', weights: {}, smoothingMs: 1000 },
  reports: { intervalMs: 1000, blackoutMs: 5000, expiryMs: 10_000 },
  place: {
    picker: 'waterfill',
    horizonMs: 'auto',
    maxShare: 0.5,
    attempts: 3,
    slowStartMs: 60_000,
    connectRatePerSecond: 200,
  },
  affinity: { kind: 'cookie', name: 'herald', yieldAt: 1.1 },
  drain: { deadlineMs: 600_000, ratePerSecond: 'auto', closeCode: 1012 },
  rebalance: {
    mode: 'advise',
    floor: 0.5,
    band: 0.1,
    forMs: 60_000,
    ratePerSecond: 0.001,
    cooldownMs: 300_000,
    choose: 'heaviest',
  },
  scale: { min: 2, max: 50, target: 0.6, startTimeMs: 90_000, down: { afterMs: 300_000, step: 1 } },
  health: {
    check: { kind: 'http', path: '/healthz', intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 },
    passive: { errors: 5, windowMs: 10_000, ejectMs: 30_000, maxEjected: 0.5 },
  },
};

/** A policy whose only signal is `cpu`, full at 1: a report's `cpu` is then the utilization. */
export function aPlainPolicy(parts: PolicyParts = {}): Policy {
  return aPolicy({ signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }], ...parts });
}

/** What reports amounted to: fresh, long past its blackout, nothing learned. `utilization` also is the latest. */
export function aLoad(parts: Partial<NodeLoad> = {}): NodeLoad {
  const utilization = parts.utilization ?? 0.5;
  const distress = parts.distress ?? 0;
  return {
    epoch: 'e1',
    seq: 1,
    firstAtMs: -1_000_000,
    sampledAtMs: 0,
    intervalMs: 1000,
    signals: {},
    latest: { additive: utilization, bottleneck: 'cpu', distress },
    utilization,
    distress,
    reportedConnections: 0,
    countedAtSample: 0,
    smoothedConnections: 0,
    smoothedMessagesPerSecond: 0,
    byMessages: noMoments,
    byConnections: noMoments,
    byThroughput: noMoments,
    ...parts,
  };
}

interface NodeParts extends Partial<Omit<NodeView, 'counters'>> {
  readonly open?: number;
  readonly dialling?: number;
  readonly messagesPerSecond?: number;
}

/** A node that is up, ready, of size 1 or learned, and was there before the balancer; without load unless given. */
export function aNode({ open = 0, dialling = 0, messagesPerSecond = 0, ...parts }: NodeParts = {}): NodeView {
  const counters = Object.assign(new NodeCounters(), { open, dialling, messagesPerSecond });
  return {
    id: 'a',
    host: '127.0.0.1',
    port: 9000,
    capacity: undefined,
    zone: '',
    version: '',
    maxConnections: Infinity,
    adminState: 'ready',
    health: 'up',
    healthReason: '',
    joinedAtMs: -Infinity,
    load: undefined,
    counters,
    ...parts,
  };
}

/** A node whose reports say `utilization`, all of its connections included. */
export function aLoadedNode(utilization: number, parts: NodeParts = {}): NodeView {
  const open = parts.open ?? 0;
  const load = aLoad({
    utilization,
    reportedConnections: open,
    countedAtSample: open,
    smoothedConnections: open,
    smoothedMessagesPerSecond: parts.messagesPerSecond ?? 0,
  });
  return aNode({ load, ...parts });
}

/** A pool seen by a relay at instant 0, nobody arriving. */
export function aSnapshot(nodes: readonly NodeView[], parts: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    pool: 'chat',
    atMs: 0,
    nodes,
    visibility: relaySees,
    arrivalsPerSecond: 0,
    messagesPerSecondPerConnection: 0,
    ...parts,
  };
}

interface ReportParts extends Partial<Omit<Report, 'node'>> {
  readonly id?: string;
  readonly capacity?: number;
  readonly version?: string;
}

/** A report of node `a` of pool `chat`, taken this moment; `cpu` 0.5 unless other signals are given. */
export function aReport({ id = 'a', capacity, version, ...parts }: ReportParts = {}): Report {
  return {
    pool: 'chat',
    node: {
      id,
      ...(capacity === undefined ? {} : { capacity }),
      ...(version === undefined ? {} : { version }),
    },
    epoch: 'e1',
    seq: 1,
    ageMs: 0,
    intervalMs: 1000,
    connections: 0,
    signals: { cpu: 0.5 },
    leaving: false,
    ...parts,
  };
}

/** What the configuration says of a node. */
export function anIdentity(id: string, parts: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    id,
    host: '127.0.0.1',
    port: 9000,
    capacity: undefined,
    zone: '',
    version: '',
    maxConnections: Infinity,
    ...parts,
  };
}

/** A notice as the log would get it. */
export interface Notice {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A registry with pool `chat`, its placement, and what a test asks of them. */
export interface Room {
  readonly clock: ManualClock;
  readonly registry: Registry;
  readonly placement: Placement;
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
  } = {},
): Room {
  const clock = new ManualClock();
  const notices: Notice[] = [];
  const notify = (event: string, facts: Readonly<Record<string, unknown>>) =>
    void notices.push({ event, facts });
  const rng = pcg32(options.seed ?? 1);
  const registry = new Registry({ clock, rng, visibility: options.visibility ?? relaySees, notify });
  const nodes = (options.nodes ?? []).map((node) => (typeof node === 'string' ? anIdentity(node) : node));
  const chat = { name: 'chat', policy: options.policy ?? aPlainPolicy(), nodes };
  registry.configure([chat]);
  const placement = createPlacement({ pools: registry.pools, clock, notify });
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

/** Where the node is known to be; for a new id a port that no other has. */
function portOf(registry: Registry, id: string): number {
  const known = [...registry.pools.values()].flatMap(({ nodes }) => [...nodes.values()]);
  const node = known.find(({ identity }) => identity.id === id);
  if (node !== undefined) return node.identity.port;
  let port = 9000;
  while (known.some(({ identity }) => identity.port === port)) port += 1;
  return port;
}
