// What each peer has said that it carries, and the sums that the assessment sees. Who says it over what is peers.ts.
import { noPeers, type PeerCounts } from '../../../core/peer-counts.ts';
import type { PeerCountsWord, PeerNodeCounts } from '../../../protocol/peer-words.ts';
import type { PoolState } from '../pool-state.ts';

// Every balancer says everything once a second: what has not been said for as long as presence lasts is no more.
const forgetAfterMs = 5000;
// What a peer says of a pool in this time was there before it was heard, not placed since.
const meetingMs = 1500;
// Without a link the connections of peers end and others come, and nobody says so. After a minute half of what was
// last heard is believed: placing by a frozen picture would be wrong for longer than placing by our own part alone.
const halfLifeMs = 60_000;

interface NodeRow extends PeerNodeCounts {
  readonly heardAtMs: number;
}

/** What one live peer has on one node, by what it last said. */
export interface PeerCarried {
  readonly peer: string;
  readonly epoch: string;
  /** Of the word that said so; undefined where an older version said it. */
  readonly stamp: number | undefined;
  readonly connections: number;
  readonly messagesPerSecond: number;
}

interface PoolRows {
  arrivalsPerSecond: number;
  stamp: number | undefined;
  heardAtMs: number;
  readonly metAtMs: number;
  readonly nodes: Map<string, NodeRow>;
}

interface Peer {
  readonly epoch: string;
  readonly pools: Map<string, PoolRows>;
}

/** Counts of live peers by pool and node, summed into the pools. */
export class PeerTally {
  readonly #pools: ReadonlyMap<string, PoolState>;
  readonly #peers = new Map<string, Peer>();
  /** What is still believed of what was heard, 0..1. */
  #belief = 1;

  constructor(pools: ReadonlyMap<string, PoolState>) {
    this.#pools = pools;
  }

  /** Whether this peer has said anything in this life. */
  hasHeard(id: string): boolean {
    return this.#peers.has(id);
  }

  /** Connections of a peer by what it last said, over all pools. */
  connectionsOf(id: string): number {
    let sum = 0;
    for (const { nodes } of this.#peers.get(id)?.pools.values() ?? [])
      for (const { open, dialling } of nodes.values()) sum += open + dialling;
    return sum;
  }

  /** What each peer has open on a node; those that have nothing there are left out. */
  carriedOn(pool: string, node: string): readonly PeerCarried[] {
    return [...this.#peers].flatMap(([peer, { epoch, pools }]) => {
      const rows = pools.get(pool);
      const row = rows?.nodes.get(node);
      if (rows === undefined || row === undefined || row.open === 0) return [];
      const { open: connections, messagesPerSecond } = row;
      return [{ peer, epoch, stamp: rows.stamp, connections, messagesPerSecond }];
    });
  }

  /** Takes a word over. Another epoch is another process: what the last one had is gone with it. */
  hear(id: string, pool: string, word: PeerCountsWord, nowMs: number): void {
    const known = this.#peers.get(id);
    if (known !== undefined && known.epoch !== word.epoch) this.drop(id);
    const peer = this.#peers.get(id) ?? { epoch: word.epoch, pools: new Map<string, PoolRows>() };
    this.#peers.set(id, peer);
    const rows = peer.pools.get(pool) ?? {
      arrivalsPerSecond: 0,
      stamp: undefined,
      heardAtMs: nowMs,
      metAtMs: nowMs,
      nodes: new Map(),
    };
    peer.pools.set(pool, rows);
    rows.arrivalsPerSecond = word.arrivalsPerSecond;
    rows.stamp = word.stamp;
    rows.heardAtMs = nowMs;
    for (const node of word.nodes) {
      const before = rows.nodes.get(node.id);
      rows.nodes.set(node.id, { ...node, heardAtMs: nowMs });
      if (before !== undefined && this.#belief === 1) {
        this.#shift(pool, before, node);
        continue;
      }
      if (before === undefined && nowMs - rows.metAtMs <= meetingMs) this.#meet(pool, node, nowMs);
      this.#sumNode(pool, node.id);
    }
    this.#sumPool(pool);
  }

  /** A peer is gone, and all that it had with it. */
  drop(id: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    for (const pool of peer.pools.keys()) this.#sum(pool);
  }

  /**
   * Sums everything anew, as about once a second: for nodes that have joined, and for what has not been said again.
   * `lostAtMs`: since when our own link is down, undefined while it is up; `upAtMs`: since when it is up.
   */
  age(nowMs: number, link: { readonly lostAtMs: number | undefined; readonly upAtMs: number }): void {
    const { lostAtMs, upAtMs } = link;
    this.#belief = lostAtMs === undefined ? 1 : 0.5 ** ((nowMs - lostAtMs) / halfLifeMs);
    if (lostAtMs === undefined) this.#forgetUnsaid(nowMs, upAtMs);
    for (const pool of this.#pools.keys()) this.#sum(pool);
  }

  #forgetUnsaid(nowMs: number, upAtMs: number): void {
    const isOld = (heardAtMs: number) => nowMs - Math.max(heardAtMs, upAtMs) > forgetAfterMs;
    for (const { pools } of this.#peers.values())
      for (const [name, rows] of pools)
        if (isOld(rows.heardAtMs)) pools.delete(name);
        else forgetNodes(rows, isOld);
  }

  #sum(pool: string): void {
    const nodes = this.#pools.get(pool)?.nodes ?? new Map<string, never>();
    for (const id of nodes.keys()) this.#sumNode(pool, id);
    this.#sumPool(pool);
  }

  #sumPool(name: string): void {
    const pool = this.#pools.get(name);
    if (pool === undefined) return;
    let balancers = 1;
    let arrivalsPerSecond = 0;
    for (const { pools } of this.#peers.values()) {
      const rows = pools.get(name);
      if (rows === undefined) continue;
      balancers += 1;
      arrivalsPerSecond += rows.arrivalsPerSecond * this.#belief;
    }
    pool.peers = balancers === 1 ? noPeers : { balancers, arrivalsPerSecond };
  }

  #sumNode(pool: string, id: string): void {
    const counters = this.#pools.get(pool)?.nodes.get(id)?.counters;
    if (counters === undefined) return;
    let connections = 0;
    let messagesPerSecond = 0;
    for (const { pools } of this.#peers.values()) {
      const row = pools.get(pool)?.nodes.get(id);
      if (row === undefined) continue;
      connections += row.open + row.dialling;
      messagesPerSecond += row.messagesPerSecond;
    }
    const { openedTotal } = counters.peers;
    const summed: PeerCounts = {
      // Whole: half a connection would keep a drain from its end.
      connections: Math.round(connections * this.#belief),
      messagesPerSecond: messagesPerSecond * this.#belief,
      openedTotal,
    };
    counters.peers = summed;
  }

  /** By what has changed: a sum over all peers for each row of each word would cost their number squared. */
  #shift(pool: string, before: PeerNodeCounts, now: PeerNodeCounts): void {
    const counters = this.#pools.get(pool)?.nodes.get(now.id)?.counters;
    if (counters === undefined) return;
    const { connections, messagesPerSecond, openedTotal } = counters.peers;
    const more = now.open + now.dialling - before.open - before.dialling;
    counters.peers = {
      connections: Math.max(0, connections + more),
      // What rounding leaves behind is gone at the next sum, within a second.
      messagesPerSecond: Math.max(0, messagesPerSecond + now.messagesPerSecond - before.messagesPerSecond),
      openedTotal: openedTotal + Math.max(0, now.openedTotal - before.openedTotal),
    };
  }

  #meet(pool: string, { id, open, dialling, messagesPerSecond }: PeerNodeCounts, nowMs: number): void {
    const node = this.#pools.get(pool)?.nodes.get(id);
    node?.meetPeer({ connections: open + dialling, messagesPerSecond }, nowMs);
  }
}

function forgetNodes({ nodes }: PoolRows, isOld: (heardAtMs: number) => boolean): void {
  for (const [id, { heardAtMs }] of nodes) if (isOld(heardAtMs)) nodes.delete(id);
}
