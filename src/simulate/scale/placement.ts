// Herald's placement over a fleet that changes: the core functions that the daemon calls, the same in every arm. Messages are not drawn one by one; what a relay knows of a client's rate is told by crowd.ts.
import { absorbCounted } from '../../core/absorb-counted.ts';
import { assess, type Assessment } from '../../core/assess.ts';
import { nextArrivalRate } from '../../core/expected-rate.ts';
import { createPicker, type Picker } from '../../core/pick/picker.ts';
import type { Rng } from '../../core/rng.ts';
import type { NodeView } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Client } from './client.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import { scaleStepMs, type ScaleScenario } from './scale-scenario.ts';

/** Places every client of a run, and holds what its balancer knows. */
export class Placement {
  placedTotal = 0;
  /** Nodes that take nothing now because a rebalance takes load off them. */
  shedding: ReadonlySet<string> = new Set();
  /** Last time that a rebalance asked somebody to leave. */
  movedAtMs = -Infinity;
  readonly #scenario: ScaleScenario;
  readonly #policy: Policy;
  readonly #fleet: Fleet;
  readonly #picker: Picker;
  /** Of clients whose rate is known: how many, and their messages per second. */
  #known = 0;
  #knownPerSecond = 0;
  #arrivals = 0;
  #arrivalsPerSecond: number | undefined;
  #judged: { readonly nodes: readonly FleetNode[]; readonly assessment: Assessment } | undefined;

  constructor(scenario: ScaleScenario, { policy, fleet, rng }: { policy: Policy; fleet: Fleet; rng: Rng }) {
    this.#scenario = scenario;
    this.#policy = policy;
    this.#fleet = fleet;
    this.#picker = createPicker(policy.place.picker, rng);
  }

  get arrivalsPerSecond(): number {
    return this.#arrivalsPerSecond ?? 0;
  }

  /** Once a step, before anybody is placed: notes counts, takes in reports, forgets the last assessment. */
  tick(nowMs: number): void {
    const span = { count: this.#arrivals, elapsedMs: scaleStepMs };
    this.#arrivalsPerSecond = nextArrivalRate(this.#arrivalsPerSecond, span);
    this.#arrivals = 0;
    this.#judged = undefined;
    for (const node of this.#fleet.nodes) if (node.phase !== 'starting') this.#look(node, nowMs);
  }

  /** The node for one more connection; undefined when none may take it. */
  place(nowMs: number): FleetNode | undefined {
    this.#arrivals += 1;
    const { nodes, assessment } = this.#judge(nowMs);
    const isFull = (index: number) =>
      (nodes[index]?.counters.connections ?? 0) >= this.#scenario.maxConnections;
    const node = nodes[this.#picker(assessment, isFull)];
    if (node !== undefined) this.placedTotal += 1;
    return node;
  }

  /** The pool as judged in this step. */
  assessment(nowMs: number): Assessment {
    return this.#judge(nowMs).assessment;
  }

  opened(client: Client, { counters }: FleetNode): void {
    client.expectedPerSecond = this.#meanPerSecond;
    client.mayBeBack = client.openedAtMs - this.movedAtMs <= 60_000;
    counters.open += 1;
    counters.messagesPerSecond += client.expectedPerSecond;
  }

  closed(client: Client, { counters }: FleetNode): void {
    counters.open -= 1;
    counters.messagesPerSecond = Math.max(0, counters.messagesPerSecond - client.expectedPerSecond);
    this.#forget(client);
  }

  /** A client's rate is known from now on, or has changed. */
  heard(client: Client, { counters }: FleetNode): void {
    this.#forget(client);
    counters.messagesPerSecond += client.messagesPerSecond - client.expectedPerSecond;
    client.expectedPerSecond = client.messagesPerSecond;
    client.isKnown = true;
    this.#known += 1;
    this.#knownPerSecond += client.messagesPerSecond;
  }

  #forget(client: Client): void {
    if (!client.isKnown) return;
    client.isKnown = false;
    this.#known -= 1;
    this.#knownPerSecond -= client.expectedPerSecond;
  }

  get #meanPerSecond(): number {
    return this.#known > 0 ? this.#knownPerSecond / this.#known : this.#scenario.messagesPerSecond;
  }

  #look(node: FleetNode, nowMs: number): void {
    node.counters.record(nowMs);
    const { intervalMs } = this.#policy.reports;
    const steps = intervalMs / scaleStepMs;
    // Agents do not report in step: each at its own point of the interval.
    if ((nowMs / scaleStepMs + node.index * 7) % steps !== 0) return;
    const cpu = (node.busySteps - node.reportedSteps) / steps;
    node.reportedSteps = node.busySteps;
    // Its first report would cover a part of the interval only.
    if (nowMs - node.readyAtMs < intervalMs) return;
    const report = {
      pool: this.#policy.name,
      node: { id: node.id },
      epoch: 'e',
      seq: nowMs / scaleStepMs,
      ageMs: 0,
      intervalMs,
      connections: node.counters.connections,
      signals: { cpu },
      leaving: false,
    };
    const seen = { load: node.load, counters: node.counters, autoSaturation: undefined };
    node.load = absorbCounted(this.#policy, seen, { report, nowMs });
  }

  // One assessment a step: a real balancer makes one every 50 ms at most.
  #judge(nowMs: number): { nodes: readonly FleetNode[]; assessment: Assessment } {
    if (this.#judged !== undefined) return this.#judged;
    const nodes = this.#fleet.nodes.filter(({ phase }) => phase !== 'starting');
    const snapshot = {
      pool: this.#policy.name,
      atMs: nowMs,
      nodes: nodes.map((node) => this.#viewOf(node)),
      visibility: { countsMessages: true, countsConnections: true },
      arrivalsPerSecond: this.arrivalsPerSecond,
      messagesPerSecondPerConnection: this.#meanPerSecond,
    };
    this.#judged = { nodes, assessment: assess(snapshot, this.#policy) };
    return this.#judged;
  }

  #viewOf({ id, phase, readyAtMs, load, counters }: FleetNode): NodeView {
    return {
      id,
      host: '127.0.0.1',
      port: 1,
      capacity: undefined,
      zone: '',
      version: '',
      maxConnections: this.#scenario.maxConnections,
      adminState: phase === 'leaving' ? 'drain' : 'ready',
      health: 'up',
      healthReason: '',
      isShedding: this.shedding.has(id),
      joinedAtMs: readyAtMs,
      load,
      counters,
    };
  }
}
