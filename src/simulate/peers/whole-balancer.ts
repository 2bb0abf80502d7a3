// A simulated balancer out of what the daemon is made of: its registry, its placement, and Peers where it shares. The
// other one, herald-balancer.ts, calls core/ alone and can share nothing.
import { createPlacement, type RunningPlacement } from '../../balancer/state/placement.ts';
import { Peers } from '../../balancer/state/peers/peers.ts';
import type { Lease } from '../../balancer/state/ports.ts';
import { Registry } from '../../balancer/state/registry.ts';
import type { SharedStore } from '../../balancer/state/shared-store.ts';
import type { Rng } from '../../core/rng.ts';
import type { NodeIdentity } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Report } from '../../protocol/report.ts';
import type { Connection, SimulatedBalancer } from '../balancer.ts';
import type { StepClock } from './step-clock.ts';

/** What it is made with. */
export interface WholeDeps {
  readonly clock: StepClock;
  readonly rng: Rng;
  readonly policy: Policy;
  /** Whether the agent of this node reports to it. */
  readonly takes: (node: number) => boolean;
  /** Its end of the link; undefined: it shares nothing. */
  readonly store: SharedStore | undefined;
}

const nobodyExcluded: ReadonlySet<string> = new Set();
const firstPort = 10_000;
const notify = (): void => undefined;

/** A balancer that places as the daemon does. It needs every message at once: `Scenario.messagesEveryMs` of a step. */
export class WholeBalancer implements SimulatedBalancer {
  readonly #deps: WholeDeps;
  readonly #registry: Registry;
  readonly #placement: RunningPlacement;
  readonly #leases = new Map<Connection, Lease>();
  #nodes = 0;
  /** Of the connection that is just being opened. */
  #placed: Lease | undefined;

  constructor(deps: WholeDeps) {
    const { clock, rng, policy } = deps;
    this.#deps = deps;
    this.#registry = new Registry({
      clock,
      rng,
      visibility: { countsMessages: true, countsConnections: true },
      notify,
    });
    this.#registry.addPool(policy.name, policy);
    this.#placement = createPlacement({ pools: this.#registry.pools, clock, notify });
    if (deps.store !== undefined) this.#share(deps.store);
  }

  place(nowMs: number): number {
    this.#deps.clock.advanceTo(nowMs);
    const { name } = this.#deps.policy;
    const result = this.#placement.place({ pool: name, affinityNode: '', excluded: nobodyExcluded });
    this.#placed = result.placed ? result.lease : undefined;
    return result.placed ? indexOf(result.lease.node.id) : -1;
  }

  scores(nowMs: number): ArrayLike<number> {
    return this.#registry.pool(this.#deps.policy.name).assessment(nowMs).score;
  }

  opened(connection: Connection): void {
    const lease = this.#placed;
    if (lease === undefined) return;
    lease.opened();
    this.#leases.set(connection, lease);
  }

  closed(connection: Connection): void {
    this.#leases.get(connection)?.release();
    this.#leases.delete(connection);
  }

  carried(connection: Connection, messages: number): void {
    this.#leases.get(connection)?.toNode(messages, 0);
  }

  reported(node: number, report: Report, nowMs: number): void {
    this.#deps.clock.advanceTo(nowMs);
    if (!this.#deps.takes(node)) return;
    const { host, port } = identityOf(node);
    this.#registry.applyReport(report, { identity: 'agent', host, port });
  }

  joined(): void {
    this.#registry.addStatic(this.#deps.policy.name, identityOf(this.#nodes));
    this.#nodes += 1;
  }

  crashed(node: number): void {
    this.#registry.setCheckFailure(identityOf(node).id, 'crashed');
  }

  shed(): readonly Connection[] {
    return [];
  }

  tick(nowMs: number): void {
    this.#deps.clock.advanceTo(nowMs);
  }

  #share(store: SharedStore): void {
    const { clock } = this.#deps;
    const registry = this.#registry;
    const peers = new Peers({ store, registry, clock, epoch: `${store.selfId}-1`, tell: () => undefined });
    registry.listener = {
      report: (report, source) => peers.passOn({ report, ...source }),
      adminState: () => undefined,
    };
    // A simulated link is there at once: nothing to wait for.
    void store.start({
      word: (...word) => peers.hearWord(...word),
      peer: (...peer) => peers.hearPeer(...peer),
      link: (status) => peers.hearLink(status),
      register: () => undefined,
    });
    peers.start();
  }
}

function identityOf(index: number): NodeIdentity {
  return {
    id: `n${index}`,
    host: '127.0.0.1',
    port: firstPort + index,
    capacity: undefined,
    zone: '',
    version: '',
    maxConnections: Infinity,
  };
}

function indexOf(id: string): number {
  return Number(id.slice(1));
}
