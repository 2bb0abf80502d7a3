// Several balancers on one hub and one clock, before the same nodes, with clients that talk and do as a goodbye says: a
// closed loop without sockets, on a clock that the test moves.
import { RunningControl } from '../../src/balancer/control/control.ts';
import { WishMemory } from '../../src/balancer/control/wish-memory.ts';
import { Peering } from '../../src/balancer/peering.ts';
import type { Goodbye } from '../../src/balancer/state/ports.ts';
import { createRelayDataPlane } from '../../src/balancer/state/relay-data-plane.ts';
import type { SharedStore } from '../../src/balancer/state/shared-store.ts';
import { MemoryHub } from '../../src/cluster/memory-hub.ts';
import { createMemoryStore } from '../../src/cluster/memory-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { EventRecord, Operation } from '../../src/protocol/operations.ts';
import { aPlainPolicy } from './a-policy.ts';
import { aRoom, type Room } from './a-room.ts';
import { ManualClock } from './manual-clock.ts';

/** One balancer. */
export interface MovingBalancer {
  readonly id: string;
  readonly room: Room;
  readonly control: RunningControl;
  readonly peering: Peering;
  readonly store: SharedStore;
  readonly events: Omit<EventRecord, 'id' | 'at'>[];
  readonly goodbyes: { readonly node: string; readonly goodbye: Goodbye }[];
  /** The newest operation that it lists. */
  operation(): Operation;
  /** Crashes: it says and does nothing any more, and its clients come back elsewhere. */
  crash(): void;
}

const stepMs = 100;
const idle = 0.02;
// A message a second costs a fifth of a point.
const cost = 0.002;

/** A policy that rebalances by one additive signal. */
export function aMovingPolicy(parts: Partial<Policy['rebalance']> = {}): Policy {
  const plain = aPlainPolicy({
    signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }],
    affinity: { kind: 'none' },
  });
  const rebalance: Policy['rebalance'] = {
    mode: 'auto',
    floor: 0.3,
    band: 0.1,
    forMs: 30_000,
    ratePerSecond: 0.01,
    cooldownMs: 300_000,
    choose: 'heaviest',
    ...parts,
  };
  return { ...plain, rebalance };
}

interface Client {
  readonly node: string;
  readonly rate: number;
  readonly balancer: MovingBalancer;
  due: number;
}

/** Balancers, nodes and clients. */
export class MovingStreet {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub(this.clock);
  readonly balancers: MovingBalancer[] = [];
  readonly #policy: Policy;
  readonly #nodes: readonly string[];
  readonly #clients = new Set<Client>();
  #seed = 0;

  constructor(policy: Policy, nodes: readonly string[]) {
    this.#policy = policy;
    this.#nodes = nodes;
  }

  /** A balancer joins; `wrap` puts something between it and the hub. */
  async join(
    id: string,
    wrap: (store: SharedStore) => SharedStore = (store) => store,
  ): Promise<MovingBalancer> {
    const { clock, hub } = this;
    this.#seed += 1;
    const seed = this.#seed;
    const room = aRoom({ policy: this.#policy, nodes: this.#nodes, seed, clock });
    const { registry } = room;
    const events: MovingBalancer['events'] = [];
    const tell = (event: MovingBalancer['events'][number]) => void events.push(event);
    const dataPlane = createRelayDataPlane({ pools: registry.pools, clock });
    const control = new RunningControl({ registry, clock, rng: pcg32(seed), dataPlane, tell });
    const store = wrap(createMemoryStore({ hub, clock, rng: pcg32(50 + seed), selfId: id }));
    const memory = new WishMemory();
    const peering = new Peering({ store, registry, control, clock, rng: pcg32(100 + seed), memory, tell });
    const balancer: MovingBalancer = {
      id,
      room,
      control,
      peering,
      store,
      events,
      goodbyes: [],
      operation: () => {
        const [operation] = control.operations();
        if (operation === undefined) throw new Error(`${id} lists no operation`);
        return operation;
      },
      crash: () => this.#crash(balancer),
    };
    this.balancers.push(balancer);
    control.start();
    const started = peering.start();
    await this.run(2);
    await started;
    return balancer;
  }

  /** A client that sends so many messages per second through one balancer; on `node`, or where placement says. */
  connect(balancer: MovingBalancer, rate: number, node?: string): void {
    const { room } = balancer;
    const excluded = node === undefined ? [] : this.#nodes.filter((id) => id !== node);
    const lease = room.place({ excluded });
    // Nobody may take it now: it tries again.
    if (lease === undefined) return void this.clock.schedule(500, () => this.connect(balancer, rate, node));
    const client = { node: lease.node.id, rate, balancer, due: 0 };
    lease.opened();
    this.#clients.add(client);
    lease.carriedBy({
      nodeId: client.node,
      kind: 'websocket',
      leave: (goodbye, settled) => {
        balancer.goodbyes.push({ node: client.node, goodbye });
        this.#clients.delete(client);
        lease.release();
        settled('closed');
        this.clock.schedule(goodbye.retryAfterMs, () => this.connect(balancer, rate));
      },
    });
    const carry = this.clock.repeat(stepMs, () => {
      if (!this.#clients.has(client)) return carry.cancel();
      client.due += (rate * stepMs) / 1000;
      const messages = Math.floor(client.due);
      client.due -= messages;
      lease.toNode(messages, messages * 100);
    });
  }

  /** Lets time pass and words arrive; every node reports once a second, to the first balancer. */
  async run(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 10; step += 1) {
      if (step % 10 === 0) this.#report();
      this.clock.advance(stepMs);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  }

  /** Until this holds; throws after so many seconds. */
  async until(holds: () => boolean, seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 1) {
      if (holds()) return;
      await this.run(1);
    }
    if (!holds()) throw new Error(`not within ${seconds} s`);
  }

  /** Clients connected now, of all balancers. */
  get clientCount(): number {
    return this.#clients.size;
  }

  /** Highest ÷ mean of the true loads. */
  get ratio(): number {
    const loads = this.#nodes.map((id) => this.#loadOf(id));
    return Math.max(...loads) / (loads.reduce((sum, each) => sum + each, 0) / loads.length);
  }

  #report(): void {
    const [first] = this.balancers;
    for (const id of this.#nodes) {
      const connections = [...this.#clients].filter(({ node }) => node === id).length;
      first?.room.report({ id, connections, signals: { cpu: Math.min(1, this.#loadOf(id)) } });
    }
  }

  #loadOf(id: string): number {
    let rate = 0;
    for (const client of this.#clients) rate += client.node === id ? client.rate : 0;
    return idle + cost * rate;
  }

  #crash(balancer: MovingBalancer): void {
    this.hub.setCut(balancer.id, true);
    balancer.control.stop();
    balancer.room.registry.stop();
    this.balancers.splice(this.balancers.indexOf(balancer), 1);
    for (const client of this.#clients) if (client.balancer === balancer) this.#clients.delete(client);
  }
}
