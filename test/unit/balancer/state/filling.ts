// Clients that come to nodes of which nothing is known yet: real state on a clock that the test moves. What crashes is
// in storm.ts.
import type { Lease, PlaceResult, Waits } from '../../../../src/balancer/state/ports.ts';
import { pcg32, type Rng } from '../../../../src/core/rng.ts';
import { aPlainPolicy, type PolicyParts } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

/** Clients and nodes, and how they meet. */
export interface FillOptions {
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly clients: number;
  readonly perSecond: number;
  /** Mean utilization that all clients together bring, on top of the idle part. */
  readonly utilization: number;
  /** Messages that pass as soon as a connection is open, and cost nothing to speak of. */
  readonly greeting?: number;
  /** Mean messages per second of a client; lognormal with sigma 1 around it. */
  readonly rate?: number;
  readonly idle?: number;
  /** When in its second a node reports, ms, and how late its first report is. */
  readonly reportAtMs?: number;
  readonly firstReportMs?: number;
  readonly policy?: PolicyParts;
}

/** What came of it. */
export interface FillResult {
  readonly refusals: number;
  /** Time in which the level held clients, ms. */
  readonly heldMs: number;
  /** Truth at the first moment of holding: the highest true utilization of a node. */
  readonly heldAtLoad: number;
  readonly worst: number;
  /** How far the score of a node was above its true utilization at most, once it was taken for half full. */
  readonly overestimate: number;
  readonly placed: number;
}

const stepMs = 25;

interface Client {
  readonly rate: number;
  node: string;
  due: number;
  lease: Lease | undefined;
}

/** Lets everybody come, evenly, and waits ten more seconds. */
export function fillFleet(options: FillOptions): FillResult {
  return new Filling(options).run();
}

class Filling {
  readonly #options: FillOptions;
  readonly #room: Room;
  readonly #clients: Client[];
  readonly #cost: number;
  readonly #coming: { client: Client; atMs: number }[];
  readonly #loads = new Map<string, number>();
  #refusals = 0;
  #placed = 0;

  constructor(options: FillOptions) {
    this.#options = options;
    const { seed, nodes, clients, perSecond, utilization, rate = 0.5 } = options;
    const rng = pcg32(seed);
    this.#room = aRoom({ policy: aPlainPolicy(options.policy), nodes, seed });
    this.#clients = Array.from({ length: clients }, () => ({
      rate: rate * heavyTailed(rng),
      node: '',
      due: rng.next(),
      lease: undefined,
    }));
    const total = this.#clients.reduce((sum, client) => sum + client.rate, 0);
    this.#cost = (utilization * nodes.length) / total;
    this.#coming = this.#clients.map((client, index) => ({ client, atMs: (index * 1000) / perSecond }));
  }

  run(): FillResult {
    const { clients, perSecond } = this.#options;
    const { admission } = this.#pool();
    let [heldMs, heldAtLoad, worst, overestimate] = [0, NaN, 0, 0];
    for (let atMs = 0; atMs < (clients * 1000) / perSecond + 20_000; atMs += stepMs) {
      this.#step(atMs);
      const highest = Math.max(...this.#options.nodes.map((id) => this.#loadOf(id)));
      worst = Math.max(worst, highest);
      if (admission.isHeld) {
        heldMs += stepMs;
        if (Number.isNaN(heldAtLoad)) heldAtLoad = highest;
      }
      overestimate = Math.max(overestimate, this.#overestimate());
    }
    this.#room.placement.close();
    this.#room.registry.stop();
    return { refusals: this.#refusals, heldMs, heldAtLoad, worst, overestimate, placed: this.#placed };
  }

  #pool() {
    return this.#room.registry.pool('chat');
  }

  #overestimate(): number {
    const { score, snapshot, basis } = this.#pool().assessment(this.#room.clock.nowMs());
    if (basis !== 'load') return 0;
    let most = 0;
    snapshot.nodes.forEach(({ id }, index) => {
      if ((score[index] ?? 0) < 0.5) return;
      most = Math.max(most, (score[index] ?? 0) - this.#loadOf(id));
    });
    return most;
  }

  #step(atMs: number): void {
    while ((this.#coming[0]?.atMs ?? Infinity) <= atMs) {
      const next = this.#coming.shift();
      if (next !== undefined) this.#arrive(next.client, atMs);
    }
    for (const client of this.#clients) talk(client);
    const { reportAtMs = 0, firstReportMs = 0, nodes } = this.#options;
    if (atMs >= firstReportMs && (atMs - reportAtMs) % 1000 === 0) for (const id of nodes) this.#report(id);
    this.#room.clock.advance(stepMs);
  }

  #arrive(client: Client, atMs: number): void {
    const placed = (lease: Lease) => {
      this.#placed += 1;
      lease.opened();
      client.lease = lease;
      client.node = lease.node.id;
      this.#loads.set(client.node, (this.#loads.get(client.node) ?? 0) + client.rate * this.#cost);
      const { greeting = 0 } = this.#options;
      if (greeting > 0) lease.toClient(greeting, greeting * 100);
    };
    const refused = ({ retryAfterMs = 0 }: { retryAfterMs?: number }) => {
      this.#refusals += 1;
      this.#coming.push({ client, atMs: atMs + retryAfterMs });
      this.#coming.sort((one, other) => one.atMs - other.atMs);
    };
    const request = { pool: 'chat', affinityNode: '', excluded: new Set<string>() };
    const result: PlaceResult | Waits = this.#room.placement.place(request, { placed, refused });
    if (result.placed) placed(result.lease);
    else if (result.wait === undefined) refused(result.refusal);
  }

  #loadOf(id: string): number {
    return (this.#options.idle ?? 0) + (this.#loads.get(id) ?? 0);
  }

  #report(id: string): void {
    const connections = this.#clients.filter(({ node }) => node === id).length;
    this.#room.report({ id, connections, signals: { cpu: Math.min(1, this.#loadOf(id)) } });
  }
}

/** Lognormal with sigma 1 and mean 1. */
function heavyTailed(rng: Rng): number {
  const normal = Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
  return Math.exp(normal - 0.5);
}

function talk(client: Client): void {
  if (client.lease === undefined) return;
  client.due += (client.rate * stepMs) / 1000;
  const whole = Math.floor(client.due);
  if (whole === 0) return;
  client.lease.toNode(whole, whole * 100);
  client.due -= whole;
}
