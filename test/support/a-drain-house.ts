// Control over a registry with real leases and tables, whose carriers do as the test says; time is the test's.
import { RunningControl } from '../../src/balancer/control/control.ts';
import type {
  Carrier,
  ConnectionKind,
  Goodbye,
  GoodbyeOutcome,
  Lease,
} from '../../src/balancer/state/ports.ts';
import { createRelayDataPlane } from '../../src/balancer/state/relay-data-plane.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { EventRecord } from '../../src/protocol/operations.ts';
import { aPlainPolicy, type PolicyParts } from './a-policy.ts';
import { aRoom, type Room } from './a-room.ts';

/** How clients take a goodbye: leave a moment later, or stay until they are ended. */
export type Manners = 'polite' | 'deaf';

/** One open connection of the house. */
export interface Guest {
  readonly node: string;
  readonly kind: ConnectionKind;
  /** What it was told, once at most. */
  goodbye: Goodbye | undefined;
  /** It ends by itself. */
  end(): void;
}

/** Told, and what was open and ineligible then. */
export interface Told {
  readonly node: string;
  readonly atMs: number;
  readonly adminState: string;
  readonly goodbye: Goodbye;
}

/** Pool `chat` with static nodes, a polite public, and control over it. */
export interface DrainHouse extends Room {
  readonly control: RunningControl;
  readonly guests: Set<Guest>;
  readonly told: Told[];
  readonly events: Omit<EventRecord, 'id' | 'at'>[];
  /** Opens so many connections on one node, which must be eligible. */
  connect(node: string, count: number, kind?: ConnectionKind): void;
  openOn(node: string): number;
  manners: Manners;
}

/** A house that runs; nodes report a utilization of a thousandth for each connection once `reportAll` was called. */
export function aDrainHouse(
  options: { nodes?: readonly string[]; policy?: PolicyParts; seed?: number; room?: Room } = {},
): DrainHouse {
  const { nodes = ['a', 'b', 'c'], policy = {}, seed = 1 } = options;
  const open = {
    place: { maxShare: 1, slowStartMs: 0, connectRatePerSecond: 1000 },
    reports: { blackoutMs: 0 },
  };
  const room = options.room ?? aRoom({ policy: aPlainPolicy({ ...open, ...policy }), nodes, seed });
  const { registry, clock } = room;
  const events: DrainHouse['events'] = [];
  const control = new RunningControl({
    registry,
    clock,
    rng: pcg32(seed),
    dataPlane: createRelayDataPlane({ pools: registry.pools, clock }),
    tell: (event) => void events.push(event),
  });
  control.start();
  const house: DrainHouse = {
    ...room,
    control,
    events,
    guests: new Set<Guest>(),
    told: [],
    manners: 'polite',
    openOn: (node) => [...house.guests].filter((guest) => guest.node === node).length,
    connect(node, count, kind = 'websocket') {
      for (let i = 0; i < count; i++) {
        const lease = room.place({ affinityNode: node });
        if (lease?.node.id !== node) throw new Error(`'${node}' is not eligible`);
        lease.opened();
        seat(house, lease, kind);
      }
    },
  };
  return house;
}

function seat(house: DrainHouse, lease: Lease, kind: ConnectionKind): void {
  const guest: Guest = {
    node: lease.node.id,
    kind,
    goodbye: undefined,
    end() {
      house.guests.delete(guest);
      lease.release();
    },
  };
  const carrier: Carrier = {
    nodeId: lease.node.id,
    kind,
    leave: (goodbye, settled) => takeLeave(house, guest, { goodbye, settled }),
  };
  lease.carriedBy(carrier);
  house.guests.add(guest);
}

function takeLeave(
  house: DrainHouse,
  guest: Guest,
  { goodbye, settled }: { goodbye: Goodbye; settled: (outcome: GoodbyeOutcome) => void },
): void {
  const { clock, registry } = house;
  if (guest.goodbye !== undefined) return settled('alreadyLeaving');
  guest.goodbye = goodbye;
  const adminState = registry.pools.get('chat')?.nodes.get(guest.node)?.adminState ?? 'gone';
  house.told.push({ node: guest.node, atMs: clock.nowMs(), adminState, goodbye });
  const leftMs = Math.max(0, goodbye.byMs - clock.nowMs());
  const isPolite = house.manners === 'polite' && leftMs > 0;
  clock.schedule(isPolite ? Math.min(20, leftMs) : leftMs, () => {
    const isThere = house.guests.has(guest);
    guest.end();
    if (!isThere) return settled('alreadyGone');
    settled(isPolite ? 'closed' : leftMs > 0 ? 'refusedByPeer' : 'cut');
  });
}

/** Has every node report what it holds: a thousandth for each connection. */
export function reportAll(house: DrainHouse, perConnection = 0.001): void {
  for (const node of house.registry.pool('chat').nodes.values()) {
    const { open } = node.counters;
    const { id } = node.identity;
    house.report({ id, connections: open, signals: { cpu: open * perConnection }, port: node.identity.port });
  }
}

/** Lets time pass with a report of every node each second. */
export function live(house: DrainHouse, seconds: number, perConnection?: number): void {
  for (let i = 0; i < seconds; i++) {
    reportAll(house, perConnection);
    house.clock.advance(1000);
  }
}
