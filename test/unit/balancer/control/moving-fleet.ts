// Real state, real control and the relay's own data plane around clients that do as a goodbye says: a closed loop
// without sockets, on a clock that the test moves.
import { RunningControl } from '../../../../src/balancer/control/control.ts';
import { createEventFeed } from '../../../../src/balancer/control/event-feed.ts';
import type { EventFeed } from '../../../../src/balancer/control/ports.ts';
import type { ConnectionKind, Goodbye } from '../../../../src/balancer/state/ports.ts';
import { createRelayDataPlane } from '../../../../src/balancer/state/relay-data-plane.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import type { Policy } from '../../../../src/policy/policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

/** What a fleet is made of. */
export interface MovingFleetOptions {
  readonly policy: Policy;
  readonly nodes: readonly string[];
  /** Load that no message causes, by node id. */
  readonly ownLoad?: Readonly<Record<string, number>>;
  /** Clients that were asked to leave come back; else they stay away. */
  readonly returns?: boolean;
  readonly kind?: ConnectionKind;
  /** All clients send what has come together since, at once, every so often; else each as it comes. */
  readonly talkEveryMs?: number;
  readonly isLeader?: () => boolean;
}

const stepMs = 100;
const idle = 0.02;
// A message a second costs a fifth of a point.
const cost = 0.002;

/** Runs a fleet a tenth of a second at a time. */
export class MovingFleet {
  readonly room: Room;
  readonly control: RunningControl;
  readonly events: EventFeed;
  /** Goodbyes in order. */
  readonly goodbyes: { readonly node: string; readonly goodbye: Goodbye; readonly atMs: number }[] = [];
  readonly #options: MovingFleetOptions;
  readonly #clients = new Map<object, { readonly node: string; readonly rate: number; due: number }>();
  readonly #nodes: string[];

  constructor(options: MovingFleetOptions) {
    this.#options = options;
    this.#nodes = [...options.nodes];
    this.room = aRoom({ policy: options.policy, nodes: options.nodes, ageMs: 10_000 });
    const { registry, clock } = this.room;
    this.events = createEventFeed(clock);
    this.control = new RunningControl({
      registry,
      clock,
      rng: pcg32(7),
      dataPlane: createRelayDataPlane({ pools: registry.pools, clock }),
      tell: (event) => this.events.tell(event),
      ...(options.isLeader && { isLeader: options.isLeader }),
    });
    this.control.start();
  }

  /** A client that sends so many messages per second; on `node`, or where placement says. */
  connect(rate: number, node?: string): void {
    const { room } = this;
    const excluded = node === undefined ? [] : this.#nodes.filter((id) => id !== node);
    const lease = room.place({ excluded });
    if (lease === undefined) throw new Error(`no node took a client that should be on ${node ?? 'any'}`);
    const client = { node: lease.node.id, rate, due: 0 };
    lease.opened();
    this.#clients.set(lease, client);
    lease.carriedBy({
      nodeId: client.node,
      kind: this.#options.kind ?? 'websocket',
      leave: (goodbye, settled) => {
        this.goodbyes.push({ node: client.node, goodbye, atMs: room.clock.nowMs() });
        this.#clients.delete(lease);
        lease.release();
        settled('closed');
        if (this.#options.returns !== false)
          room.clock.schedule(goodbye.retryAfterMs, () => this.connect(rate));
      },
    });
    const carry = room.clock.repeat(stepMs, () => {
      if (!this.#clients.has(lease)) return carry.cancel();
      client.due += (rate * stepMs) / 1000;
      const everyMs = this.#options.talkEveryMs ?? stepMs;
      if (room.clock.nowMs() % everyMs >= stepMs) return;
      const messages = Math.floor(client.due);
      client.due -= messages;
      lease.toNode(messages, messages * 100);
    });
  }

  /** A node that reports from now on. */
  join(id: string): void {
    this.#nodes.push(id);
  }

  /** Lets time pass; every node reports once a second. */
  run(seconds: number): void {
    for (let step = 0; step < seconds * 10; step += 1) {
      if (step % 10 === 0) this.#report();
      this.room.clock.advance(stepMs);
    }
  }

  /** True load by node. */
  get loads(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#nodes.map((id) => [id, this.#loadOf(id)]));
  }

  /** Highest ÷ mean of the true loads. */
  get ratio(): number {
    const loads = Object.values(this.loads);
    return Math.max(...loads) / (loads.reduce((sum, each) => sum + each, 0) / loads.length);
  }

  get types(): string[] {
    return this.events.since(0).events.map(({ type }) => type);
  }

  /** Ends the loops; their timers live on the test's clock. */
  stop(): void {
    this.control.stop();
    this.room.registry.stop();
  }

  #report(): void {
    for (const id of this.#nodes) {
      const clients = [...this.#clients.values()].filter(({ node }) => node === id);
      this.room.report({
        id,
        connections: clients.length,
        signals: { cpu: Math.min(1, this.#loadOf(id)) },
      });
    }
  }

  #loadOf(id: string): number {
    const rates = [...this.#clients.values()].map(({ node, rate }) => (node === id ? rate : 0));
    return idle + (this.#options.ownLoad?.[id] ?? 0) + cost * rates.reduce((sum, rate) => sum + rate, 0);
  }
}
