// What placing costs: whole placements by each picker and by affinity, and keeping shares up to date.
import { pathToFileURL } from 'node:url';
import type { PlaceRequest } from '../../src/balancer/state/ports.ts';
import { hashText } from '../../src/core/pick/rendezvous.ts';
import { pickerNames, type PickerName } from '../../src/core/pick/picker-name.ts';
import type { AffinityRule, HashRule } from '../../src/policy/policy.ts';
import { anIdentity } from '../support/a-node.ts';
import { aPolicy, cookies } from '../support/a-policy.ts';
import { aRoom, type Room } from '../support/a-room.ts';
import { middle } from './row.ts';

/** What is measured. */
export interface PlacementScale {
  /** Nodes of a pool. */
  readonly fleetSizes: readonly number[];
  /** Beside the default one. */
  readonly pickers: readonly PickerName[];
}

/** What one thing costs, for each fleet size. */
interface PlacementRow {
  readonly name: string;
  readonly unit: 'µs' | '% of a core';
  readonly values: readonly number[];
}

/** Everything; half a minute. */
export const wholeScale: PlacementScale = {
  fleetSizes: [10, 100, 1000, 10_000],
  pickers: pickerNames.filter((name) => name !== 'waterfill'),
};
// A balancer is warm.
const warmUpMs = 20_000;
const measuredMs = 20_000;
// The middle one of this many runs counts.
const runs = 5;
const runMs = 30;
const timesAtOnce = 50;

/** Measures one after the other. */
export function benchPlacement({ fleetSizes, pickers }: PlacementScale): PlacementRow[] {
  const placing = (name: string, policy: FleetPolicy, requests: (nodes: number) => readonly PlaceRequest[]) =>
    ({
      name,
      unit: 'µs',
      values: fleetSizes.map((nodes) => placeUs(aFleet(nodes, policy), requests(nodes))),
    }) as const;
  return [
    placing('waterfill', {}, () => [newcomer]),
    placing('waterfill, who returns by cookie', {}, returning),
    placing('by hash, keys asked for lately', { affinity: byHash }, () => keyed(1000)),
    placing('by hash, other keys', { affinity: byHash }, () => keyed(200_000)),
    ...pickers.map((picker) => placing(picker, { picker }, () => [newcomer])),
    {
      name: 'shares afresh',
      unit: '% of a core',
      values: fleetSizes.map((nodes) => sharesPercent(aFleet(nodes, {}), nodes)),
    },
  ];
}

interface FleetPolicy {
  readonly affinity?: AffinityRule;
  readonly picker?: PickerName;
}

const newcomer: PlaceRequest = { pool: 'chat', affinityNode: '', excluded: new Set() };
const byHash: HashRule = {
  kind: 'query',
  name: 'sid',
  segment: 0,
  yieldAt: 1.1,
  bound: 1.25,
};

/** Clients of every node. */
function returning(nodes: number): PlaceRequest[] {
  return Array.from({ length: 1000 }, (_, turn) => ({
    ...newcomer,
    affinityNode: `n${(turn * 7919) % nodes}`,
  }));
}

/** Clients with a key each. Of many thousand, each is forgotten before its turn comes again. */
function keyed(clients: number): PlaceRequest[] {
  return Array.from({ length: clients }, (_, turn) => ({
    ...newcomer,
    affinityKey: hashText(`key ${turn}`),
  }));
}

/** A fleet with a few connections each, messages relayed, and enough reports that costs are learned. */
function aFleet(size: number, { affinity = cookies, picker = 'waterfill' }: FleetPolicy): Room {
  const ids = Array.from({ length: size }, (_, index) => `n${index}`);
  // On a clock that stands still no token comes back: enough of them for the whole run.
  const room = aRoom({
    policy: { ...aPolicy({ place: { picker, connectRatePerSecond: 1_000_000 } }), affinity },
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

/** A placement and its release. */
function placeUs({ placement, registry }: Room, requests: readonly PlaceRequest[]): number {
  let turn = 0;
  const place = () => {
    const result = placement.place(requests[turn % requests.length] ?? newcomer);
    turn += 1;
    if (!result.placed) throw new Error(result.refusal.message);
    result.lease.release();
  };
  run(place);
  const samples = Array.from({ length: runs }, () => run(place));
  registry.stop();
  return middle(samples);
}

/** Microseconds for one. */
function run(work: () => void): number {
  const startMs = performance.now();
  let times = 0;
  let spentMs = 0;
  while (spentMs < runMs) {
    for (let i = 0; i < timesAtOnce; i += 1) work();
    times += timesAtOnce;
    spentMs = performance.now() - startMs;
  }
  return (1000 * spentMs) / times;
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
  room.registry.stop();
  return (100 * spentMs) / measuredMs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(`nodes: ${wholeScale.fleetSizes.join(', ')}`);
  for (const { name, unit, values } of benchPlacement(wholeScale))
    console.log(`${name}: ${values.map((value) => value.toFixed(2)).join(', ')} ${unit}`);
}
