// What an open connection costs where the relay keeps its rates: memory, counting, the sweep, a planner's list.
// Alone: `npx tsx test/bench/connections.ts`.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConnectionTable } from '../../src/balancer/state/connection-table.ts';
import type { Carrier } from '../../src/balancer/state/ports.ts';
import { createRelayDataPlane } from '../../src/balancer/state/relay-data-plane.ts';
import { NodeCounters } from '../../src/core/node-counters.ts';
import { anOpenRoom } from '../support/a-room.ts';

/** One line of the result. */
export interface ConnectionRow {
  readonly name: string;
  readonly value: number;
  readonly unit: 'B' | 'ns' | 'ms';
}

const connections = 100_000;
// 1,024 × 1.5^12, rounded up at each step, and one more: the table has just grown to 199,292 slots.
const justGrown = 132_862;
const counts = 20_000_000;
const carrier: Carrier = { nodeId: 'a', kind: 'websocket', leave: () => {} };

/** Takes a few seconds. */
export function benchConnections(): ConnectionRow[] {
  // Kept to the end: a table that is collected while the next one grows would be taken off its size.
  const kept: ConnectionTable[] = [];
  return [...[connections, justGrown].map((count) => memory(count, kept)), ...speed()];
}

function collect(): number {
  setFlagsFromString('--expose-gc');
  // The flag is read when a context is made.
  const gc = runInNewContext('gc') as () => void;
  // Buffers are given back beside the program, at the latest when the next collection begins.
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Of the table alone, after it has grown to this size; leases, relays and wires are not new. */
function memory(count: number, kept: ConnectionTable[]): ConnectionRow {
  const owner = new NodeCounters();
  const before = collect();
  const table = new ConnectionTable();
  kept.push(table);
  for (let i = 0; i < count; i++) table.carry(table.open(owner, 0), carrier);
  const value = (collect() - before) / count;
  if (table.size !== count) throw new Error('the table has lost connections');
  return { name: `memory of a connection, ${count} of them`, value, unit: 'B' };
}

function speed(): ConnectionRow[] {
  // No report shows all of these connections: none is held back for it.
  const room = anOpenRoom({ admit: { fillTo: Infinity } });
  room.report({ id: 'a' });
  const leases = Array.from({ length: connections }, () => {
    const lease = room.place();
    if (lease === undefined) throw new Error('nothing placed');
    lease.opened();
    lease.carriedBy(carrier);
    return lease;
  });
  const [lease] = leases;
  const counting = timed(() => {
    for (let i = 0; i < counts; i++) lease?.toNode(1, 64);
  });
  const table = room.registry.pool('chat').table;
  const { counters } = room.registry.node('a').node;
  let nowMs = 1_000_000;
  const sweeping = timed(() => {
    for (let i = 0; i < 20; i++) table.sweep((nowMs += 500), [counters]);
  });
  const plane = createRelayDataPlane({ pools: room.registry.pools, clock: room.clock });
  const listing = timed(() => {
    for (let i = 0; i < 5; i++) plane.connections('chat', 'a');
  });
  return [
    { name: 'counting one read on its lease', value: (counting * 1e6) / counts, unit: 'ns' },
    { name: `sweep of ${connections} connections`, value: sweeping / 20, unit: 'ms' },
    { name: `list of ${connections} connections with their load`, value: listing / 5, unit: 'ms' },
  ];
}

/** Milliseconds of CPU: what else runs on the machine does not count. */
function timed(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (process.argv[1] === import.meta.filename)
  for (const { name, value, unit } of benchConnections()) console.log(`${name}: ${value.toFixed(1)} ${unit}`);
