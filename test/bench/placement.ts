// What placing costs: place() whole, a fresh assessment, counting a message, and looking through all connections.
import { pathToFileURL } from 'node:url';
import { ConnectionTable } from '../../src/balancer/state/connection-table.ts';
import { NodeCounters } from '../../src/core/node-counters.ts';
import { anIdentity } from '../support/a-node.ts';
import { aPolicy } from '../support/a-policy.ts';
import { aRoom, type Room } from '../support/a-room.ts';
import { middle, type Row } from './row.ts';

interface PlacementRow extends Row {
  readonly nodes: number;
}

const fleetSizes = [10, 100, 1000, 10_000];
const sweptConnections = 200_000;
// A balancer is warm.
const warmUpMs = 20_000;
const measuredMs = 20_000;
// The middle one of this many runs counts.
const runs = 5;

/** Runs every benchmark of placement, a few seconds in all. */
export async function benchPlacement(): Promise<PlacementRow[]> {
  const rows: PlacementRow[] = [];
  for (const nodes of fleetSizes) {
    const room = aFleet(nodes);
    rows.push({ name: 'place + release', nodes, value: placeNs(room), unit: 'ns' });
    rows.push({ name: 'shares afresh', nodes, value: sharesPercent(room, nodes), unit: '% of a core' });
    room.registry.stop();
  }
  rows.push({ name: 'ConnectionTable.count', nodes: 1, value: countNs(), unit: 'ns' });
  rows.push({ name: 'sweep of 200,000 connections', nodes: 100, value: sweepMs(), unit: 'ms' });
  return rows;
}

/** A fleet with a few connections each, messages relayed, and enough reports that costs are learned. */
function aFleet(size: number): Room {
  const ids = Array.from({ length: size }, (_, index) => `n${index}`);
  // On a clock that stands still no token comes back: enough of them for the whole run.
  const room = aRoom({
    policy: aPolicy({ place: { connectRatePerSecond: 1_000_000 } }),
    nodes: ids.map((id) => anIdentity(id)),
  });
  const leases = Array.from({ length: size * 3 }, () => room.place());
  for (const lease of leases) lease?.opened();
  for (let second = 0; second < 3; second += 1) {
    for (const [index, lease] of leases.entries()) lease?.toNode(1 + ((index + second) % 7), 100);
    room.clock.advance(1000);
    for (const [index, id] of ids.entries()) reportOf(room, id, index + second);
  }
  return room;
}

function reportOf(room: Room, id: string, turn: number): void {
  const cpu = 0.2 + (turn % 10) * 0.03;
  room.report({ id, connections: 3, signals: { cpu, eventLoopLag: 2, throughput: 10 + (turn % 5) } });
}

function placeNs(room: Room): number {
  const times = 20_000;
  return repeatedly(() => {
    for (let i = 0; i < times; i += 1) room.place()?.release();
  }, times * 1e-6);
}

/** What a balancer spends on shares where each node reports once a second and somebody is placed every five milliseconds. */
function sharesPercent(room: Room, nodes: number): number {
  const pool = room.registry.pool('chat');
  const turnMs = 5;
  let turn = 0;
  let spentMs = 0;
  for (let nowMs = 0; nowMs < warmUpMs + measuredMs; nowMs += turnMs) {
    for (const until = ((nowMs + turnMs) * nodes) / 1000; turn < until; turn += 1)
      reportOf(room, `n${turn % nodes}`, turn);
    room.clock.advance(turnMs);
    pool.markDirty();
    // Of the processor: what else runs on the machine does not count.
    const before = process.cpuUsage();
    pool.assessment(room.clock.nowMs());
    const { user, system } = process.cpuUsage(before);
    if (nowMs >= warmUpMs) spentMs += (user + system) / 1000;
  }
  return (100 * spentMs) / measuredMs;
}

function countNs(): number {
  const { table, slots } = aTable(1, 1000);
  const times = 1_000_000;
  return repeatedly(() => {
    for (let i = 0; i < times; i += 1) table.count(slots[i % slots.length] ?? 0, 1);
  }, times * 1e-6);
}

function sweepMs(): number {
  const { table, slots, owners } = aTable(100, sweptConnections);
  let nowMs = 0;
  return repeatedly(() => {
    for (const slot of slots) table.count(slot, 1);
    nowMs += 500;
    const startMs = performance.now();
    table.sweep(nowMs, owners);
    return performance.now() - startMs;
  }, 1);
}

function aTable(nodes: number, connections: number) {
  const table = new ConnectionTable();
  const owners = Array.from({ length: nodes }, () => new NodeCounters());
  const slots = Array.from({ length: connections }, (_, index) =>
    table.open(owners[index % nodes] ?? new NodeCounters(), 0),
  );
  return { table, slots, owners };
}

/** Median time of one run ÷ `per`, after one run to warm up; a run may return its own time in ms. */
function repeatedly(run: () => number | void, per: number): number {
  run();
  const samples = Array.from({ length: runs }, () => {
    const startMs = performance.now();
    const ownMs = run();
    return ownMs ?? performance.now() - startMs;
  });
  return middle(samples) / per;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, nodes, value, unit } of await benchPlacement()) {
    process.stdout.write(
      `${name.padEnd(30)} ${String(nodes).padStart(6)} nodes ${value.toPrecision(3).padStart(10)} ${unit}\n`,
    );
  }
}
