// One drain: its nodes, its progress, and how it ends. Which drains there may be is drains.ts.
import type { DrainRoom } from '../../core/plan-drain.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { Operation, OperationProgress, OperationState } from '../../protocol/operations.ts';
import { deadlineSentence, doneSentence, runningSentence } from './drain-words.ts';
import { DrainedNode, type DrainParts } from './drained-node.ts';
import type { OperationEntry } from './operations.ts';
import { Pace } from './pace.ts';
import { Progress } from './progress.ts';

/** What a drain begins with. */
export interface DrainStart {
  readonly id: string;
  readonly pool: string;
  readonly by: string;
  readonly why: string;
  readonly ratePerSecond: number | 'auto';
  /** Of a drain that goes on after a restart. */
  readonly restored?: { readonly startedWallMs: number; readonly progress: OperationProgress };
}

// Connections per second; what is slower than that is standing still.
const leastPace = 0.01;

/** A drain with a lifetime: nodes are added, it is ticked until it is over. */
export class Drain implements OperationEntry {
  readonly id: string;
  readonly pool: string;
  readonly #start: DrainStart;
  readonly #parts: DrainParts;
  readonly #ended: (drain: Drain) => void;
  readonly #nodes = new Map<string, DrainedNode>();
  readonly #progress: Progress;
  readonly #startedWallMs: number;
  #ratePerSecond: number | 'auto';
  readonly #pace = new Pace();
  #state: OperationState = 'running';
  #reason = '';
  #endedWallMs: number | undefined;
  #isPastDeadline = false;

  /** `ended` is called once, when it is over. */
  constructor(start: DrainStart, parts: DrainParts, ended: (drain: Drain) => void) {
    this.id = start.id;
    this.pool = start.pool;
    this.#start = start;
    this.#parts = parts;
    this.#ended = ended;
    this.#ratePerSecond = start.ratePerSecond;
    this.#progress = new Progress(start.restored?.progress);
    // What was open when the balancer ended has ended with it.
    this.#progress.lost();
    this.#startedWallMs = start.restored?.startedWallMs ?? parts.clock.wallMs();
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get nodes(): ReadonlyMap<string, DrainedNode> {
    return this.#nodes;
  }

  /** Epoch milliseconds. */
  get startedWallMs(): number {
    return this.#startedWallMs;
  }

  get ratePerSecond(): number | 'auto' {
    return this.#ratePerSecond;
  }

  set ratePerSecond(rate: number | 'auto') {
    this.#ratePerSecond = rate;
  }

  /** Drains one more node, or gives one a new deadline, as an instant of the clock. */
  include(node: string, deadlineAtMs: number): void {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known.setDeadline(deadlineAtMs);
    const place = { pool: this.pool, id: node, operation: this.id, progress: this.#progress };
    const drained = new DrainedNode(place, this.#parts);
    drained.setDeadline(deadlineAtMs);
    drained.look(true);
    this.#nodes.set(node, drained);
  }

  /** Lets what is left of one node stay; without nodes the drain is over. */
  release(node: string, reason: string): void {
    const drained = this.#nodes.get(node);
    if (drained === undefined || !this.isRunning) return;
    // The last one is kept, so that the operation goes on saying what it was about.
    if (this.#nodes.size === 1) return this.cancel(reason);
    drained.release();
    this.#nodes.delete(node);
  }

  cancel(reason: string): void {
    if (!this.isRunning) return;
    for (const node of this.#nodes.values()) node.letBe();
    this.#end('cancelled', reason);
  }

  /** The pool is no more, and with it the list of its connections. */
  poolGone(): void {
    if (!this.isRunning) return;
    for (const node of this.#nodes.values()) node.letBe();
    const left = this.#progress.waiting + this.#progress.leaving;
    const reason = `pool '${this.pool}' is no longer configured: ${left} connections live on until they end`;
    this.#end('stopped', reason);
  }

  /**
   * Looks and asks. `room` is asked anew for each node, since those before it take from it; `part` is what of a given
   * rate is this balancer's.
   */
  tick(
    elapsedMs: number,
    of: { readonly room: (node: string) => DrainRoom; readonly part: (node: string) => number },
  ): void {
    const nowMs = this.#parts.clock.nowMs();
    let asked = 0;
    for (const [id, node] of this.#nodes) {
      node.look();
      if (node.deadlineAtMs <= nowMs) this.#isPastDeadline = node.end() || this.#isPastDeadline;
      else asked += node.tick({ elapsedMs, ratePerSecond: this.#rateOf(of.part(id)), room: of.room(id) });
    }
    this.#pace.add(asked, elapsedMs);
    this.#endIfOver(nowMs);
  }

  #rateOf(part: number): number | 'auto' {
    return this.#ratePerSecond === 'auto' ? 'auto' : this.#ratePerSecond * part;
  }

  view(): Operation {
    const { clock } = this.#parts;
    return {
      id: this.id,
      kind: 'drain',
      pool: this.pool,
      nodes: [...this.#nodes.keys()],
      state: this.#state,
      reason: this.isRunning ? runningSentence(this.#progress.view(), this.#leftMs()) : this.#reason,
      by: this.#start.by,
      why: this.#start.why,
      startedAt: isoTime(this.#startedWallMs),
      endedAt: this.#endedWallMs === undefined ? null : isoTime(this.#endedWallMs),
      deadlineAt: isoTime(clock.wallMs() + this.#leftMs()),
      etaMs: this.isRunning ? this.#etaMs() : null,
      ratePerSecond: this.isRunning ? Math.round(this.#pace.perSecond * 10) / 10 : 0,
      progress: this.#progress.view(),
      imbalance: { before: null, now: null, predicted: null },
    };
  }

  /** Until the last of its deadlines; may be negative. */
  #leftMs(): number {
    const last = Math.max(...[...this.#nodes.values()].map(({ deadlineAtMs }) => deadlineAtMs));
    return last - this.#parts.clock.nowMs();
  }

  /** Null while nobody knows how fast it goes: the deadline alone is no forecast. */
  #etaMs(): number | null {
    const { waiting } = this.#progress;
    const leftMs = Math.max(0, this.#leftMs());
    if (waiting === 0) return Math.min(leftMs, 1000);
    const planned = this.#ratePerSecond === 'auto' ? 0 : this.#ratePerSecond;
    const perSecond = this.#pace.perSecond >= leastPace ? this.#pace.perSecond : planned;
    return perSecond > 0 ? Math.round(Math.min(leftMs, (waiting * 1000) / perSecond)) : null;
  }

  #endIfOver(nowMs: number): void {
    if (!this.isRunning) return;
    const nodes = [...this.#nodes.values()];
    // Past the deadline nobody is waited for who was told; what its node still holds is going.
    const isOver = ({ deadlineAtMs, isEmpty, leaving }: DrainedNode) =>
      isEmpty || (deadlineAtMs <= nowMs && leaving === 0);
    if (!nodes.every(isOver)) return;
    const progress = this.#progress.view();
    if (this.#isPastDeadline) {
      const others = nodes.reduce((sum, { leavingOtherwise }) => sum + leavingOtherwise, 0);
      return this.#end('deadline', deadlineSentence(progress, others));
    }
    const pool = this.#parts.registry.pools.get(this.pool);
    this.#end('done', doneSentence(progress, [...this.#nodes.keys()], { pool, nowMs }));
  }

  #end(state: OperationState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#endedWallMs = this.#parts.clock.wallMs();
    this.#ended(this);
  }
}
