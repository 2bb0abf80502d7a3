// One drain: its nodes, its progress, and how it ends. Which drains there may be is drains.ts.
import type { DrainRoom } from '../../core/plan-drain.ts';
import type { Operation, OperationProgress, OperationState } from '../../protocol/operations.ts';
import { viewOfDrain } from './drain-view.ts';
import { deadlineSentence, doneSentence } from './drain-words.ts';
import { DrainedNode, type DrainParts } from './drained-node.ts';
import type { OperationEntry } from './operations.ts';
import { Pace } from './pace.ts';
import { Progress } from './progress.ts';

/** What a drain begins with. */
export interface DrainStart {
  readonly id: string;
  /** The balancer that runs it; undefined: this one. */
  readonly owner?: string | undefined;
  readonly pool: string;
  readonly by: string;
  readonly why: string;
  readonly ratePerSecond: number | 'auto';
  /** Of a drain that goes on after a restart. */
  readonly restored?: { readonly startedWallMs: number; readonly progress: OperationProgress };
}

// The others see that a node is empty when this one does, give or take a word; who says nothing for so long has no part.
const othersEndWithinMs = 3000;

/** A drain with a lifetime: nodes are added, it is ticked until it is over. */
export class Drain implements OperationEntry {
  readonly pool: string;
  readonly #start: DrainStart;
  #id: string;
  #owner: string | undefined;
  readonly #parts: DrainParts;
  readonly #ended: (drain: Drain) => void;
  readonly #nodes = new Map<string, DrainedNode>();
  readonly #progress: Progress;
  readonly #startedWallMs: number;
  #ratePerSecond: number | 'auto';
  readonly #pace = new Pace();
  #state: OperationState = 'running';
  #reason: (progress: OperationProgress) => string = () => '';
  #endedWallMs: number | undefined;
  #isPastDeadline = false;
  /** Since when this balancer's part is over. */
  #overAtMs: number | undefined;

  /** `ended` is called once, when it is over. */
  constructor(start: DrainStart, parts: DrainParts, ended: (drain: Drain) => void) {
    this.#id = start.id;
    this.#owner = start.owner;
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

  get id(): string {
    return this.#id;
  }

  get owner(): string | undefined {
    return this.#owner;
  }

  /** It is part of a drain that another balancer runs. */
  become(id: string, owner: string): void {
    this.#id = id;
    this.#owner = owner;
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
    this.#end('cancelled', () => reason);
  }

  /** The pool is no more, and with it the list of its connections. */
  poolGone(): void {
    if (!this.isRunning) return;
    for (const node of this.#nodes.values()) node.letBe();
    const left = this.#progress.waiting + this.#progress.leaving;
    const reason = `pool '${this.pool}' is no longer configured: ${left} connections live on until they end`;
    this.#end('stopped', () => reason);
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

  /** Of this balancer's connections. */
  get ownProgress(): OperationProgress {
    return this.#progress.view();
  }

  get ownRatePerSecond(): number {
    return this.isRunning ? this.#pace.perSecond : 0;
  }

  view(): Operation {
    const { pool, owner } = this;
    const { by, why } = this.#start;
    return viewOfDrain({
      id: this.id,
      owner,
      pool,
      nodes: [...this.#nodes.keys()],
      state: this.#state,
      by,
      why,
      reason: this.isRunning ? undefined : this.#reason,
      startedWallMs: this.#startedWallMs,
      endedWallMs: this.#endedWallMs,
      leftMs: this.#leftMs(),
      wallMs: this.#parts.clock.wallMs(),
      ratePerSecond: this.#ratePerSecond,
      pace: this.#pace.perSecond,
      own: this.ownProgress,
      others: this.#parts.othersOf(this.id),
    });
  }

  /** Until the last of its deadlines; may be negative. */
  #leftMs(): number {
    const last = Math.max(...[...this.#nodes.values()].map(({ deadlineAtMs }) => deadlineAtMs));
    return last - this.#parts.clock.nowMs();
  }

  #endIfOver(nowMs: number): void {
    if (!this.isRunning) return;
    const nodes = [...this.#nodes.values()];
    // Past the deadline nobody is waited for who was told; what its node still holds is going.
    const isOver = ({ deadlineAtMs, isEmpty, leaving }: DrainedNode) =>
      isEmpty || (deadlineAtMs <= nowMs && leaving === 0);
    if (!nodes.every(isOver) || this.#waitsForOthers(nowMs)) return;
    const others = this.#parts.othersOf(this.id);
    if (this.#isPastDeadline || others.isPastDeadline) {
      const told = nodes.reduce((sum, { leavingOtherwise }) => sum + leavingOtherwise, 0);
      return this.#end('deadline', deadlineSentence(told));
    }
    const pool = this.#parts.registry.pools.get(this.pool);
    this.#end('done', doneSentence([...this.#nodes.keys()], { pool, nowMs }));
  }

  /** Who runs it tells what came of the whole: the others' last words are a moment behind their counts. */
  #waitsForOthers(nowMs: number): boolean {
    if (this.#owner !== undefined) return false;
    this.#overAtMs ??= nowMs;
    return this.#parts.othersOf(this.id).isAtWork && nowMs - this.#overAtMs < othersEndWithinMs;
  }

  #end(state: OperationState, reason: (progress: OperationProgress) => string): void {
    this.#state = state;
    this.#reason = reason;
    this.#endedWallMs = this.#parts.clock.wallMs();
    this.#ended(this);
  }
}
