// The pools and their nodes: who registers, what reports change, what the operator wants. No sockets, no files.
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { Rng } from '../../core/rng.ts';
import type { AdminState, NodeIdentity, Visibility } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Report } from '../../protocol/report.ts';
import { absorb, refuseStale } from './absorb.ts';
import { AdminStates, type AskedBy } from './admin-states.ts';
import type { AdminWishes } from './admin-wishes.ts';
import { claim, type ReportSource } from './claim.ts';
import { isForgettable } from './forget.ts';
import { Members } from './members.ts';
import type { NodeRecord } from './node-record.ts';
import type { Notify } from './notice.ts';
import { PoolState } from './pool-state.ts';
import type { RestoredNodes } from './restored-nodes.ts';

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

/** Hears of what this balancer learned itself, not from a peer. */
export interface RegistryListener {
  /** A report was taken in. */
  report(report: Report, source: ReportSource): void;
  /** Something else is wanted of a node. */
  adminState(pool: string, node: string, askedBy: AskedBy | undefined): void;
}

type RegistryDeps = Readonly<{ clock: Clock; rng: Rng; visibility: Visibility; notify: Notify }>;

/** The mutable truth of a balancer. */
export class Registry {
  readonly #pools = new Map<string, PoolState>();
  readonly #deps: RegistryDeps;
  readonly #members: Members;
  readonly #adminStates: AdminStates;
  readonly #timer: Timer;
  #ticks = 0;
  /** Reports taken in, those that peers passed on among them. */
  reportsTotal = 0;
  /** Hears every report that is taken in, whoever took it in first; undefined: nobody does. */
  onReport: ((report: Report, source: ReportSource) => void) | undefined;
  /** Who tells it to peers; undefined: there are none. */
  listener: RegistryListener | undefined;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#members = new Members(this.#pools, deps);
    this.#adminStates = new AdminStates(this.#members.wishes, deps.notify, (pool, node, askedBy) =>
      this.listener?.adminState(pool, node, askedBy),
    );
    this.#timer = deps.clock.repeat(tickMs, () => this.#tick());
  }

  /** What was restored of nodes that have not come back yet. */
  get waiting(): RestoredNodes {
    return this.#members.waiting;
  }

  /** What is wanted of nodes, those that are away among them. */
  get wishes(): AdminWishes {
    return this.#members.wishes;
  }

  /** Another number whenever nodes come, go or change their address. */
  get membersRevision(): number {
    return this.#members.revision;
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
      this.#members.configure(pool, nodes);
    }
  }

  /** Adds a pool without nodes, or replaces one of this name. */
  addPool(name: string, policy: Policy): PoolState {
    const { clock, ...context } = this.#deps;
    const pool = new PoolState(name, policy, { ...context, nowMs: clock.nowMs() });
    this.#pools.set(name, pool);
    return pool;
  }

  /** Adds a node of the configuration, in place of any of this id in the pool. HERALD_POOL_UNKNOWN. */
  addStatic(pool: string, identity: NodeIdentity): void {
    this.#members.addStatic(this.pool(pool), identity);
  }

  /**
   * Takes a report in: registers the node where it is new, then absorbs its load. Throws HERALD_POOL_UNKNOWN,
   * HERALD_NODE_ID_TAKEN or HERALD_REPORT_STALE, in which case nothing has changed. Answers what the
   * operator wants of the node. `via`: who took it in first, an intake of this balancer or that of a peer.
   */
  applyReport(report: Report, source: ReportSource, via: 'intake' | 'peer' = 'intake'): AdminState {
    const pool = this.pool(report.pool);
    const nowMs = this.#deps.clock.nowMs();
    const known = claim(this.#pools, { pool, report, source, nowMs });
    refuseStale(report, known?.load);
    if (known === undefined && report.leaving) return 'ready';
    const node = this.#members.welcome(pool, known, { report, source });
    this.#adminStates.seeEpoch({ pool, node }, report.epoch);
    node.load = absorb(pool, node, { report, nowMs });
    node.restored = undefined;
    this.reportsTotal += 1;
    if (via === 'intake') this.listener?.report(report, source);
    this.onReport?.(report, source);
    pool.markDirty();
    if (report.leaving) this.#members.farewell(pool, node);
    return node.adminState;
  }

  /** What an operator wants of a node from now on. Told once, and only when it is another. HERALD_NODE_UNKNOWN. */
  setAdminState(id: string, adminState: AdminState, askedBy?: AskedBy): void {
    this.#adminStates.set(this.node(id), adminState, askedBy);
  }

  /** A node that is about to end asks to be drained: until it has been restarted. HERALD_NODE_UNKNOWN. */
  beginSelfDrain(id: string, askedBy: AskedBy): void {
    this.#adminStates.beginSelfDrain(this.node(id), askedBy);
  }

  /** Result of an active check; '' when it passed `rise` times, else why it is down. */
  setCheckFailure(id: string, failure: string): void {
    const { pool, node } = this.node(id);
    if (node.checkFailure === failure) return;
    const wasUp = node.checkFailure === '';
    node.checkFailure = failure;
    // Down means restarted, as often as not: cold caches and no connections. HAProxy ramps it up, too.
    if (failure === '') node.joinedAtMs = this.#members.joinedAtMs();
    pool.discardAssessment();
    if (wasUp) this.#deps.notify('node down', { pool: pool.name, node: id, reason: failure });
    else if (failure === '') {
      this.#deps.notify('node up', { pool: pool.name, node: id });
      this.#adminStates.seeUp({ pool, node });
    }
  }

  /** Ejects a node that another process of this machine has found failing; does nothing for one that is not here. */
  eject(pool: string, id: string, forMs: number): void {
    const state = this.#pools.get(pool);
    state?.nodes.get(id)?.passive.eject(this.#deps.clock.nowMs() + forMs);
    state?.discardAssessment();
  }

  /** Forgets a node; its open connections live on. HERALD_NODE_UNKNOWN when there is none. */
  remove(id: string): void {
    this.#members.remove(this.node(id).pool, id);
  }

  /** Takes back a node that had registered before a restart; false where its pool, id or address is not free. */
  restoreNode(pool: string, identity: NodeIdentity): boolean {
    return this.#members.restore(pool, identity);
  }

  #tick(): void {
    const nowMs = this.#deps.clock.nowMs();
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
