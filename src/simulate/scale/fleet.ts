// What is true of a fleet that changes: its nodes from the wish for one to its end, and what is done on them. Who asks for nodes is not decided here.
import type { NodeLoad } from '../../core/load.ts';
import { NodeCounters } from '../../core/node-counters.ts';
import type { Rng } from '../../core/rng.ts';
import { normal, poisson } from '../chance.ts';
import type { Client } from './client.ts';
import { costFactor } from './curve.ts';
import { scaleStepMs, type ScaleScenario } from './scale-scenario.ts';

/** One node. */
export interface FleetNode {
  readonly id: string;
  /** How many were started before it. */
  readonly index: number;
  /** Of the release that it runs. */
  readonly generation: number;
  readonly startedAtMs: number;
  /** Its process runs and can be measured; then it takes connections. */
  readonly runsAtMs: number;
  readonly readyAtMs: number;
  /** `leaving`: takes nothing new, and ends when `endsAtMs` has come. */
  phase: 'starting' | 'ready' | 'leaving' | 'gone';
  endsAtMs: number;
  /** Whether its connections are asked to leave until then. */
  isDrained: boolean;
  drainRate: number | 'auto';
  readonly clients: Client[];
  /** Messages per second of its clients, and these × what each costs. */
  messagesPerSecond: number;
  work: number;
  /** Load offered in this step ÷ what it can do; above 1 when that is too much. */
  offered: number;
  /** Share of time busy, summed over the steps since the beginning: never above 1 a step. */
  busySteps: number;
  /** `busySteps` at its last report, and at the last look of the metrics server. */
  reportedSteps: number;
  scrapedSteps: number;
  /** What its balancer holds of it. */
  readonly counters: NodeCounters;
  load: NodeLoad | undefined;
}

/** How a node goes. */
export interface Ending {
  readonly endsAtMs: number;
  /** Connections per second that are asked to leave until then, as a policy's `drain.rate`; `none`: nobody is. */
  readonly drainRate: number | 'auto' | 'none';
}

// A second's share of CPU scatters with the messages that fall into it: by 7 % at 400 of them that cost differently.
const busyNoise = 0.07;

/** The nodes of one run. */
export class Fleet {
  /** Every node that is not gone. */
  nodes: readonly FleetNode[] = [];
  /** Nodes there should be, as the autoscaler has it. */
  desired: number;
  generation = 0;
  startedTotal = 0;
  readonly #scenario: ScaleScenario;
  readonly #rng: Rng;
  /** Work per second that fills a node beside its intercept. */
  readonly #fullWork: number;

  /** With `nodes` that are ready. */
  constructor(scenario: ScaleScenario, nodes: number, rng: Rng) {
    this.#scenario = scenario;
    this.#rng = rng;
    this.desired = nodes;
    const { clientsPerNode, messagesPerSecond, intercept } = scenario;
    this.#fullWork = (clientsPerNode * messagesPerSecond) / (1 - intercept);
    for (let count = 0; count < nodes; count += 1) this.#add(-Infinity);
  }

  /** Those that count: not on their way out. */
  get kept(): FleetNode[] {
    return this.nodes.filter(({ phase }) => phase !== 'leaving');
  }

  /** Asks for one more. */
  start(nowMs: number): void {
    this.#add(nowMs);
  }

  /** Takes a node away; one that serves nobody ends at once. */
  remove(node: FleetNode, ending: Ending): void {
    if (node.phase === 'starting') return this.#end(node);
    node.phase = 'leaving';
    node.endsAtMs = ending.endsAtMs;
    node.isDrained = ending.drainRate !== 'none';
    node.drainRate = ending.drainRate === 'none' ? 'auto' : ending.drainRate;
  }

  /** Lets the fullest of the newest nodes that still drain serve again; false when there is none. */
  takeBack(): boolean {
    const fullest = this.nodes
      .filter(
        ({ phase, isDrained, generation }) =>
          phase === 'leaving' && isDrained && generation === this.generation,
      )
      .toSorted((a, b) => b.clients.length - a.clients.length)[0];
    if (fullest === undefined) return false;
    fullest.phase = 'ready';
    fullest.endsAtMs = Infinity;
    return true;
  }

  /** Nodes that have started begin to serve; returns those whose time is over, still with their clients. */
  advance(nowMs: number): FleetNode[] {
    for (const node of this.nodes)
      if (node.phase === 'starting' && nowMs >= node.readyAtMs) node.phase = 'ready';
    const isOver = ({ phase, endsAtMs, isDrained, clients }: FleetNode) =>
      phase === 'leaving' && (nowMs >= endsAtMs || (isDrained && clients.length === 0));
    return this.nodes.filter(isOver);
  }

  /** Ends a node that has no clients any more. */
  end(node: FleetNode): void {
    this.#end(node);
  }

  /** What every node does in one step. */
  work(nowMs: number): void {
    const { intercept } = this.#scenario;
    const factor = costFactor(this.#scenario, nowMs);
    for (const node of this.nodes) {
      if (node.phase === 'starting') continue;
      node.offered = intercept + (factor * Math.max(0, node.work)) / this.#fullWork;
      const noisy = node.offered * (1 + busyNoise * normal(this.#rng));
      node.busySteps += Math.min(1, Math.max(0, noisy));
      const messages = (Math.max(0, node.messagesPerSecond) * scaleStepMs) / 1000;
      node.counters.messagesToNodeTotal += poisson(this.#rng, messages);
    }
  }

  #add(nowMs: number): void {
    const { pendingMs, startMs } = this.#scenario;
    const node: FleetNode = {
      id: `n${this.startedTotal}`,
      index: this.startedTotal,
      generation: this.generation,
      startedAtMs: nowMs,
      runsAtMs: nowMs + pendingMs,
      readyAtMs: nowMs + startMs,
      phase: nowMs === -Infinity ? 'ready' : 'starting',
      endsAtMs: Infinity,
      isDrained: false,
      drainRate: 'auto',
      clients: [],
      messagesPerSecond: 0,
      work: 0,
      offered: 0,
      busySteps: 0,
      reportedSteps: 0,
      scrapedSteps: 0,
      counters: new NodeCounters(),
      load: undefined,
    };
    this.startedTotal += 1;
    this.nodes = [...this.nodes, node];
  }

  #end(node: FleetNode): void {
    node.phase = 'gone';
    this.nodes = this.nodes.filter((each) => each !== node);
  }
}
