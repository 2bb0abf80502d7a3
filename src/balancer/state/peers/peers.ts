// One balancer among others: says what it takes in and carries, and takes over what they say. What operators want is
// control/shared-wishes.ts, who acts for all control/leader.ts.
import type { Clock, Timer } from '../../../core/clock.ts';
import { HeraldError } from '../../../core/error.ts';
import {
  channelOf,
  decodePeerWord,
  encodeCounts,
  poolOfChannel,
  type PeerReport,
} from '../../../protocol/peer-words.ts';
import type { Registry } from '../registry.ts';
import type { LinkStatus, PeerPresence, SharedStore } from '../shared-store.ts';
import { OwnCounts } from './own-counts.ts';
import { PeerTally, type PeerCarried } from './peer-tally.ts';
import { PeerTroubles } from './peer-troubles.ts';
import { older, ReportRelay } from './report-relay.ts';

/** Something that happened between balancers, for the log and the events. */
export type TellPeers = (
  type: string,
  message: string,
  facts: Readonly<Record<string, string | number | boolean>>,
) => void;

/** What it is made with. */
export interface PeersDeps {
  readonly store: SharedStore;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Of this life of the process. */
  readonly epoch: string;
  readonly tell: TellPeers;
  /**
   * Says what must be heard before the counts, every tenth of a second while somebody listens; `isWhole`: once a second,
   * and for a newcomer.
   */
  readonly speakFirst?: (isWhole: boolean) => void;
}

/** Another balancer, as this one sees it. */
export interface PeerView {
  readonly id: string;
  /** Since it was last heard, ms. */
  readonly ageMs: number;
  /** That it carries, over all pools. */
  readonly connections: number;
  /** What it says of itself. */
  readonly about: string;
}

const tickMs = 100;
const ticksPerWhole = 10;
// Peers say everything within two ticks of hearing of a new one.
const firstWordsMs = 1500;

/** Peers with a lifetime: `start`, then `stop`. The store is started and stopped by whoever hands it its handlers. */
export class Peers {
  readonly #deps: PeersDeps;
  readonly #tally: PeerTally;
  readonly #troubles: PeerTroubles;
  readonly #own = new OwnCounts();
  /** Epochs by id. */
  readonly #here = new Map<string, string>();
  readonly #reports: ReportRelay;
  #timer: Timer | undefined;
  #ticks = 0;
  #lostAtMs: number | undefined;
  #upAtMs: number;
  #heardFirst: (() => void) | undefined;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
    this.#tally = new PeerTally(deps.registry.pools);
    this.#reports = new ReportRelay(deps.registry.pools);
    this.#troubles = new PeerTroubles(deps.tell);
    this.#upAtMs = deps.clock.nowMs();
  }

  /** Begins to say what is here. */
  start(): void {
    this.#timer ??= this.#deps.clock.repeat(tickMs, () => this.#tick());
  }

  /** Resolves when every peer that is here has said what it carries, or after 1.5 s. */
  async firstWords(): Promise<void> {
    if (this.#hasHeardAll) return;
    const { clock } = this.#deps;
    await new Promise<void>((resolve) => {
      const timer = clock.schedule(firstWordsMs, resolve);
      this.#heardFirst = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#heardFirst = undefined;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#heardFirst?.();
  }

  /** Peers that are here. */
  view(): readonly PeerView[] {
    return this.#deps.store
      .peers()
      .filter(({ id }) => this.#here.has(id))
      .map(({ id, ageMs, about }) => ({ id, ageMs, about, connections: this.#tally.connectionsOf(id) }));
  }

  /** Whether this balancer is here. */
  isHere(id: string): boolean {
    return this.#here.has(id);
  }

  /** What each of them has open on a node. */
  carriedOn(pool: string, node: string): readonly PeerCarried[] {
    return this.#tally.carriedOn(pool, node);
  }

  /** A report was taken in here: the others shall have it, too. */
  passOn(report: PeerReport): void {
    this.#reports.take(report, this.#deps.clock.nowMs(), this.#here.size > 0);
  }

  /** As `SharedHandlers.word`. */
  hearWord(from: string, channel: string, text: string): void {
    const pool = poolOfChannel(channel);
    if (pool === undefined) return;
    const word = decodePeerWord(text);
    if (word.kind === 'unread') return this.#troubles.unread(from, word.reason);
    // Told by a word sooner than by presence: counts of somebody who is not here would never leave.
    if (word.kind === 'reports') for (const report of word.reports) this.#takeReport(from, report);
    else if (this.#here.has(from)) this.#tally.hear(from, pool, word, this.#deps.clock.nowMs());
    if (this.#hasHeardAll) this.#heardFirst?.();
  }

  /** As `SharedHandlers.peer`. True when it has just come: it has heard nothing yet. */
  hearPeer({ id, epoch }: PeerPresence, isHere: boolean): boolean {
    const { tell } = this.#deps;
    if (!isHere) {
      this.#tally.drop(id);
      if (!this.#here.delete(id)) return false;
      this.#troubles.forget(id);
      tell('peer.left', `Balancer '${id}' is gone.`, { peer: id, peers: this.#here.size });
      return false;
    }
    const before = this.#here.get(id);
    if (before === epoch) return false;
    this.#here.set(id, epoch);
    // It knows nothing of what is here yet.
    this.#ticks = 0;
    this.#reports.repeat();
    if (before !== undefined) this.#tally.drop(id);
    tell('peer.joined', `Balancer '${id}' is here${before === undefined ? '' : ' again, after a restart'}.`, {
      peer: id,
      epoch,
      peers: this.#here.size,
    });
    return true;
  }

  /** As `SharedHandlers.link`. */
  hearLink({ state, reason }: LinkStatus): void {
    const { clock, tell, store } = this.#deps;
    const isLost = state === 'degraded';
    if (isLost === (this.#lostAtMs !== undefined)) return;
    this.#lostAtMs = isLost ? clock.nowMs() : undefined;
    if (!isLost) this.#upAtMs = clock.nowMs();
    this.#age();
    const facts = { peer: store.selfId, state, reason };
    if (isLost) tell('link.lost', `What peers share is out of reach: ${reason}.`, facts);
    else tell('link.restored', 'What peers share is in reach again.', facts);
  }

  get #hasHeardAll(): boolean {
    return [...this.#here.keys()].every((id) => this.#tally.hasHeard(id));
  }

  #age(): void {
    this.#tally.age(this.#deps.clock.nowMs(), { lostAtMs: this.#lostAtMs, upAtMs: this.#upAtMs });
  }

  #tick(): void {
    const isWhole = this.#ticks % ticksPerWhole === 0;
    this.#ticks += 1;
    const { registry, clock, store, epoch, speakFirst } = this.#deps;
    if (isWhole) {
      this.#age();
      this.#own.keep(registry.pools);
      this.#reports.keep();
    }
    // Without anybody who listens Redis is spared every word.
    if (this.#here.size === 0) return;
    speakFirst?.(isWhole);
    // Before the counts: who has heard those has heard everything.
    for (const [pool, texts] of this.#reports.texts(clock.nowMs()))
      for (const text of texts) store.say(channelOf(pool), text);
    const stamp = Math.round(clock.nowMs());
    for (const pool of registry.pools.values()) {
      const nodes = this.#own.rows(pool, isWhole);
      if (nodes.length === 0 && !isWhole) continue;
      const { perSecond: arrivalsPerSecond } = pool.arrivals;
      const texts = encodeCounts({ kind: 'counts', epoch, arrivalsPerSecond, nodes, stamp });
      for (const text of texts) store.say(channelOf(pool.name), text);
    }
  }

  #takeReport(from: string, heard: PeerReport): void {
    const { registry, store } = this.#deps;
    // An echo's whole way is what a word to a peer takes as well.
    const { report, identity, host, port } = older(heard, store.status().lagMs ?? 0);
    try {
      registry.applyReport(report, { identity, host, port }, 'peer');
    } catch (error) {
      // An agent that reports to several balancers is nothing to talk about.
      if (!(error instanceof HeraldError)) throw error;
      if (error.code !== 'HERALD_REPORT_STALE') this.#troubles.refused(from, error);
    }
  }
}
