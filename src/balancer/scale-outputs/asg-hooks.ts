// All instances that AWS wants to terminate: an event that comes twice is one task. What a task does is asg-task.ts.
import type { Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { matchesPattern, readLifecycleEvent, type LifecycleEvent } from './asg-event.ts';
import type { InstanceNode, LifecycleState, TaskDeps } from './asg-ports.ts';
import { LifecycleTask } from './asg-task.ts';

/** What `POST /v1/hooks/asg` answers. */
export interface LifecycleAnswer {
  /** `ignored`: the event is not about an instance of these groups that terminates. */
  readonly state: 'ignored' | LifecycleState;
  /** '' when ignored. */
  readonly instance: string;
  readonly nodes: readonly string[];
  /** Drains, as `GET /v1/operations/{id}` shows them. */
  readonly operations: readonly string[];
  /** One sentence. */
  readonly reason: string;
}

/** Who brings an event. */
export interface HookCaller {
  readonly by: string;
  readonly pools: 'all' | readonly string[];
}

/** What it needs. */
export interface AsgDeps extends Omit<TaskDeps, 'signal' | 'nodesOf' | 'settledAtMs'> {
  /** Every node of every pool. */
  readonly nodes: () => Iterable<InstanceNode>;
}

// Agents report every second; after this a node that is there has done so.
const settleMs = 30_000;
const lookEveryMs = 500;
const maxTasks = 2000;

/** Tasks with an owner: `take` begins them, `stop` ends all. */
export class AsgHooks {
  readonly #deps: AsgDeps;
  readonly #tasks = new Map<string, LifecycleTask>();
  readonly #abort = new AbortController();
  readonly #settledAtMs: number;
  #timer: Timer | undefined;

  constructor(deps: AsgDeps) {
    this.#deps = deps;
    this.#settledAtMs = deps.clock.nowMs() + settleMs;
  }

  /**
   * Takes an event in, as JSON. HERALD_BODY_INVALID, HERALD_NOT_ALLOWED for a node out of the caller's scope,
   * HERALD_TOO_MANY_REQUESTS when too many instances wait, and what the control throws: the event may come again.
   */
  take(body: unknown, caller: HookCaller): LifecycleAnswer {
    const reading = readLifecycleEvent(body);
    if (reading.kind === 'ignored') return ignored(reading.reason);
    const { event } = reading;
    if (!this.#deps.config.groups.some((pattern) => matchesPattern(pattern, event.group)))
      return ignored(`group '${event.group}' is not among asg.groups: its hooks are left alone`);
    this.#refuseForeign(event, caller);
    const key = `${event.instance} ${event.hook} ${event.token}`;
    const known = this.#tasks.get(key);
    if (known?.state === 'failed') known.complete('the event has come again');
    if (known !== undefined) return known.view();
    return this.#begin(key, event, caller.by);
  }

  /** Ends commands that run and forgets what waits: AWS goes on after its timeout. */
  stop(): void {
    this.#abort.abort();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #begin(key: string, event: LifecycleEvent, by: string): LifecycleAnswer {
    this.#forgetOver();
    const { signal } = this.#abort;
    const nodesOf = (instance: string) => this.#nodesOf(instance);
    const task = new LifecycleTask(event, by, {
      ...this.#deps,
      signal,
      nodesOf,
      settledAtMs: this.#settledAtMs,
    });
    task.begin();
    this.#tasks.set(key, task);
    this.#timer ??= this.#deps.clock.repeat(lookEveryMs, () => this.#tick());
    return task.view();
  }

  #tick(): void {
    for (const task of this.#tasks.values()) task.tick();
    if ([...this.#tasks.values()].some(({ isOver }) => !isOver)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #nodesOf(instance: string): InstanceNode[] {
    const pattern = this.#deps.config.nodes.replace('{instance}', () => instance);
    return [...this.#deps.nodes()].filter(({ id }) => matchesPattern(pattern, id));
  }

  /** Not taken for an unknown instance, which would let AWS end it at once. */
  #refuseForeign({ instance }: LifecycleEvent, { by, pools }: HookCaller): void {
    if (pools === 'all') return;
    const foreign = this.#nodesOf(instance).find(({ pool }) => !pools.includes(pool));
    if (foreign === undefined) return;
    throw new HeraldError(
      'HERALD_NOT_ALLOWED',
      `node '${foreign.id}' is in a pool that token '${by}' is not good for`,
    );
  }

  /** Those that are over are remembered, the oldest go first. */
  #forgetOver(): void {
    for (const [key, { isOver }] of this.#tasks) {
      if (this.#tasks.size < maxTasks) return;
      if (isOver) this.#tasks.delete(key);
    }
    if (this.#tasks.size >= maxTasks)
      throw new HeraldError('HERALD_TOO_MANY_REQUESTS', `${maxTasks} instances wait already`, {
        retryAfterMs: 60_000,
      });
  }
}

function ignored(reason: string): LifecycleAnswer {
  return { state: 'ignored', instance: '', nodes: [], operations: [], reason };
}
