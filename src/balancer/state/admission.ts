// What admission knows of one pool: its tokens, who waits, whether nodes have room, and what came of those who waited.
import { Overfill } from '../../core/admission/overfill.ts';
import { ReturnSlots } from '../../core/admission/return-slots.ts';
import { burstOf, TokenBucket } from '../../core/admission/token-bucket.ts';
import { waitRanks, WaitQueue, type WaitRank } from '../../core/admission/wait-queue.ts';
import type { Assessment } from '../../core/assess.ts';
import type { AdmissionView } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import { ArrivalRate } from './arrival-rate.ts';
import type { Notify } from './notice.ts';
import type { PlaceRequest, Waiter } from './ports.ts';

/** One client that waits. */
export interface Waiting {
  readonly request: PlaceRequest;
  readonly waiter: Waiter;
}

/** What is shown of admission. */
export interface AdmissionFigures {
  readonly waiting: Readonly<Record<WaitRank, number>>;
  /** Of those who waited, since the start. */
  readonly outcomes: Readonly<Record<'placed' | 'refused' | 'gone', number>>;
  readonly waitedMsTotal: number;
  readonly isHeld: boolean;
  readonly isOverfilled: boolean;
}

type AdmitRule = Policy['admit'];

// Who estimates a wait for each of a thousand refusals does not look at every node a thousand times.
const estimateLifeMs = 25;
// Quiet for so long, a storm of refusals is over; the next one is told again.
const quietMs = 10_000;

/** Admission of one pool. */
export class PoolAdmission {
  readonly queue = new WaitQueue<Waiting>();
  /** What came of those who waited; `gone` are clients that went away by themselves. */
  readonly outcomes = { placed: 0, refused: 0, gone: 0 };
  /** Time that all of them have waited. */
  waitedMsTotal = 0;
  /** The assessment by which no node had room. */
  roomlessIn: Assessment | undefined;
  readonly #name: string;
  readonly #notify: Notify;
  readonly #bucket = new TokenBucket();
  readonly #overfill = new Overfill();
  readonly #returns = new ReturnSlots();
  readonly #served: ArrivalRate;
  #isHeld = false;
  #estimate = { atMs: -Infinity, perSecond: 1 };
  #refusals: { count: number; lastMs: number } | undefined;

  constructor(name: string, context: { nowMs: number; notify: Notify }) {
    this.#name = name;
    this.#notify = context.notify;
    this.#served = new ArrivalRate(context.nowMs);
  }

  /** Whether the pool's rate allows one more. */
  hasToken(nowMs: number, { ratePerSecond, burstMs }: AdmitRule): boolean {
    if (ratePerSecond === 'off') return true;
    return this.#bucket.hasToken(nowMs, ratePerSecond, burstOf(ratePerSecond, burstMs));
  }

  /** Takes what `hasToken` has found. */
  takeToken({ ratePerSecond }: AdmitRule): void {
    if (ratePerSecond !== 'off') this.#bucket.take();
  }

  /** Clients are let in above `fillTo`, since there has been no room for long. */
  get isOverfilled(): boolean {
    return this.#overfill.isYielding;
  }

  /** Clients wait because no node has room below `fillTo`. */
  get isHeld(): boolean {
    return this.#isHeld && !this.isOverfilled;
  }

  figures(): AdmissionFigures {
    const waiting = Object.fromEntries(waitRanks.map((rank) => [rank, this.queue.sizeOf(rank)]));
    const { outcomes, waitedMsTotal, isHeld, isOverfilled } = this;
    // Proof of the cast: an entry for each rank.
    const byRank = waiting as Record<WaitRank, number>;
    return { waiting: byRank, outcomes: { ...outcomes }, waitedMsTotal, isHeld, isOverfilled };
  }

  noteRoom(nowMs: number, hasRoom: boolean, { overfillAfterMs, fillTo }: AdmitRule): void {
    // As nearly always: there is room, and there was.
    if (hasRoom && !this.#isHeld && !this.#overfill.lacksRoom) return;
    const was = this.isOverfilled;
    this.#isHeld = !hasRoom;
    this.#overfill.note(nowMs, hasRoom, overfillAfterMs);
    if (was === this.isOverfilled) return;
    this.#notify(was ? 'overfill ended' : 'overfill began', { pool: this.#name, fillTo });
  }

  /**
   * How many a second can be let in, above 0; `allowed` says what the rates allow, asked seldom. Where that is nothing,
   * since every node is full, what was let in lately, but one a second at least.
   */
  perSecond(nowMs: number, allowed: () => number): number {
    if (nowMs - this.#estimate.atMs >= estimateLifeMs) {
      const perSecond = allowed();
      this.#estimate = {
        atMs: nowMs,
        perSecond: perSecond > 0 ? perSecond : Math.max(1, this.#served.perSecond),
      };
    }
    return this.#estimate.perSecond;
  }

  /** When one who is refused now may come back, in milliseconds; counts the refusal. */
  refuse(nowMs: number, { overfillAfterMs }: AdmitRule, allowed: () => number): number {
    if (this.#refusals === undefined) {
      this.#refusals = { count: 0, lastMs: nowMs };
      this.#notify('admission refuses', { pool: this.#name, waiting: this.queue.size });
    }
    this.#refusals.count += 1;
    this.#refusals.lastMs = nowMs;
    const perSecond = this.perSecond(nowMs, allowed);
    const heldMs = this.isHeld ? this.#overfill.untilYieldMs(nowMs, overfillAfterMs) : 0;
    return this.#returns.next(nowMs, { waitMs: heldMs + (this.queue.size * 1000) / perSecond, perSecond });
  }

  /** One who waited since then has been settled. */
  settled(outcome: 'placed' | 'refused' | 'gone', sinceMs: number, nowMs: number): void {
    this.outcomes[outcome] += 1;
    this.waitedMsTotal += nowMs - sinceMs;
    if (outcome === 'placed') this.#served.count();
  }

  /** Brings rates up to date. True while there is something to look after: clients that wait, refusals to report. */
  tick(nowMs: number): boolean {
    this.#served.tick(nowMs);
    const refusals = this.#refusals;
    if (this.queue.size > 0) return true;
    this.#isHeld = false;
    if (refusals === undefined) return false;
    if (nowMs - refusals.lastMs < quietMs) return true;
    this.#refusals = undefined;
    this.#notify('admission caught up', { pool: this.#name, refused: refusals.count });
    return false;
  }

  /** For people, at one instant. */
  view(nowMs: number): AdmissionView {
    const { oldestSinceMs } = this.queue;
    return {
      waiting: this.queue.size,
      oldestMs: oldestSinceMs === undefined ? 0 : nowMs - oldestSinceMs,
      isHeld: this.isHeld,
      isOverfilled: this.isOverfilled,
    };
  }
}
