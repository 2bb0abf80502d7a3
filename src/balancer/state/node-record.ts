// One node of a pool: what it is, what the operator wants, what we see. Its view is made anew when any of it changes.
import type { NodeLoad } from '../../core/load.ts';
import { NodeCounters } from '../../core/node-counters.ts';
import type { Restored } from '../../core/restored.ts';
import type { AdminState, NodeIdentity, NodeView } from '../../core/snapshot.ts';
import { GoodbyeCounts } from './goodbye-counts.ts';
import { PassiveHealth } from './passive-health.ts';

/** Where a node comes from: the configuration, or a report. */
export type NodeOrigin = 'static' | 'registered';

/** The mutable truth about one node. */
export class NodeRecord {
  readonly counters = new NodeCounters();
  readonly passive = new PassiveHealth();
  readonly goodbyes = new GoodbyeCounts();
  readonly origin: NodeOrigin;
  /** When it joined or came back; -Infinity for nodes that were there before the balancer. */
  joinedAtMs: number;
  identity: NodeIdentity;
  load: NodeLoad | undefined;
  /** What it had taught before the balancer restarted, until its first report takes it over. */
  restored: Restored | undefined;
  /** Throughput at which the newest assessment takes it to be full; undefined before it is learned. */
  autoSaturation: number | undefined;
  adminState: AdminState = 'ready';
  /**
   * The agent's epoch under which the node itself asked to be drained, '' while no report has told it: the next epoch
   * is `afterSelfDrain` again. Undefined where an operator wants what `adminState` says.
   */
  selfDrainEpoch: string | undefined;
  /** What an operator wants of a node that drains itself. */
  afterSelfDrain: Exclude<AdminState, 'drain'> = 'ready';
  /** Its agent can ask the application to shed. */
  agentSheds = false;
  /** A rebalance takes load off it. */
  isShedding = false;
  /** Result of the active check; '' when it passes or there is none. */
  checkFailure = '';
  /** The agent has said goodbye. */
  hasLeft = false;
  /** Who registered it: only the same identity may change it while its reports are fresh. */
  registeredBy = '';
  #view: NodeView;
  #viewedIdentity: NodeIdentity;

  constructor(identity: NodeIdentity, origin: NodeOrigin, joinedAtMs: number) {
    this.identity = identity;
    this.origin = origin;
    this.joinedAtMs = joinedAtMs;
    this.#viewedIdentity = identity;
    this.#view = this.#newView('');
  }

  /** Why the node is down, '' when it is up. */
  downReason(nowMs: number): string {
    if (this.hasLeft) return 'left: its agent has deregistered it';
    if (this.checkFailure !== '') return this.checkFailure;
    return this.passive.isEjected(nowMs) ? 'ejected: too many failed connections' : '';
  }

  /** The node as placement sees it now. The same object as long as nothing but the counters has changed. */
  view(nowMs: number): NodeView {
    const healthReason = this.downReason(nowMs);
    if (!this.#isCurrent(healthReason)) this.#view = this.#newView(healthReason);
    return this.#view;
  }

  /** A peer that was there before was heard for the first time: what it has here was not placed since the report. */
  meetPeer(met: { connections: number; messagesPerSecond: number }, nowMs: number): void {
    this.counters.recount(met, nowMs);
    if (this.load === undefined) return;
    this.load = {
      ...this.load,
      countedAtSample: this.load.countedAtSample + met.connections,
      smoothedMessagesPerSecond: this.load.smoothedMessagesPerSecond + met.messagesPerSecond,
    };
  }

  // Compared instead of invalidated by setters: a field added later and forgotten here fails its first test.
  #isCurrent(healthReason: string): boolean {
    const view = this.#view;
    return (
      view.load === this.load &&
      view.restored === this.restored &&
      view.healthReason === healthReason &&
      view.adminState === this.adminState &&
      view.isShedding === this.isShedding &&
      view.joinedAtMs === this.joinedAtMs &&
      this.#viewedIdentity === this.identity
    );
  }

  #newView(healthReason: string): NodeView {
    this.#viewedIdentity = this.identity;
    const { id, host, port, capacity, zone, version, maxConnections } = this.identity;
    // Field by field: spread and freeze made this the dearest part of an assessment of 1,000 nodes.
    return Object.freeze({
      id,
      host,
      port,
      capacity,
      zone,
      version,
      maxConnections,
      adminState: this.adminState,
      health: healthReason === '' ? 'up' : 'down',
      healthReason,
      isShedding: this.isShedding,
      joinedAtMs: this.joinedAtMs,
      load: this.load,
      restored: this.restored,
      counters: this.counters,
    });
  }
}
