// A closed loop for reconnect storms: nodes of known load, some of which crash; their clients come back at once and
// follow the hint when they are refused, as the clients of docs/admission.md do.
import type { Lease, PlaceResult, Waits } from '../../../../src/balancer/state/ports.ts';
import { pcg32, type Rng } from '../../../../src/core/rng.ts';
import type { PolicyParts } from '../../../support/a-policy.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

interface Client {
  readonly messagesPerSecond: number;
  lease: Lease | undefined;
  /** When it comes (again); Infinity while it waits or is connected. */
  comesAtMs: number;
  home: string;
  due: number;
}

/** A fleet before its storm. */
export interface StormOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly clientsEach: number;
  /** Mean utilization before the crash; a twentieth of a node is idle load. */
  readonly utilization: number;
  readonly policy?: PolicyParts;
  /** Refused clients come back after this instead of the hint. */
  readonly returnsAfterMs?: number;
}

/** What a storm did. */
export interface StormResult {
  /** Highest true utilization of a node, ever. */
  worst: number;
  /** Longest time on end that a node was truly above 1, ms. */
  longestOverMs: number;
  /** Highest utilization of a node ÷ mean, right after the storm (two seconds). */
  refusals: number;
  /** From the crash until everybody was back, ms; Infinity when somebody was not. */
  backAfterMs: number;
  mostWaiting: number;
}

const idle = 0.05;
const stepMs = 50;

/** One fleet: `settle`, then `crash`, then `run`. */
export class Storm {
  readonly room: Room;
  readonly result: StormResult = {
    worst: 0,
    longestOverMs: 0,
    refusals: 0,
    backAfterMs: Infinity,
    mostWaiting: 0,
  };
  readonly #options: StormOptions;
  readonly #rng: Rng;
  readonly #clients: Client[];
  readonly #over = new Map<string, number>();
  readonly #rates = new Map<string, number>();
  readonly #cost: number;
  #alive: string[];
  #crashedAtMs = NaN;

  constructor(options: StormOptions) {
    this.#options = options;
    this.#rng = pcg32(options.seed);
    this.#alive = Array.from({ length: options.nodes }, (_, index) => `n${index}`);
    this.room = aRoom({ policy: aPlainPolicy(options.policy), nodes: this.#alive, seed: options.seed });
    const count = options.nodes * options.clientsEach;
    this.#clients = Array.from({ length: count }, () => ({
      messagesPerSecond: heavyTailed(this.#rng),
      lease: undefined,
      comesAtMs: this.#rng.next() * 20_000,
      home: '',
      due: 0,
    }));
    const total = this.#clients.reduce((sum, { messagesPerSecond }) => sum + messagesPerSecond, 0);
    this.#cost = ((options.utilization - idle) * options.nodes) / total;
  }

  get loads(): number[] {
    return this.#alive.map((id) => this.#loadOf(id));
  }

  run(seconds: number): void {
    for (let step = 0; step < (seconds * 1000) / stepMs; step += 1) this.#step();
  }

  /** The first nodes are gone: refused from now on, and their clients all come back within `withinMs`. */
  crash(count: number, withinMs: number): void {
    const gone = new Set(this.#alive.slice(0, count));
    this.#alive = this.#alive.slice(count);
    const nowMs = this.room.clock.nowMs();
    this.#crashedAtMs = nowMs;
    for (const id of gone) this.room.registry.setCheckFailure(id, 'crashed');
    for (const client of this.#clients) {
      if (!gone.has(client.home)) continue;
      client.lease?.release();
      client.lease = undefined;
      client.comesAtMs = nowMs + this.#rng.next() * withinMs;
    }
    this.#count();
  }

  #step(): void {
    const nowMs = this.room.clock.nowMs();
    for (const client of this.#clients) {
      if (client.comesAtMs <= nowMs) this.#arrive(client);
      if (client.lease !== undefined) talk(client, client.lease);
    }
    this.room.clock.advance(stepMs);
    this.#count();
    this.#look();
    const slots = 1000 / stepMs;
    for (const [index, id] of this.#alive.entries())
      if (index % slots === Math.round(this.room.clock.nowMs() / stepMs) % slots) this.#report(id);
  }

  #arrive(client: Client): void {
    client.comesAtMs = Infinity;
    const placed = (lease: Lease) => {
      lease.opened();
      client.lease = lease;
      client.home = lease.node.id;
    };
    const refused = ({ retryAfterMs = 0 }: { retryAfterMs?: number }) => {
      this.result.refusals += 1;
      const afterMs = this.#options.returnsAfterMs ?? retryAfterMs + 1000 + this.#rng.next() * 4000;
      client.comesAtMs = this.room.clock.nowMs() + afterMs;
    };
    const request = { pool: 'chat', affinityNode: client.home, excluded: new Set<string>() };
    const result: PlaceResult | Waits = this.room.placement.place(request, { placed, refused });
    if (result.placed) placed(result.lease);
    else if (result.wait === undefined) refused(result.refusal);
  }

  #count(): void {
    this.#rates.clear();
    for (const { lease, home, messagesPerSecond } of this.#clients)
      if (lease !== undefined) this.#rates.set(home, (this.#rates.get(home) ?? 0) + messagesPerSecond);
  }

  #loadOf(id: string): number {
    return idle + this.#cost * (this.#rates.get(id) ?? 0);
  }

  #look(): void {
    if (Number.isNaN(this.#crashedAtMs)) return;
    const { result } = this;
    for (const id of this.#alive) {
      const load = this.#loadOf(id);
      const overMs = load > 1 ? (this.#over.get(id) ?? 0) + stepMs : 0;
      this.#over.set(id, overMs);
      result.worst = Math.max(result.worst, load);
      result.longestOverMs = Math.max(result.longestOverMs, overMs);
    }
    result.mostWaiting = Math.max(result.mostWaiting, this.room.registry.pool('chat').admission.queue.size);
    const isBack = this.#clients.every(({ lease }) => lease !== undefined);
    if (isBack)
      result.backAfterMs = Math.min(result.backAfterMs, this.room.clock.nowMs() - this.#crashedAtMs);
  }

  #report(id: string): void {
    const connections = this.#clients.filter(
      (client) => client.lease !== undefined && client.home === id,
    ).length;
    this.room.report({ id, connections, signals: { cpu: Math.min(1, this.#loadOf(id)) } });
  }
}

/** Lognormal with sigma 1. */
function heavyTailed(rng: Rng): number {
  return Math.exp(Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next()));
}

function talk(client: Client, lease: Lease): void {
  client.due += (client.messagesPerSecond * stepMs) / 1000;
  const whole = Math.floor(client.due);
  if (whole === 0) return;
  lease.toNode(whole, whole * 100);
  client.due -= whole;
}
