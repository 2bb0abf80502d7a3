// The pools and their nodes: who registers, what reports change, what the operator wants. No sockets, no files.
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { Rng } from '../../core/rng.ts';
import type { AdminState, NodeIdentity, Visibility } from '../../core/snapshot.ts';
import { formatAddress } from '../../policy/address.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Report } from '../../protocol/report.ts';
import { AdminWishes } from './admin-wishes.ts';
import { absorb, refuseStale } from './absorb.ts';
import { claim, identityOf, isSameAddress, type ReportSource } from './claim.ts';
import { isForgettable } from './forget.ts';
import { NodeRecord, type NodeOrigin } from './node-record.ts';
import type { Notify } from './notice.ts';
import { PoolState } from './pool-state.ts';
import { RestoredNodes } from './restored-nodes.ts';

// Counts are noted ten times a second, so that a report's span is met to a few per cent; connections are looked
// through twice a second, which is fast against their memory of ten seconds.
const tickMs = 100;
const ticksPerSweep = 5;

/** One pool as the configuration has it. */
export interface PoolSettings {
  readonly name: string;
  readonly policy: Policy;
  readonly nodes: readonly NodeIdentity[];
}

/** The mutable truth of a balancer. */
export class Registry {
  readonly #pools = new Map<string, PoolState>();
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #visibility: Visibility;
  readonly #notify: Notify;
  readonly #timer: Timer;
  readonly #startedAtMs: number;
  #ticks = 0;
  /** What was restored of nodes that have not come back yet. */
  readonly waiting = new RestoredNodes();
  /** What is wanted of nodes, those that are away among them. */
  readonly wishes = new AdminWishes(this.#pools);
  /** Reports taken in. */
  reportsTotal = 0;
  /** Another number whenever nodes come, go or change their address. */
  membersRevision = 0;

  constructor(deps: { clock: Clock; rng: Rng; visibility: Visibility; notify: Notify }) {
    this.#clock = deps.clock;
    this.#rng = deps.rng;
    this.#visibility = deps.visibility;
    this.#notify = deps.notify;
    this.#startedAtMs = deps.clock.nowMs();
    this.#timer = deps.clock.repeat(tickMs, () => this.#tick());
  }

  /** Pools by name, in order of configuration. */
  get pools(): ReadonlyMap<string, PoolState> {
    return this.#pools;
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** The pool, or HERALD_POOL_UNKNOWN with the nearest name. */
  pool(name: string): PoolState {
    const pool = this.#pools.get(name);
    if (pool !== undefined) return pool;
    const meant = meantHint(name, this.#pools.keys());
    throw new HeraldError('HERALD_POOL_UNKNOWN', `there is no pool '${name}'${meant}`, { pool: name });
  }

  /** A node and its pool, or HERALD_NODE_UNKNOWN with the nearest id. */
  node(id: string): { pool: PoolState; node: NodeRecord } {
    const ids: string[] = [];
    for (const pool of this.#pools.values()) {
      const node = pool.nodes.get(id);
      if (node !== undefined) return { pool, node };
      ids.push(...pool.nodes.keys());
    }
    const meant = meantHint(id, ids);
    throw new HeraldError('HERALD_NODE_UNKNOWN', `there is no node '${id}'${meant}`, { node: id });
  }

  /** True while this very record is part of its pool. */
  hasNode(node: NodeRecord): boolean {
    return [...this.#pools.values()].some(({ nodes }) => nodes.get(node.identity.id) === node);
  }

  /**
   * Makes pools and static nodes what the configuration says: new ones are added, changed ones replaced, those
   * gone removed. Registered nodes, counts and admin states of what stays are kept. A pool that is gone takes
   * nothing more; its open connections live on.
   */
  configure(pools: readonly PoolSettings[]): void {
    const names = new Set(pools.map(({ name }) => name));
    for (const name of this.#pools.keys()) if (!names.has(name)) this.#pools.delete(name);
    for (const { name, policy, nodes } of pools) {
      const pool = this.#pools.get(name) ?? this.addPool(name, policy);
      if (pool.policy !== policy) pool.replacePolicy(policy);
      this.#configureNodes(pool, nodes);
    }
  }

  /** Adds a pool without nodes, or replaces one of this name. */
  addPool(name: string, policy: Policy): PoolState {
    const context = { rng: this.#rng, visibility: this.#visibility, notify: this.#notify };
    const pool = new PoolState(name, policy, { ...context, nowMs: this.#clock.nowMs() });
    this.#pools.set(name, pool);
    return pool;
  }

  /** Adds a node of the configuration, in place of any of this id in the pool. HERALD_POOL_UNKNOWN. */
  addStatic(pool: string, identity: NodeIdentity): void {
    const state = this.pool(pool);
    state.nodes.set(identity.id, this.#newRecord(pool, identity, 'static'));
    state.discardAssessment();
    this.#notify('node added', { pool, node: identity.id, address: formatAddress(identity) });
  }

  /**
   * Takes a report in: registers the node where it is new, then absorbs its load. Throws HERALD_POOL_UNKNOWN,
   * HERALD_NODE_ID_TAKEN or HERALD_REPORT_STALE, in which case nothing has changed. Answers what the
   * operator wants of the node.
   */
  applyReport(report: Report, source: ReportSource): AdminState {
    const pool = this.pool(report.pool);
    const nowMs = this.#clock.nowMs();
    const known = claim(this.#pools, { pool, report, source, nowMs });
    refuseStale(report, known?.load);
    if (known === undefined && report.leaving) return 'ready';
    const node = known ?? this.#newRecord(pool.name, identityOf(report, source), 'registered');
    this.#identify(pool, node, { report, source });
    this.#welcome(pool, node, { report, isNew: known === undefined });
    this.#endSelfDrain(pool, node, report.epoch);
    node.load = absorb(pool, node, { report, nowMs });
    node.restored = undefined;
    this.reportsTotal += 1;
    pool.markDirty();
    if (report.leaving) this.#farewell(pool, node);
    return node.adminState;
  }

  setAdminState(id: string, adminState: AdminState): void {
    const { pool, node } = this.node(id);
    if (node.adminState === adminState) return;
    this.#notify('admin state changed', { pool: pool.name, node: id, from: node.adminState, to: adminState });
    node.adminState = adminState;
    node.selfDrainEpoch = undefined;
    this.wishes.revision += 1;
    pool.discardAssessment();
  }

  /** Result of an active check; '' when it passed `rise` times, else why it is down. */
  setCheckFailure(id: string, failure: string): void {
    const { pool, node } = this.node(id);
    if (node.checkFailure === failure) return;
    const wasUp = node.checkFailure === '';
    node.checkFailure = failure;
    // Down means restarted, as often as not: cold caches and no connections. HAProxy ramps it up, too.
    if (failure === '') node.joinedAtMs = this.#joinedAtMs();
    pool.discardAssessment();
    if (wasUp) this.#notify('node down', { pool: pool.name, node: id, reason: failure });
    else if (failure === '') {
      this.#notify('node up', { pool: pool.name, node: id });
      // Without an agent nothing else tells that it has been restarted.
      if (node.selfDrainEpoch === '') this.setAdminState(id, 'ready');
    }
  }

  /** Forgets a node; its open connections live on. HERALD_NODE_UNKNOWN when there is none. */
  remove(id: string): void {
    const { pool } = this.node(id);
    pool.remove(id);
    this.membersRevision += 1;
    this.#notify('node removed', { pool: pool.name, node: id });
  }

  /** Takes back a node that had registered before a restart; false where its pool, id or address is not free. */
  restoreNode(poolName: string, identity: NodeIdentity): boolean {
    const pool = this.#pools.get(poolName);
    const isTaken = (node: NodeRecord) => node.identity.id === identity.id || isSameAddress(node, identity);
    const all = [...this.#pools.values()].flatMap(({ nodes }) => [...nodes.values()]);
    if (pool === undefined || all.some(isTaken)) return false;
    pool.nodes.set(identity.id, this.#newRecord(poolName, identity, 'registered'));
    this.membersRevision += 1;
    pool.discardAssessment();
    return true;
  }

  #newRecord(pool: string, identity: NodeIdentity, origin: NodeOrigin): NodeRecord {
    const record = new NodeRecord(identity, origin, this.#joinedAtMs());
    record.restored = this.waiting.take(pool, identity.id);
    this.wishes.give(pool, record);
    return record;
  }

  /** A node that drained itself and reports under another epoch has been restarted: it is here to take connections. */
  #endSelfDrain(pool: PoolState, node: NodeRecord, epoch: string): void {
    if (node.selfDrainEpoch === undefined || node.selfDrainEpoch === epoch) return;
    if (node.selfDrainEpoch !== '') return this.setAdminState(node.identity.id, 'ready');
    node.selfDrainEpoch = epoch;
    this.wishes.revision += 1;
    pool.markDirty();
  }

  #configureNodes(pool: PoolState, identities: readonly NodeIdentity[]): void {
    const wanted = new Map(identities.map((identity) => [identity.id, identity]));
    for (const [id, node] of pool.nodes) if (node.origin === 'static' && !wanted.has(id)) this.remove(id);
    for (const identity of wanted.values()) {
      const known = pool.nodes.get(identity.id);
      if (known?.origin === 'static' && isSameAddress(known, identity)) {
        known.identity = { ...identity, version: known.identity.version };
        continue;
      }
      this.addStatic(pool.name, identity);
    }
    pool.discardAssessment();
  }

  /** A node that is new, or whose agent has restarted or come back, joins: its slow start begins. */
  #welcome(pool: PoolState, node: NodeRecord, { report, isNew }: { report: Report; isNew: boolean }): void {
    const isReturning = node.hasLeft || (node.load !== undefined && node.load.epoch !== report.epoch);
    if (!isNew && !isReturning) return;
    if (isReturning) node.joinedAtMs = this.#joinedAtMs();
    node.hasLeft = false;
    pool.nodes.set(node.identity.id, node);
    this.membersRevision += 1;
    pool.discardAssessment();
    const facts = { pool: pool.name, node: node.identity.id, address: formatAddress(node.identity) };
    this.#notify(isNew ? 'node joined' : 'node restarted', facts);
  }

  #farewell(pool: PoolState, node: NodeRecord): void {
    node.hasLeft = true;
    this.membersRevision += 1;
    pool.discardAssessment();
    this.#notify('node left', { pool: pool.name, node: node.identity.id, open: node.counters.open });
  }

  #identify(pool: PoolState, node: NodeRecord, from: { report: Report; source: ReportSource }): void {
    const next = identityOf(from.report, from.source);
    node.registeredBy = from.source.identity;
    node.agentSheds = from.report.capabilities?.includes('shed') === true;
    if (node.origin === 'static') {
      // The configuration's word on size and limit stands; the version is the agent's to tell.
      node.identity = { ...node.identity, version: next.version };
      return;
    }
    if (!isSameAddress(node, from.source)) {
      this.membersRevision += 1;
      pool.discardAssessment();
    }
    node.identity = next;
  }

  /** Nodes that appear while the balancer itself starts were there before it: no slow start, no trial for them. */
  #joinedAtMs(): number {
    const nowMs = this.#clock.nowMs();
    return nowMs - this.#startedAtMs < startGraceMs ? -Infinity : nowMs;
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    const sweep = this.#ticks % ticksPerSweep === 0;
    this.#ticks += 1;
    for (const pool of this.#pools.values()) {
      pool.tick(nowMs, sweep);
      for (const node of pool.nodes.values()) {
        if (!isForgettable(node, nowMs)) continue;
        this.remove(node.identity.id);
        this.wishes.keep(pool.name, node);
      }
    }
  }
}

// Agents find a restarted balancer within a few report intervals.
const startGraceMs = 5000;
