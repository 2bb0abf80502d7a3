// One run of the demo: a balancer, its node processes and their clients, for one rule and one seed.
import type { Balancer } from '../balancer/balancer.ts';
import type { Assessment } from '../core/assess.ts';
import type { Clock } from '../core/clock.ts';
import { ClientCrowd, type ClientFigures } from './client-crowd.ts';
import type { DemoRow, DemoRule } from './imbalance.ts';
import { NodeFleet, type Measured } from './node-fleet.ts';
import { isNoisy, type Scenario } from './scenario.ts';
import { sleep } from './sleep.ts';

/** What a second looked like. */
export interface DemoSecond {
  readonly row: DemoRow;
  readonly measured: Measured;
  readonly assessment: Assessment;
}

/** What came of a run. */
export interface RunResult {
  readonly rows: readonly DemoRow[];
  readonly clients: ClientFigures;
}

/** What a run needs. */
export interface RunOptions {
  readonly rule: DemoRule;
  readonly seed: number;
  readonly scenario: Scenario;
  /** Started already; the run stops it. */
  readonly balancer: Balancer;
  readonly clock: Clock;
  /** Ends the run early: it rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onSecond: (second: DemoSecond) => void;
}

// The agents' first reports are in before the first client comes.
const settleMs = 1500;

/** Runs one rule. Everything it starts has ended when `run` returns or throws. */
export class DemoRun {
  readonly #options: RunOptions;
  readonly #nodes: NodeFleet;

  constructor(options: RunOptions) {
    const { clock, balancer } = options;
    this.#options = options;
    this.#nodes = new NodeFleet({
      clock,
      intakeUrls: () => [`http://127.0.0.1:${balancer.intakePort}`],
    });
  }

  async run(): Promise<RunResult> {
    const { seed, scenario, balancer, clock, signal } = this.#options;
    const clients = new ClientCrowd(clock);
    try {
      const first = scenario.nodes.filter(({ joinsAt }) => joinsAt === 0);
      await Promise.all(first.map((node) => this.#nodes.start(node)));
      await sleep(clock, settleMs, signal);
      clients.connect(balancer, scenario.traffic, seed);
      const rows = await this.#watch();
      return { rows, clients: await clients.finish() };
    } catch (error) {
      // Ctrl-C reaches the children, too: that one of them has ended is then not what happened.
      signal.throwIfAborted();
      throw error;
    } finally {
      clients.kill();
      await this.#nodes.stopAll();
      await balancer.stop();
    }
  }

  /** Measures and plays the script once a second until the traffic is over. */
  async #watch(): Promise<DemoRow[]> {
    const { scenario, clock, signal, onSecond, balancer, rule, seed } = this.#options;
    const rows: DemoRow[] = [];
    const startedAtMs = clock.nowMs();
    const seconds = scenario.traffic.durationMs / 1000;
    for (let second = 1; second <= seconds; second += 1) {
      await sleep(clock, startedAtMs + second * 1000 - clock.nowMs(), signal);
      const measured = await this.#nodes.measure();
      const counted = second * 1000 > scenario.warmUpMs;
      const nodes = [...measured.values()].map(({ id, utilization, connections }) => ({
        id,
        utilization,
        connections,
      }));
      const row = { seed, rule, second, counted, nodes };
      rows.push(row);
      onSecond({ row, measured, assessment: balancer.assess('demo') });
      await this.#playScript(second / seconds);
    }
    return rows;
  }

  /** Who joins now, who has work of its own, and whose neighbour is noisy; `part` is how much of the run is over. */
  async #playScript(part: number): Promise<void> {
    for (const node of this.#options.scenario.nodes) {
      if (part >= node.joinsAt && !this.#nodes.ids.includes(node.id)) await this.#nodes.start(node);
      if (node.ownWork !== undefined && part >= node.ownWork.from)
        this.#nodes.setOwnWork(node.id, node.ownWork.part);
      if (node.noise === undefined) continue;
      const slowdown = isNoisy(node.noise, part) ? node.noise.slowdown : 1;
      const serviceMs = node.serviceMs * slowdown;
      this.#nodes.setServiceMs(node.id, serviceMs);
    }
  }
}
