// A small closed loop for tests: nodes whose load is known, clients that come and go, a registry that places them.
import type { Lease } from '../../../../src/balancer/state/ports.ts';
import { pcg32, type Rng } from '../../../../src/core/rng.ts';
import type { Visibility } from '../../../../src/core/snapshot.ts';
import type { Policy } from '../../../../src/policy/policy.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';
import { relaySees } from '../../../support/a-snapshot.ts';

/** One client that is connected. */
interface Client {
  readonly lease: Lease;
  readonly node: string;
  readonly messagesPerSecond: number;
  readonly leavesAtMs: number;
  /** Part of the next message that has built up. */
  due: number;
}

/** What makes a fleet; all loads are true ones, which only reports and the relay tell the registry. */
export interface FleetOptions {
  readonly nodes: readonly string[];
  readonly seed: number;
  readonly policy?: Policy;
  readonly visibility?: Visibility;
  /** Arrivals per second. */
  readonly arrivals: number;
  /** Mean time that a client stays; Infinity for ever. */
  readonly holdMs?: number;
  /** Messages per second of a new client. */
  readonly rateOf?: (rng: Rng) => number;
  /** True utilization of a node, not clipped. */
  readonly loadOf: (
    id: string,
    carried: { connections: number; messagesPerSecond: number },
    rng: Rng,
  ) => number;
  /** What a node reports where that is not its load. */
  readonly claimOf?: (id: string, load: number) => number;
  /** Reports tell the messages per second as well. */
  readonly tellsThroughput?: boolean;
}

const stepMs = 100;

/** Runs clients, nodes and registry against each other, a tenth of a second at a time. */
export class Fleet {
  readonly room: Room;
  readonly #options: FleetOptions;
  readonly #rng: Rng;
  readonly #nodes: string[];
  readonly #restarts = new Map<string, number>();
  #clients: Client[] = [];
  #nowMs = 0;
  #owed = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#rng = pcg32(options.seed);
    this.#nodes = [...options.nodes];
    this.room = aRoom({
      policy: options.policy ?? aPlainPolicy(),
      nodes: options.nodes,
      visibility: options.visibility ?? relaySees,
      seed: options.seed,
    });
  }

  /** A node that reports from now on. */
  join(id: string): void {
    this.#nodes.push(id);
  }

  /** A node ends and is there again at once: its clients are gone, its agent has a new epoch. */
  restart(id: string): void {
    this.#restarts.set(id, (this.#restarts.get(id) ?? 0) + 1);
    this.#clients = this.#clients.filter((client) => {
      if (client.node !== id) return true;
      client.lease.release();
      return false;
    });
  }

  run(seconds: number): void {
    for (let step = 0; step < (seconds * 1000) / stepMs; step += 1) this.#step();
  }

  connections(id: string): number {
    return this.room.registry.node(id).node.counters.connections;
  }

  /** Connections of every node. */
  get spread(): number[] {
    return this.#nodes.map((id) => this.connections(id));
  }

  /** True utilization of every node. */
  get loads(): number[] {
    return this.#nodes.map((id) => this.#loadOf(id));
  }

  #step(): void {
    this.#nowMs += stepMs;
    this.#owed += (this.#options.arrivals * stepMs) / 1000;
    for (; this.#owed >= 1; this.#owed -= 1) this.#arrive();
    this.#clients = this.#clients.filter((client) => {
      if (client.leavesAtMs > this.#nowMs) return true;
      client.lease.release();
      return false;
    });
    for (const client of this.#clients) talk(client);
    this.room.clock.advance(stepMs);
    // A tenth of the nodes each step: reports are a second apart and not all at once.
    for (const [index, id] of this.#nodes.entries())
      if (index % 10 === Math.round(this.#nowMs / stepMs) % 10) this.#report(id);
  }

  #arrive(): void {
    const lease = this.room.place();
    if (lease === undefined) return;
    lease.opened();
    const { holdMs = Infinity, rateOf = () => 0 } = this.#options;
    const staysMs = holdMs === Infinity ? Infinity : -Math.log(1 - this.#rng.next()) * holdMs;
    const messagesPerSecond = rateOf(this.#rng);
    const leavesAtMs = this.#nowMs + staysMs;
    this.#clients.push({ lease, node: lease.node.id, messagesPerSecond, leavesAtMs, due: 0 });
  }

  #report(id: string): void {
    const load = this.#loadOf(id);
    const claimed = this.#options.claimOf?.(id, load) ?? load;
    const mine = this.#clients.filter(({ node }) => node === id);
    const throughput = this.#options.tellsThroughput === true ? { throughput: rateOf(mine) } : {};
    const epoch = `e${this.#restarts.get(id) ?? 0}`;
    const signals = { cpu: Math.min(1, claimed), ...throughput };
    this.room.report({ id, epoch, connections: mine.length, signals });
  }

  #loadOf(id: string): number {
    const mine = this.#clients.filter(({ node }) => node === id);
    return this.#options.loadOf(id, { connections: mine.length, messagesPerSecond: rateOf(mine) }, this.#rng);
  }
}

function rateOf(clients: readonly Client[]): number {
  return clients.reduce((sum, each) => sum + each.messagesPerSecond, 0);
}

function talk(client: Client): void {
  client.due += (client.messagesPerSecond * stepMs) / 1000;
  const whole = Math.floor(client.due);
  if (whole === 0) return;
  client.lease.toNode(whole, whole * 100);
  client.due -= whole;
}

/** The largest of some numbers ÷ their mean; 1 is the limit. NaN of nothing. */
export function maxToMean(values: readonly number[]): number {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  return Math.max(...values) / mean;
}
