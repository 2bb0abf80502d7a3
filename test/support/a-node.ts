// Nodes: what the configuration says of one, what reports amounted to, and what placement sees.
import type { NodeLoad } from '../../src/core/load.ts';
import { noMoments } from '../../src/core/moments.ts';
import { NodeCounters } from '../../src/core/node-counters.ts';
import type { NodeIdentity, NodeView } from '../../src/core/snapshot.ts';

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
    ...anIdentity('a'),
    adminState: 'ready',
    health: 'up',
    healthReason: '',
    isShedding: false,
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
