// Which nodes are part of which pool: those that the configuration names, those that report, those that come back. What
// they report is absorb.ts, what is wanted of them admin-states.ts.
import type { Clock } from '../../core/clock.ts';
import type { NodeIdentity } from '../../core/snapshot.ts';
import { formatAddress } from '../../policy/address.ts';
import type { Report } from '../../protocol/report.ts';
import { AdminWishes } from './admin-wishes.ts';
import { identityOf, isSameAddress, type ReportSource } from './claim.ts';
import { NodeRecord, type NodeOrigin } from './node-record.ts';
import type { Notify } from './notice.ts';
import type { PoolState } from './pool-state.ts';
import { RestoredNodes } from './restored-nodes.ts';

// Agents find a restarted balancer within a few report intervals.
const startGraceMs = 5000;

/** The members of a registry's pools. */
export class Members {
  /** What was restored of nodes that have not come back yet. */
  readonly waiting = new RestoredNodes();
  /** What is wanted of nodes, those that are away among them. */
  readonly wishes: AdminWishes;
  /** Another number whenever nodes come, go or change their address. */
  revision = 0;
  readonly #pools: ReadonlyMap<string, PoolState>;
  readonly #clock: Clock;
  readonly #notify: Notify;
  readonly #startedAtMs: number;

  constructor(pools: ReadonlyMap<string, PoolState>, deps: { clock: Clock; notify: Notify }) {
    this.#pools = pools;
    this.wishes = new AdminWishes(pools);
    this.#clock = deps.clock;
    this.#notify = deps.notify;
    this.#startedAtMs = deps.clock.nowMs();
  }

  /** Adds a node of the configuration, in place of any of this id. What an operator wants of this id stands. */
  addStatic(pool: PoolState, identity: NodeIdentity): void {
    const replaced = pool.nodes.get(identity.id);
    if (replaced !== undefined) this.wishes.keep(pool.name, replaced);
    pool.nodes.set(identity.id, this.#newRecord(pool.name, identity, 'static'));
    pool.discardAssessment();
    this.#notify('node added', { pool: pool.name, node: identity.id, address: formatAddress(identity) });
  }

  /** Makes the static nodes of a pool what the configuration says; registered ones stay. */
  configure(pool: PoolState, identities: readonly NodeIdentity[]): void {
    const wanted = new Map(identities.map((identity) => [identity.id, identity]));
    for (const [id, node] of pool.nodes)
      if (node.origin === 'static' && !wanted.has(id)) this.remove(pool, id);
    for (const identity of wanted.values()) {
      const known = pool.nodes.get(identity.id);
      if (known?.origin === 'static' && isSameAddress(known, identity)) {
        known.identity = { ...identity, version: known.identity.version };
        continue;
      }
      this.addStatic(pool, identity);
    }
    pool.discardAssessment();
  }

  /** Forgets a node of this pool; its open connections live on. */
  remove(pool: PoolState, id: string): void {
    pool.remove(id);
    this.revision += 1;
    this.#notify('node removed', { pool: pool.name, node: id });
  }

  /** Takes back a node that had registered before a restart; false where its pool, id or address is not free. */
  restore(poolName: string, identity: NodeIdentity): boolean {
    const pool = this.#pools.get(poolName);
    const isTaken = (node: NodeRecord) => node.identity.id === identity.id || isSameAddress(node, identity);
    const all = [...this.#pools.values()].flatMap(({ nodes }) => [...nodes.values()]);
    if (pool === undefined || all.some(isTaken)) return false;
    pool.nodes.set(identity.id, this.#newRecord(poolName, identity, 'registered'));
    this.revision += 1;
    pool.discardAssessment();
    return true;
  }

  /** The node of a report, which is `known` or joins now. One whose agent has restarted or come back joins anew. */
  welcome(
    pool: PoolState,
    known: NodeRecord | undefined,
    from: { readonly report: Report; readonly source: ReportSource },
  ): NodeRecord {
    const { report, source } = from;
    const node = known ?? this.#newRecord(pool.name, identityOf(report, source), 'registered');
    this.#identify(pool, node, from);
    const isReturning = node.hasLeft || (node.load !== undefined && node.load.epoch !== report.epoch);
    if (known !== undefined && !isReturning) return node;
    if (isReturning) node.joinedAtMs = this.joinedAtMs();
    node.hasLeft = false;
    pool.nodes.set(node.identity.id, node);
    this.revision += 1;
    pool.discardAssessment();
    const facts = { pool: pool.name, node: node.identity.id, address: formatAddress(node.identity) };
    this.#notify(known === undefined ? 'node joined' : 'node restarted', facts);
    return node;
  }

  /** Its agent has said goodbye. */
  farewell(pool: PoolState, node: NodeRecord): void {
    node.hasLeft = true;
    this.revision += 1;
    pool.discardAssessment();
    this.#notify('node left', { pool: pool.name, node: node.identity.id, open: node.counters.open });
  }

  /** Nodes that appear while the balancer itself starts were there before it: no slow start, no trial for them. */
  joinedAtMs(): number {
    const nowMs = this.#clock.nowMs();
    return nowMs - this.#startedAtMs < startGraceMs ? -Infinity : nowMs;
  }

  #newRecord(pool: string, identity: NodeIdentity, origin: NodeOrigin): NodeRecord {
    const record = new NodeRecord(identity, origin, this.joinedAtMs());
    record.restored = this.waiting.take(pool, identity.id);
    this.wishes.give(pool, record);
    return record;
  }

  #identify(
    pool: PoolState,
    node: NodeRecord,
    { report, source }: { readonly report: Report; readonly source: ReportSource },
  ): void {
    const next = identityOf(report, source);
    node.registeredBy = source.identity;
    node.agentSheds = report.capabilities?.includes('shed') === true;
    if (node.origin === 'static') {
      // The configuration's word on size and limit stands; the version is the agent's to tell.
      node.identity = { ...node.identity, version: next.version };
      return;
    }
    if (!isSameAddress(node, source)) {
      this.revision += 1;
      pool.discardAssessment();
    }
    node.identity = next;
  }
}
