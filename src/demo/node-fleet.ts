// The demo's node processes: started, measured and ended here. Who starts when is decided elsewhere.
import type { Clock } from '../core/clock.ts';
import { Child } from './child.ts';
import type { NodeSecond } from './imbalance.ts';
import type { FromNode, ToNode } from './messages.ts';
import type { DemoNode } from './scenario.ts';

/** A node's second, with its queue's delay at the end of it. */
export type Measured = ReadonlyMap<string, NodeSecond & { readonly delayMs: number }>;

type StartedNode = Pick<DemoNode, 'id' | 'serviceMs'>;

// Only a process that hangs takes so long, however busy the machine is.
const startWithinMs = 60_000;
const answerWithinMs = 10_000;

/** Where the nodes report to, and how often. */
export interface ReportsTo {
  /** Asked at each start of a node of this id. */
  readonly intakeUrls: (id: string) => readonly string[];
  /** Absent: the agent's default. */
  readonly reportIntervalMs?: number;
}

/** Node processes that report to one balancer or several. */
export class NodeFleet {
  readonly #nodes = new Map<string, Child<ToNode, FromNode>>();
  readonly #serving = new Set<string>();
  readonly #clock: Clock;
  readonly #reportsTo: ReportsTo;

  constructor(deps: ReportsTo & { readonly clock: Clock }) {
    this.#clock = deps.clock;
    this.#reportsTo = deps;
  }

  /** Nodes that run or are being started, in the order of their start. */
  get ids(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Resolves when the node listens and reports. Rejects when its process fails. */
  async start({ id, serviceMs }: StartedNode): Promise<void> {
    const child = new Child<ToNode, FromNode>('node-process', { name: `node ${id}`, clock: this.#clock });
    this.#nodes.set(id, child);
    const started = child.next('started', startWithinMs);
    const { intakeUrls, reportIntervalMs } = this.#reportsTo;
    child.send({
      kind: 'start',
      settings: { id, intakeUrls: intakeUrls(id), reportIntervalMs, serviceMs },
    });
    await started;
    this.#serving.add(id);
  }

  /** Ends a node: it deregisters first. Does nothing for one that does not run. */
  async stop(id: string): Promise<void> {
    const child = this.#nodes.get(id);
    this.#nodes.delete(id);
    this.#serving.delete(id);
    await child?.stop({ kind: 'stop' });
  }

  /** What one message costs from now on. */
  setServiceMs(id: string, serviceMs: number): void {
    this.#nodes.get(id)?.send({ kind: 'serviceMs', serviceMs });
  }

  /** Part of its time that a node spends on work which no message causes, from now on. */
  setOwnWork(id: string, part: number): void {
    this.#nodes.get(id)?.send({ kind: 'ownWork', part });
  }

  /** What each node that has started did since the last time. */
  async measure(): Promise<Measured> {
    const serving = [...this.#nodes].filter(([id]) => this.#serving.has(id));
    const readings = serving.map(async ([id, child]) => {
      const reading = child.next('measured', answerWithinMs);
      child.send({ kind: 'measure' });
      const { utilization, connections, delayMs } = await reading;
      return [id, { id, utilization, connections, delayMs }] as const;
    });
    return new Map(await Promise.all(readings));
  }

  /** Ends them all. */
  async stopAll(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.stop(id)));
  }
}
