// One run of `herald demo --scale`: a balancer that starts and stops real node processes by its own recommendation,
// under clients that come, talk, and come back where they are asked to.
import type { Balancer } from '../balancer/balancer.ts';
import type { Assessment } from '../core/assess.ts';
import type { ScaleExecutor } from '../balancer/control/ports.ts';
import type { Clock } from '../core/clock.ts';
import type { EventRecord } from '../protocol/operations.ts';
import type { Scaling } from '../protocol/scaling.ts';
import { ClientCrowd, type ClientFigures } from './client-crowd.ts';
import type { NodeSecond } from './imbalance.ts';
import { NodeFleet, type Measured } from './node-fleet.ts';
import { createProcessExecutor } from './process-executor.ts';
import type { ScaleScenario } from './scale-scenario.ts';
import { sleep } from './sleep.ts';

/** One second: a line of `--json`. */
export interface ScaleRow {
  /** Seconds since the first client. */
  readonly second: number;
  readonly desiredNodes: number;
  readonly wantedNodes: number | null;
  readonly totalLoad: number | null;
  readonly nodes: readonly NodeSecond[];
}

/** What a second looked like. */
export interface ScaleSecond {
  readonly row: ScaleRow;
  readonly measured: Measured;
  readonly assessment: Assessment;
  readonly scaling: Scaling;
  /** What has been told so far about nodes, scaling and drains, oldest first. */
  readonly events: readonly (EventRecord & { readonly second: number })[];
}

/** What came of it. */
export interface ScaleResult {
  readonly rows: readonly ScaleRow[];
  readonly clients: ClientFigures;
}

/** What a run needs. */
export interface ScaleRunOptions {
  readonly seed: number;
  readonly scenario: ScaleScenario;
  /** Starts a balancer that has this start and stop the nodes of its pool; the run stops it. */
  readonly startBalancer: (executor: ScaleExecutor) => Promise<Balancer>;
  readonly clock: Clock;
  /** Ends the run early: it rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onSecond: (second: ScaleSecond) => void;
}

const pool = 'demo';
const startWithinMs = 60_000;
const pollMs = 100;
const toldTypes = /^(scale|operation)\./;

/** Runs it. Everything that was started has ended when this settles. */
export async function runScaling(options: ScaleRunOptions): Promise<ScaleResult> {
  const { seed, scenario, clock, signal } = options;
  let intakeUrl = '';
  const fleet = new NodeFleet({ clock, intakeUrls: () => [intakeUrl] });
  const executor = createProcessExecutor({ fleet, serviceMs: scenario.serviceMs });
  // Before anything else is started: what does not bind leaves nothing to end.
  const balancer = await options.startBalancer(executor);
  const clients = new ClientCrowd(clock);
  intakeUrl = `http://127.0.0.1:${balancer.intakePort}`;
  try {
    await untilServed(balancer, options);
    clients.connect(balancer, scenario.traffic, seed);
    const rows = await watch(options, balancer, fleet);
    return { rows, clients: await clients.finish() };
  } catch (error) {
    // Ctrl-C reaches the children, too: that one of them has ended is then not what happened.
    signal.throwIfAborted();
    throw error;
  } finally {
    clients.kill();
    // First of all nobody may start another node.
    await balancer.stop();
    await fleet.stopAll();
  }
}

/** The policy's `min` is what starts the first nodes. */
async function untilServed(balancer: Balancer, { clock, signal }: ScaleRunOptions): Promise<void> {
  const untilMs = clock.nowMs() + startWithinMs;
  for (;;) {
    const { min } = balancer.scaling.scaling(pool);
    const ready = balancer.assess(pool).states.filter((state) => state === 'valid').length;
    if (ready >= min) return;
    if (clock.nowMs() > untilMs) throw new Error(`${ready} of ${min} nodes have come in ${startWithinMs} ms`);
    await sleep(clock, pollMs, signal);
  }
}

/** Measures once a second until the traffic is over. */
async function watch(options: ScaleRunOptions, balancer: Balancer, fleet: NodeFleet): Promise<ScaleRow[]> {
  const { scenario, clock, signal, onSecond } = options;
  const rows: ScaleRow[] = [];
  const events: ScaleSecond['events'][number][] = [];
  let second = 1;
  const endListening = balancer.events.listen((event) => {
    if (toldTypes.test(event.type)) events.push({ ...event, second });
  });
  const startedAtMs = clock.nowMs();
  const seconds = scenario.traffic.durationMs / 1000;
  for (; second <= seconds; second += 1) {
    await sleep(clock, startedAtMs + second * 1000 - clock.nowMs(), signal);
    const measured = await fleet.measure();
    const scaling = balancer.scaling.scaling(pool);
    const { desiredNodes, wantedNodes, totalLoad } = scaling;
    const nodes = [...measured.values()].map(({ id, utilization, connections }) => ({
      id,
      utilization,
      connections,
    }));
    const row = { second, desiredNodes, wantedNodes, totalLoad, nodes };
    rows.push(row);
    onSecond({ row, measured, assessment: balancer.assess(pool), scaling, events });
  }
  endListening();
  return rows;
}
