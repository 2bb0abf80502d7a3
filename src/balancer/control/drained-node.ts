// One node of a drain: which of its connections wait, which its agent was asked for, and when everybody must be told.
import type { Clock } from '../../core/clock.ts';
import { answerTimeMs, planDrain, type DrainRoom } from '../../core/plan-drain.ts';
import type { Rng } from '../../core/rng.ts';
import type { DataPlane } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import { NodeAsks } from './asks.ts';
import { DrainGoodbyes, type DrainedPlace } from './drain-goodbyes.ts';
import { DrainQueue } from './drain-queue.ts';
import type { OthersDone } from './fleet/parts.ts';
import type { Progress } from './progress.ts';
import type { Shedder } from './shedder.ts';

/** What a drained node acts on. */
export interface DrainParts {
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly shedder: Shedder;
  readonly clock: Clock;
  readonly rng: Rng;
  /** What other balancers have done of an operation. */
  readonly othersOf: (operation: string) => OthersDone;
  /** A drain goes on under another id. */
  readonly renamed: (pool: string, before: string, now: string) => void;
}

// Listing 100,000 connections takes some 20 ms, so large nodes are looked at less often.
const lookEveryMs = 200;
const connectionsPerLookMs = 80;
// An application that has not let a connection go by then does not mean to, or has not heard.
const maxAskMs = 10_000;

/** What is asked of one node in one tick. */
export interface NodeTick {
  readonly elapsedMs: number;
  readonly ratePerSecond: number | 'auto';
  readonly room: DrainRoom;
}

/** A node that is being emptied. */
export class DrainedNode {
  readonly pool: string;
  readonly id: string;
  readonly #parts: DrainParts;
  readonly #goodbyes: DrainGoodbyes;
  readonly #progress: Progress;
  #deadlineAtMs = 0;
  #answerMs = 0;
  /** Not told by the relay. Those asked of the agent are among them: it chooses, not we. */
  readonly #queue: DrainQueue;
  readonly #asks = new NodeAsks();
  #credit = 0;
  #open = 0;
  /** Open, and told by whomever. */
  #told = 0;
  #lookedAtMs = -Infinity;
  #wasUnsettled = false;

  constructor(at: DrainedPlace, parts: DrainParts) {
    this.pool = at.pool;
    this.id = at.id;
    this.#progress = at.progress;
    this.#parts = parts;
    this.#queue = new DrainQueue(parts.rng);
    this.#goodbyes = new DrainGoodbyes(at, parts.shedder);
  }

  get deadlineAtMs(): number {
    return this.#deadlineAtMs;
  }

  /** Moves the deadline; who has been told keeps the one that it was told with. */
  setDeadline(deadlineAtMs: number): void {
    this.#deadlineAtMs = deadlineAtMs;
    this.#answerMs = answerTimeMs(deadlineAtMs - this.#parts.clock.nowMs());
  }

  /** Nothing is open or being dialled any more. */
  get isEmpty(): boolean {
    const counters = this.#parts.registry.pools.get(this.pool)?.nodes.get(this.id)?.counters;
    return this.#open === 0 && (counters?.connections ?? 0) === 0;
  }

  /** Told by this drain, and still there. */
  get leaving(): number {
    return this.#goodbyes.leaving;
  }

  /** Told by another operation, whose time to leave they keep, and still there. */
  get leavingOtherwise(): number {
    return Math.max(0, this.#told - this.#goodbyes.leaving);
  }

  /** Not asked yet, in any way. */
  get waiting(): number {
    return this.#queue.size - this.#asks.outstanding;
  }

  /** Compares with what is open now. At most four times a second; `always` for the first and the last look. */
  look(always = false): void {
    const { dataPlane, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const waitMs = lookEveryMs + this.#open / connectionsPerLookMs;
    if (!always && nowMs - this.#lookedAtMs < waitMs) return;
    this.#lookedAtMs = nowMs;
    const list = dataPlane.connections(this.pool, this.id);
    const { found, gone, told } = this.#queue.look(list);
    this.#open = list.size;
    this.#told = told;
    this.#progress.found(found);
    this.#countGone(gone);
  }

  /** Asks as many as this tick allows. The number asked. */
  tick({ elapsedMs, ratePerSecond, room }: NodeTick): number {
    const nowMs = this.#parts.clock.nowMs();
    this.#endAsks(nowMs);
    const askWithinMs = this.#deadlineAtMs - this.#answerMs - nowMs;
    const waiting = this.waiting;
    this.#credit += planDrain({ waiting, askWithinMs, elapsedMs, ratePerSecond, room });
    const count = Math.min(waiting, Math.floor(this.#credit + 1e-9));
    // What the plan allowed and nobody was there to take is not saved up.
    this.#credit = waiting === count ? 0 : this.#credit - count;
    this.#wasUnsettled = this.#isUnsettled;
    if (count === 0) return 0;
    this.#progress.asked(count);
    if (askWithinMs > elapsedMs && this.#agentSheds) this.#ask(count, { nowMs, askWithinMs });
    else this.#close(count, room.connectsPerSecond);
    return count;
  }

  /**
   * The deadline has come: whoever waits is ended now, and whoever the agent was asked for. True when somebody was left
   * at the last tick: their goodbyes may have run out a moment before this call.
   */
  end(): boolean {
    this.look(true);
    const wasUnsettled = this.#wasUnsettled || this.#isUnsettled;
    this.#wasUnsettled = false;
    this.#endAsks(Infinity);
    const count = this.waiting;
    this.#progress.asked(count);
    this.#close(count, 0);
    return wasUnsettled || this.leavingOtherwise > 0;
  }

  /** Asks nobody any more. What the agent has heard of goes on; what it has not stays. */
  letBe(): void {
    this.#progress.unasked(this.#asks.withdraw());
  }

  /** Lets what is left stay, and the operation forget it: it is about this node no more. */
  release(): void {
    this.letBe();
    this.#progress.dropped(this.waiting);
  }

  /** What the answer to this node's report asks its application for; undefined for nothing. */
  takeAsk(): { count: number; byMs: number } | undefined {
    return this.#asks.take(this.#parts.clock.nowMs());
  }

  get #isUnsettled(): boolean {
    return this.#queue.size > 0 || this.#goodbyes.leaving > 0;
  }

  get #agentSheds(): boolean {
    const { registry, clock } = this.#parts;
    const pool = registry.pools.get(this.pool);
    const node = pool?.nodes.get(this.id);
    if (pool === undefined || node?.load === undefined || !node.agentSheds || node.hasLeft) return false;
    return clock.nowMs() - node.load.sampledAtMs <= pool.policy.reports.expiryMs;
  }

  #countGone(count: number): void {
    const asAsked = this.#asks.gone(count);
    this.#progress.goneAsAsked(asAsked);
    this.#goodbyes.countAsked('closed', asAsked);
    const unheard = this.#asks.shrinkTo(this.#queue.size);
    this.#progress.goneUnheard(unheard);
    this.#progress.goneByThemselves(count - asAsked - unheard);
  }

  #ask(count: number, { nowMs, askWithinMs }: { nowMs: number; askWithinMs: number }): void {
    this.#goodbyes.asked(count, nowMs);
    this.#asks.add(count, nowMs + Math.min(maxAskMs, askWithinMs / 2));
  }

  /** Whoever the agent did not let go in time is closed by the relay. */
  #endAsks(nowMs: number): void {
    const count = this.#asks.late(nowMs);
    this.#goodbyes.countAsked('refusedByPeer', count);
    this.#close(count, 0);
  }

  /** Has the relay say goodbye to so many, who count as leaving already. */
  #close(count: number, connectsPerSecond: number): void {
    const byMs = Math.max(this.#deadlineAtMs, this.#parts.clock.nowMs());
    this.#goodbyes.close(this.#queue.take(count), { byMs, connectsPerSecond });
  }
}
