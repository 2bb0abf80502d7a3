// One seeded run of one rule in one scenario: the loop over time. What is true is in world.ts, what is measured in measure.ts.
import type { Connection } from './balancer.ts';
import { exponential, quickRng } from './chance.ts';
import {
  arrive,
  carry,
  comeBack,
  connect,
  disconnect,
  drawCost,
  schedule,
  type Event,
  type Run,
} from './clients.ts';
import { createMeter, type Figures } from './measure.ts';
import type { Rule } from './rules.ts';
import { checkScenario, stepMs, type Scenario } from './scenario.ts';
import { World } from './world.ts';

/** What came of one run. */
export interface RunResult extends Figures {
  /** Connections opened, closed, and open at the end: the first is the sum of the others. */
  readonly opened: number;
  readonly closed: number;
  readonly open: number;
  /** Placements that found no node; their clients came back. */
  readonly refused: number;
  /** Connections that balancers asked to leave. */
  readonly moved: number;
}

// A fifth of the connections draw their messages at each step, so that each draws twice a second.
const drawnEveryMs = 500;
const measuredEveryMs = 1000;
const shedEveryMs = 1000;

/** Runs a scenario; the same seed gives the same result. Throws HERALD_SCENARIO_INVALID for one that cannot be. */
export function simulate(scenario: Scenario, rule: Rule, seed: number): RunResult {
  checkScenario(scenario);
  const run = createRun(scenario, rule, seed);
  const meter = createMeter();
  for (let step = 0; step * stepMs < scenario.durationMs; step += 1) {
    const nowMs = step * stepMs;
    run.step = step;
    if (nowMs === scenario.warmUpMs) changeFleet(run, nowMs);
    for (const event of run.events[step] ?? []) happen(run, event, nowMs);
    run.events[step] = undefined;
    drawMessages(run, step);
    for (const balancer of run.balancers) balancer.tick(nowMs, run.world.open);
    if (nowMs % shedEveryMs === 0) moveConnections(run, nowMs);
    sampleReports(run, step);
    arrive(run, nowMs);
    const isMeasured =
      nowMs >= (scenario.measuredFromMs ?? scenario.warmUpMs) && nowMs % measuredEveryMs === 0;
    if (isMeasured) meter.add(run.world.utilizations(), scoresOfFirst(run, nowMs));
  }
  const { openedTotal, closedTotal, open } = run.world;
  return {
    ...meter.figures(),
    opened: openedTotal,
    closed: closedTotal,
    open: open.length,
    refused: run.refused,
    moved: run.moved,
  };
}

/** What the first balancer thinks of the nodes that are up. */
function scoresOfFirst({ balancers, world }: Run, nowMs: number): number[] | undefined {
  const scores = balancers[0]?.scores(nowMs);
  if (scores === undefined) return undefined;
  return world.nodes.flatMap(({ isUp }, index) => (isUp ? [scores[index] ?? NaN] : []));
}

function createRun(scenario: Scenario, rule: Rule, seed: number): Run {
  const rngs = Array.from({ length: scenario.balancers }, (_, self) => quickRng(seed, 100 + self));
  const balancers = rule.create(scenario, rngs);
  const world = new World(scenario);
  for (const balancer of balancers) for (const _ of world.nodes) balancer.joined(-Infinity);
  return {
    scenario,
    world,
    balancers,
    events: [],
    clients: quickRng(seed, 1),
    messages: quickRng(seed, 2),
    reports: quickRng(seed, 3),
    step: 0,
    refused: 0,
    moved: 0,
  };
}

function happen(run: Run, event: Event, nowMs: number): void {
  if (event.kind === 'return') return connect(run, event.client, nowMs);
  if (event.kind === 'report') {
    // What a crashed node had sent still arrives; it changes nothing, the node is down.
    for (const balancer of run.balancers) balancer.reported(event.node, event.report, nowMs);
    return;
  }
  const { connection } = event;
  // Its node has crashed in the meantime.
  if (connection.position === -1) return;
  carry(run, connection, nowMs);
  if (event.kind === 'close') return disconnect(run, connection);
  run.world.redraw(connection, drawCost(run));
  schedule(run, nowMs + exponential(run.clients, run.scenario.redrawMs), { kind: 'redraw', connection });
}

function drawMessages(run: Run, step: number): void {
  const { open } = run.world;
  const drawnEvery = (run.scenario.messagesEveryMs ?? drawnEveryMs) / stepMs;
  for (let index = step % drawnEvery; index < open.length; index += drawnEvery) {
    const connection = open[index];
    if (connection !== undefined) carry(run, connection, step * stepMs);
  }
}

/** Agents do not report in step: each at its own point of the interval. */
function sampleReports(run: Run, step: number): void {
  const { intervalMs, delayMs } = run.scenario.report;
  const stepsEach = intervalMs / stepMs;
  run.world.nodes.forEach(({ isUp }, node) => {
    if (!isUp || step === 0 || (step + node * 7) % stepsEach !== 0) return;
    const report = run.world.report(node, run.reports);
    if (report === undefined) return;
    const event: Event = { kind: 'report', node, report };
    schedule(run, step * stepMs + delayMs, event);
  });
}

function moveConnections(run: Run, nowMs: number): void {
  for (const balancer of run.balancers) {
    const sheds = balancer.shed(nowMs);
    run.moved += sheds.length;
    sendAway(run, sheds, nowMs);
  }
}

/** Joins and crashes, at the end of the warm-up: what follows is measured. */
function changeFleet(run: Run, nowMs: number): void {
  const { joins, crashes } = run.scenario;
  for (let count = 0; count < joins; count += 1) {
    run.world.join();
    for (const balancer of run.balancers) balancer.joined(nowMs);
  }
  for (let node = 0; node < crashes; node += 1) crash(run, node, nowMs);
}

function crash(run: Run, node: number, nowMs: number): void {
  const seen = run.world.nodes[node];
  if (seen !== undefined) seen.isUp = false;
  for (const balancer of run.balancers) balancer.crashed(node);
  sendAway(
    run,
    run.world.open.filter((each) => each.node === node),
    nowMs,
  );
}

/** Ends connections whose clients come back. */
function sendAway(run: Run, connections: readonly Connection[], nowMs: number): void {
  for (const connection of connections) {
    carry(run, connection, nowMs);
    disconnect(run, connection);
    comeBack(run, connection, nowMs);
  }
}
