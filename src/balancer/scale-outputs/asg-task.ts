// One instance that AWS wants to terminate: its nodes are drained, AWS is kept waiting, then told that it may go.
import { HeraldError } from '../../core/error.ts';
import type { OperationState } from '../../protocol/operations.ts';
import type { LifecycleEvent } from './asg-event.ts';
import type { InstanceNode, LifecycleState, TaskDeps } from './asg-ports.ts';
import { untilTaken } from './asg-retry.ts';

// What AWS needs to hear that it may go, before it would go by itself.
const marginMs = 10_000;
const heartbeatsATimeout = 3;

/** A task with a lifetime: `begin` once, `tick` until it is over. */
export class LifecycleTask {
  readonly event: LifecycleEvent;
  readonly #by: string;
  readonly #deps: TaskDeps;
  #state: LifecycleState = 'looking';
  #reason = '';
  #nodes: readonly InstanceNode[] = [];
  #operations: readonly string[] = [];
  #nextHeartbeatMs: number;
  #isBeating = false;
  /** AWS waits until then, as far as it has been told. */
  #waitsUntilMs: number;

  constructor(event: LifecycleEvent, by: string, deps: TaskDeps) {
    this.event = event;
    this.#by = by;
    this.#deps = deps;
    const nowMs = deps.clock.nowMs();
    this.#nextHeartbeatMs = nowMs;
    this.#waitsUntilMs = nowMs + deps.config.timeoutMs;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'completed' || this.#state === 'failed' || this.#state === 'leftAlone';
  }

  /** How it stands, for the answer. */
  view() {
    return {
      state: this.#state,
      instance: this.event.instance,
      nodes: this.#nodes.map(({ id }) => id),
      operations: this.#operations,
      reason: this.#reason,
    };
  }

  /** Drains the nodes, or completes where there are none. Throws what the control throws. */
  begin(): void {
    const { instance } = this.event;
    this.#nodes = this.#deps.nodesOf(instance);
    if (this.#nodes.length > 0) return this.#drain();
    if (this.#deps.clock.nowMs() >= this.#deps.settledAtMs) return this.#nothingToDrain();
    this.#reason = `no node of instance '${instance}' is known yet: the balancer has just started`;
  }

  /** Looks how far it is, and lets AWS wait on. */
  tick(): void {
    if (this.#state === 'looking') this.#look();
    if (this.#state !== 'draining') return;
    this.#beat();
    const states = this.#operations.map((id) => this.#stateOf(id));
    if (states.includes('running')) return;
    const nodes = this.#nodes.map(({ id }) => id).join(', ');
    if (!states.includes('cancelled')) return this.complete(`drained: ${nodes} (${states.join(', ')})`);
    this.#end('leftAlone', `the drain of ${nodes} was cancelled, so AWS is told nothing`);
  }

  /** Tells AWS that the instance may go, again and again for a while. */
  complete(reason: string): void {
    this.#state = 'completing';
    this.#reason = reason;
    void this.#tellCompletion(reason);
  }

  #look(): void {
    try {
      this.begin();
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
    }
  }

  #nothingToDrain(): void {
    this.complete(`no node here is on instance '${this.event.instance}', so there is nothing to drain`);
  }

  #drain(): void {
    const { heartbeat } = this.#deps.config;
    const deadlineMs = heartbeat === undefined ? this.#leftMs() : undefined;
    const operations = new Set<string>();
    for (const { id } of this.#nodes) {
      const operation = this.#askDrain(id, deadlineMs);
      if (operation !== undefined) operations.add(operation);
    }
    this.#operations = [...operations];
    this.#state = 'draining';
    this.#reason = `AWS terminates instance '${this.event.instance}' of group '${this.event.group}'`;
    this.#tellEvent('lifecycle.began', this.#reason);
  }

  #askDrain(node: string, deadlineMs: number | undefined): string | undefined {
    const request = {
      adminState: 'drain' as const,
      self: true,
      why: `AWS terminates instance ${this.event.instance}`.slice(0, 200),
      ...(deadlineMs !== undefined && { deadlineMs }),
    };
    return this.#deps.control.setAdminState([node], request, { by: this.#by }).operation?.id;
  }

  /** For the drain, of what AWS waits for. */
  #leftMs(): number {
    return Math.max(1, Math.floor(this.#waitsUntilMs - this.#deps.clock.nowMs() - marginMs));
  }

  #stateOf(id: string): OperationState {
    try {
      return this.#deps.control.operation(id).state;
    } catch (error) {
      // Forgotten: it was over long before.
      if (error instanceof HeraldError) return 'done';
      throw error;
    }
  }

  #beat(): void {
    const { config, clock, tellAws, signal } = this.#deps;
    const { heartbeat, timeoutMs } = config;
    if (heartbeat === undefined || this.#isBeating || clock.nowMs() < this.#nextHeartbeatMs) return;
    this.#isBeating = true;
    const sentAtMs = clock.nowMs();
    this.#nextHeartbeatMs = sentAtMs + timeoutMs / heartbeatsATimeout;
    const told = tellAws(heartbeat, { action: 'heartbeat', event: this.event }, signal);
    void this.#heardOf(told, sentAtMs + timeoutMs);
  }

  async #heardOf(told: Promise<string | undefined>, waitsUntilMs: number): Promise<void> {
    const fault = await told;
    this.#isBeating = false;
    if (fault === undefined) this.#waitsUntilMs = waitsUntilMs;
    else if (this.#state === 'draining') this.#hurry(fault);
  }

  /** AWS could not be told to wait: the drain must be over before it goes by itself. */
  #hurry(fault: string): void {
    this.#tellEvent('lifecycle.heartbeatFailed', `AWS was not told to wait: ${fault}`);
    try {
      for (const { id } of this.#nodes) this.#askDrain(id, this.#leftMs());
    } catch (error) {
      // A node that is gone meanwhile needs no deadline.
      if (!(error instanceof HeraldError)) throw error;
    }
  }

  async #tellCompletion(reason: string): Promise<void> {
    const { config, tellAws, signal } = this.#deps;
    const facts = { action: 'complete' as const, event: this.event };
    const fault = await untilTaken(() => tellAws(config.complete, facts, signal), this.#deps);
    if (fault === undefined) return this.#end('completed', reason);
    this.#end('failed', `AWS was not told that the instance may go, so it waits out its timeout: ${fault}`);
  }

  #end(state: 'completed' | 'failed' | 'leftAlone', reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#tellEvent(`lifecycle.${state}`, reason);
  }

  #tellEvent(type: string, message: string): void {
    const [first, second] = this.#nodes;
    const { instance, group, hook } = this.event;
    this.#deps.tell({
      type,
      pool: first?.pool ?? '',
      node: second === undefined ? (first?.id ?? '') : '',
      by: this.#by,
      why: '',
      message,
      facts: { instance, group, hook, operations: this.#operations.join(', ') },
    });
  }
}
