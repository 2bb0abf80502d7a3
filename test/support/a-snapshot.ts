// Snapshots of a pool, and what the data planes in front of it see.
import type { NodeView, PoolSnapshot, Visibility } from '../../src/core/snapshot.ts';

/** What a relay sees, and what a placement API sees: nothing. */
export const relaySees: Visibility = { countsMessages: true, countsConnections: true };
export const nothingSeen: Visibility = { countsMessages: false, countsConnections: false };
/** What an HAProxy tells: connections, not messages. */
export const connectionsSeen: Visibility = { countsMessages: false, countsConnections: true };

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
