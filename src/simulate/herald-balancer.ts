// A simulated Herald: the core functions in the order in which balancer/state calls them, without leases and sockets.
import { absorbCounted } from '../core/absorb-counted.ts';
import { assess, type Assessment } from '../core/assess.ts';
import { keptWeight } from '../core/decay.ts';
import { expectedRate, nextArrivalRate, rateMemoryMs } from '../core/expected-rate.ts';
import type { NodeLoad } from '../core/load.ts';
import { amountWhenFull } from '../core/moments.ts';
import { NodeCounters } from '../core/node-counters.ts';
import { createPicker, type Picker } from '../core/pick/picker.ts';
import type { Rng } from '../core/rng.ts';
import type { NodeView } from '../core/snapshot.ts';
import type { Policy } from '../policy/policy.ts';
import type { Report } from '../protocol/report.ts';
import type { Connection, SimulatedBalancer } from './balancer.ts';
import { Mover } from './mover.ts';

// As balancer/state/registry.ts: rates are brought up to date at every fifth tick of 100 ms.
const ticksPerSweep = 5;

interface SeenNode {
  readonly counters: NodeCounters;
  readonly joinedAtMs: number;
  load: NodeLoad | undefined;
  autoSaturation: number | undefined;
  isUp: boolean;
  isShedding: boolean;
}

/** What a simulated Herald is made of beside its policy. */
export interface HeraldContext {
  /** Its index: it looks at its own connections only. */
  readonly self: number;
  readonly rng: Rng;
  /** Whether reports reach it; without any it goes by what its relay counts. */
  readonly hearsAgents: boolean;
  /** Sizes that the operator has declared, dealt out to the nodes in turn; undefined: none are. */
  readonly declared: readonly number[] | undefined;
  /** Whether it moves connections as the policy's `rebalance` says. */
  readonly moves: boolean;
}

/** A balancer that places by a policy. */
export function heraldBalancer(policy: Policy, context: HeraldContext): SimulatedBalancer {
  return new HeraldBalancer(policy, context);
}

class HeraldBalancer implements SimulatedBalancer {
  readonly #policy: Policy;
  readonly #context: HeraldContext;
  readonly #picker: Picker;
  readonly #mover: Mover | undefined;
  readonly #nodes: SeenNode[] = [];
  readonly #rates = { meanPerSecond: 0, sweptAtMs: -Infinity };
  #arrivals = 0;
  #placedTotal = 0;
  #own: readonly Connection[] = [];
  #arrivalsPerSecond: number | undefined;
  #tickedAtMs = 0;
  #ticks = 0;
  #assessment: Assessment | undefined;

  constructor(policy: Policy, context: HeraldContext) {
    this.#policy = policy;
    this.#context = context;
    this.#mover = context.moves ? new Mover(policy, context.rng) : undefined;
    this.#picker = createPicker(policy.place.picker, context.rng);
  }

  place(nowMs: number): number {
    this.#arrivals += 1;
    this.#placedTotal += 1;
    return this.#picker(this.#current(nowMs), (index) => this.#nodes[index]?.isUp !== true);
  }

  scores(nowMs: number): ArrayLike<number> {
    return this.#current(nowMs).score;
  }

  opened(connection: Connection): void {
    const counters = this.#nodes[connection.node]?.counters;
    if (counters === undefined) return;
    connection.expectedPerSecond = this.#rates.meanPerSecond;
    connection.mayBeBack = this.#mover?.expectsReturns(connection.openedAtMs) === true;
    counters.open += 1;
    counters.messagesPerSecond += this.#rates.meanPerSecond;
  }

  closed({ node, expectedPerSecond }: Connection): void {
    const counters = this.#nodes[node]?.counters;
    if (counters === undefined) return;
    counters.open -= 1;
    counters.messagesPerSecond = Math.max(0, counters.messagesPerSecond - expectedPerSecond);
  }

  carried({ node }: Connection, messages: number): void {
    const counters = this.#nodes[node]?.counters;
    if (counters !== undefined) counters.messagesToNodeTotal += messages;
  }

  reported(index: number, report: Report, nowMs: number): void {
    const node = this.#nodes[index];
    if (node !== undefined && this.#context.hearsAgents)
      node.load = absorbCounted(this.#policy, node, { report, nowMs });
  }

  joined(joinedAtMs: number): void {
    this.#nodes.push({
      counters: new NodeCounters(),
      joinedAtMs,
      load: undefined,
      autoSaturation: undefined,
      isUp: true,
      isShedding: false,
    });
    this.#assessment = undefined;
  }

  crashed(index: number): void {
    const node = this.#nodes[index];
    if (node !== undefined) node.isUp = false;
    this.#assessment = undefined;
  }

  tick(nowMs: number, open: readonly Connection[]): void {
    const elapsedMs = nowMs - this.#tickedAtMs;
    if (elapsedMs > 0) {
      const span = { count: this.#arrivals, elapsedMs };
      this.#arrivalsPerSecond = nextArrivalRate(this.#arrivalsPerSecond, span);
    }
    this.#arrivals = 0;
    this.#tickedAtMs = nowMs;
    if (this.#ticks % ticksPerSweep === 0) {
      this.#own = open.filter(({ balancer }) => balancer === this.#context.self);
      sweep(this.#rates, nowMs, { own: this.#own, nodes: this.#nodes });
    }
    this.#ticks += 1;
    for (const { counters } of this.#nodes) counters.record(nowMs);
    this.#assessment = undefined;
  }

  shed(nowMs: number): readonly Connection[] {
    if (this.#mover === undefined) return [];
    const { sheds, shedding } = this.#mover.tick(this.#current(nowMs), this.#own, this.#placedTotal);
    this.#nodes.forEach((node, index) => (node.isShedding = shedding.has(`n${index}`)));
    this.#assessment = undefined;
    return sheds;
  }

  // One assessment a step: a real balancer makes two at most (every 50 ms).
  #current(nowMs: number): Assessment {
    if (this.#assessment !== undefined) return this.#assessment;
    const assessment = assess(
      {
        pool: this.#policy.name,
        atMs: nowMs,
        nodes: this.#nodes.map((node, index) => viewOf(node, index, this.#context)),
        visibility: { countsMessages: true, countsConnections: true },
        arrivalsPerSecond: this.#arrivalsPerSecond ?? 0,
        messagesPerSecondPerConnection: this.#rates.meanPerSecond,
      },
      this.#policy,
    );
    this.#nodes.forEach((node, index) => {
      node.autoSaturation = amountWhenFull(assessment.throughputs, index);
    });
    this.#assessment = assessment;
    return assessment;
  }
}

function viewOf(
  { counters, joinedAtMs, load, isUp, isShedding }: SeenNode,
  index: number,
  { declared }: HeraldContext,
): NodeView {
  return {
    id: `n${index}`,
    host: '127.0.0.1',
    port: 1,
    capacity: declared?.[index % declared.length],
    zone: '',
    version: '',
    maxConnections: Infinity,
    adminState: 'ready',
    health: isUp ? 'up' : 'down',
    healthReason: '',
    isShedding,
    joinedAtMs,
    load,
    counters,
  };
}

/** What ConnectionTable.sweep does, over the balancer's own part of the simulation's connections. */
function sweep(
  rates: { meanPerSecond: number; sweptAtMs: number },
  nowMs: number,
  { own, nodes }: { own: readonly Connection[]; nodes: readonly SeenNode[] },
): void {
  const kept = keptWeight(nowMs - rates.sweptAtMs, rateMemoryMs);
  rates.sweptAtMs = nowMs;
  let allMessages = 0;
  let allSeconds = 0;
  for (const each of own) {
    each.recentMessages = each.recentMessages * kept + each.messages;
    each.exposureSeconds = each.exposureSeconds * kept + each.countedMs / 1000;
    each.longMessages += each.messages;
    each.longSeconds += each.countedMs / 1000;
    each.messages = 0;
    each.countedMs = 0;
    allMessages += each.recentMessages;
    allSeconds += each.exposureSeconds;
  }
  if (allSeconds > 0) rates.meanPerSecond = allMessages / allSeconds;
  for (const { counters } of nodes) counters.messagesPerSecond = 0;
  for (const each of own) {
    const { recentMessages: messages, exposureSeconds } = each;
    each.expectedPerSecond = expectedRate(rates.meanPerSecond, { messages, exposureSeconds });
    const counters = nodes[each.node]?.counters;
    if (counters !== undefined) counters.messagesPerSecond += each.expectedPerSecond;
  }
}
