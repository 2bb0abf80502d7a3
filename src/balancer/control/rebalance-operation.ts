// One rebalance as an operation: what the API shows of it, and the sentences that say how it is going and why it ended.
import type { RunEnd } from '../../core/rebalance/run.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { Operation, OperationProgress, OperationState } from '../../protocol/operations.ts';
import { shedIn, sumOfProgress, type OthersDone } from './fleet/parts.ts';
import type { OperationEntry } from './operations.ts';
import { Progress } from './progress.ts';
import { countedConnections } from './rebalance-words.ts';
import type { HearsReturns } from './returns.ts';

/** What a rebalance begins with. */
export interface RebalanceStart {
  readonly id: string;
  readonly pool: string;
  readonly by: string;
  readonly why: string;
  readonly ratePerSecond: number;
  /** Connections that it is expected to move. */
  readonly planned: number;
  readonly before: number;
  readonly predicted: number;
  readonly wallMs: () => number;
  /** What other balancers have done of it. */
  readonly othersOf: (operation: string) => OthersDone;
  /** Ends the run behind it. */
  readonly cancel: (reason: string) => void;
}

const endStates = {
  level: 'done',
  nothingMovable: 'done',
  noRelief: 'stopped',
  noReturn: 'stopped',
  failures: 'stopped',
  distress: 'stopped',
} as const satisfies Record<RunEnd, OperationState>;

const endWords = {
  level: 'the pool is level',
  nothingMovable:
    'what is left cannot be moved: too heavy for any node, just moved, or nothing that a goodbye reaches',
  noRelief:
    'load does not follow connections here: less than a third of the relief that was predicted came. Look for work that no client causes',
  noReturn: 'clients that were asked to leave do not come back. Do they reconnect after 1012?',
  failures: 'nodes refuse connections: more than a fifth of the placements failed',
  distress: 'the nodes hurt more than before: event-loop lag or pressure has risen',
} as const satisfies Record<RunEnd, string>;

/** A rebalance with a lifetime. */
export class RebalanceOperation implements OperationEntry, HearsReturns {
  readonly id: string;
  readonly progress = new Progress();
  /** Nodes that take nothing now. */
  shedding: readonly string[] = [];
  readonly #start: RebalanceStart;
  readonly #startedWallMs: number;
  readonly #nodes = new Set<string>();
  #returned = 0;
  #lost = 0;
  #now: number;
  #state: OperationState = 'running';
  #reason = '';
  #endedWallMs: number | undefined;

  constructor(start: RebalanceStart) {
    this.id = start.id;
    this.#start = start;
    this.#now = start.before;
    this.#startedWallMs = start.wallMs();
  }

  get isAutomatic(): boolean {
    return this.#start.by === 'auto';
  }

  /** Other balancers have asked some of this node. */
  askedElsewhere(node: string): void {
    this.#nodes.add(node);
  }

  /** So many of this node have been asked. */
  asked(node: string, count: number): void {
    this.#nodes.add(node);
    this.progress.found(count);
    this.progress.asked(count);
  }

  /** Clients that came back, and that did not within a minute, as far as arrivals tell. */
  get returns(): { readonly returned: number; readonly lost: number } {
    return { returned: this.#returned, lost: this.#lost };
  }

  cameBack(count: number): void {
    this.#returned += count;
  }

  stayedAway(count: number): void {
    this.#lost += count;
  }

  /** The pool now: highest ÷ mean. */
  look(imbalance: number): void {
    this.#now = imbalance;
  }

  cancel(reason: string): void {
    if (this.#state === 'running') this.#start.cancel(reason);
  }

  /** Ends it for the run's reason. */
  finish(end: RunEnd): void {
    this.#end(endStates[end], endWords[end]);
  }

  /** Ends it from outside. */
  finishCancelled(reason: string): void {
    this.#end('cancelled', reason);
  }

  view(): Operation {
    const { id, pool, by, why, ratePerSecond, planned, before, predicted } = this.#start;
    const progress = this.#whole();
    const isRunning = this.#state === 'running';
    const left = Math.max(0, planned - progress.total);
    return {
      id,
      kind: 'rebalance',
      pool,
      nodes: [...this.#nodes],
      state: this.#state,
      reason: isRunning
        ? `${progress.total} of about ${countedConnections(planned)} asked, ${progress.returned} ${progress.returned === 1 ? 'is' : 'are'} back; ${this.#levels()}`
        : `${this.#reason}; ${this.#levels()}, ${countedConnections(progress.total)} moved`,
      by,
      why,
      startedAt: isoTime(this.#startedWallMs),
      endedAt: this.#endedWallMs === undefined ? null : isoTime(this.#endedWallMs),
      deadlineAt: null,
      etaMs: isRunning ? Math.round((left * 1000) / ratePerSecond) : null,
      ratePerSecond: isRunning ? ratePerSecond : 0,
      progress,
      imbalance: { before: orNull(before), now: orNull(this.#now), predicted: orNull(predicted) },
    };
  }

  get ownProgress(): OperationProgress {
    return this.progress.view();
  }

  /** All balancers together. Who came back is counted here for all, and more than were shed are not believed. */
  #whole(): OperationProgress {
    const progress = sumOfProgress(this.progress.view(), this.#start.othersOf(this.id).progress);
    return { ...progress, returned: Math.min(this.#returned, shedIn(progress)) };
  }

  #levels(): string {
    return `max ÷ mean ${shown(this.#now)}, was ${shown(this.#start.before)}`;
  }

  #end(state: OperationState, reason: string): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#reason = reason;
    this.#endedWallMs = this.#start.wallMs();
  }
}

function shown(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : 'unknown';
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
