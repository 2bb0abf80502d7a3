// One seeded run of one rule in one scenario: the loop over time. What is true is in world.ts, what is measured in measure.ts.
import type { Rng } from '../core/rng.ts';
import type { Report } from '../protocol/report.ts';
import type { Connection, SimulatedBalancer } from './balancer.ts';
import { exponential, lognormal, poisson, quickRng } from './chance.ts';
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
}

/** A client that is on its way to a balancer. */
interface Client {
  readonly messagesPerSecond: number;
  readonly messageCost: number;
  readonly endsAtMs: number;
}

type Event =
  | { readonly kind: 'close' | 'redraw'; readonly connection: Connection }
  | { readonly kind: 'return'; readonly client: Client }
  | { readonly kind: 'report'; readonly node: number; readonly report: Report };

interface Run {
  readonly scenario: Scenario;
  readonly world: World;
  readonly balancers: readonly SimulatedBalancer[];
  /** Events by step, in the order in which they were made. */
  readonly events: (Event[] | undefined)[];
  /** Separate streams: all rules of a seed meet the same clients, whatever they do with them. */
  readonly clients: Rng;
  readonly messages: Rng;
  readonly reports: Rng;
  refused: number;
}

// A fifth of the connections draw their messages at each step, so that each draws twice a second.
const drawnEvery = 5;
// The fleet fills up over half a minute, or the warm-up where that is shorter.
const fillMs = 30_000;
const measuredEveryMs = 1000;

/** Runs a scenario; the same seed gives the same result. Throws HERALD_SCENARIO_INVALID for one that cannot be. */
export function simulate(scenario: Scenario, rule: Rule, seed: number): RunResult {
  checkScenario(scenario);
  const run = createRun(scenario, rule, seed);
  const meter = createMeter();
  for (let step = 0; step * stepMs < scenario.durationMs; step += 1) {
    const nowMs = step * stepMs;
    if (nowMs === scenario.warmUpMs) changeFleet(run, nowMs);
    for (const event of run.events[step] ?? []) happen(run, event, nowMs);
    run.events[step] = undefined;
    drawMessages(run, step);
    for (const balancer of run.balancers) balancer.tick(nowMs, run.world.open);
    sampleReports(run, step);
    arrive(run, nowMs);
    const isMeasured = nowMs >= scenario.warmUpMs && nowMs % measuredEveryMs === 0;
    if (isMeasured) meter.add(run.world.utilizations());
  }
  const { openedTotal, closedTotal, open } = run.world;
  return {
    ...meter.figures(),
    opened: openedTotal,
    closed: closedTotal,
    open: open.length,
    refused: run.refused,
  };
}

function createRun(scenario: Scenario, rule: Rule, seed: number): Run {
  const balancers = Array.from({ length: scenario.balancers }, (_, self) =>
    rule.create(scenario, { self, rng: quickRng(seed, 100 + self) }),
  );
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
    refused: 0,
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

function drawCost({ scenario, clients }: Run): Pick<Client, 'messagesPerSecond' | 'messageCost'> {
  const { costSigma, messageSigma, messagesPerSecond } = scenario;
  // Variances of logarithms add up: together they make a cost of `costSigma`.
  const rateSigma = Math.sqrt(costSigma ** 2 - messageSigma ** 2);
  return {
    messagesPerSecond: messagesPerSecond * lognormal(clients, rateSigma),
    messageCost: lognormal(clients, messageSigma),
  };
}

/** Never before the next step; not at all after the end. */
function schedule(run: Run, atMs: number, event: Event): void {
  if (atMs >= run.scenario.durationMs) return;
  const step = Math.ceil(atMs / stepMs);
  const sameStep = run.events[step];
  if (sameStep === undefined) run.events[step] = [event];
  else sameStep.push(event);
}

/** Clients of one step: while the fleet fills up it grows in a straight line, then as many come as go. */
function arrive(run: Run, nowMs: number): void {
  const { connections, holdMs, warmUpMs } = run.scenario;
  const fillUntilMs = Math.max(stepMs, Math.min(fillMs, warmUpMs));
  const filled = Math.min(1, nowMs / fillUntilMs);
  const growth = filled < 1 ? (connections * stepMs) / fillUntilMs : 0;
  const count = poisson(run.clients, (filled * connections * stepMs) / holdMs + growth);
  for (let index = 0; index < count; index += 1) {
    const endsAtMs = nowMs + exponential(run.clients, holdMs);
    connect(run, { ...drawCost(run), endsAtMs }, nowMs);
  }
}

function connect(run: Run, client: Client, nowMs: number): void {
  if (client.endsAtMs <= nowMs) return;
  const balancer = Math.floor(run.clients.next() * run.balancers.length);
  const node = run.balancers[balancer]?.place(nowMs) ?? -1;
  if (node === -1) {
    run.refused += 1;
    return comeBack(run, client, nowMs);
  }
  const { messagesPerSecond, messageCost, endsAtMs } = client;
  const connection: Connection = {
    messagesPerSecond,
    messageCost,
    endsAtMs,
    node,
    balancer,
    drawnAtMs: nowMs,
    position: -1,
    messages: 0,
    countedMs: 0,
    recentMessages: 0,
    exposureSeconds: 0,
    expectedPerSecond: 0,
  };
  run.world.enter(connection);
  run.balancers[balancer]?.opened(connection);
  schedule(run, client.endsAtMs, { kind: 'close', connection });
  schedule(run, nowMs + exponential(run.clients, run.scenario.redrawMs), { kind: 'redraw', connection });
}

function comeBack(run: Run, client: Client, nowMs: number): void {
  const waitMs = Math.max(stepMs, exponential(run.clients, run.scenario.reconnectMs));
  schedule(run, nowMs + waitMs, { kind: 'return', client });
}

function disconnect(run: Run, connection: Connection): void {
  run.world.leave(connection);
  run.balancers[connection.balancer]?.closed(connection);
}

/** The messages of a connection since they were last drawn. */
function carry(run: Run, connection: Connection, nowMs: number): void {
  const elapsedMs = nowMs - connection.drawnAtMs;
  if (elapsedMs <= 0) return;
  const messages = poisson(run.messages, (connection.messagesPerSecond * elapsedMs) / 1000);
  connection.drawnAtMs = nowMs;
  connection.messages += messages;
  connection.countedMs += elapsedMs;
  run.world.carry(connection, messages);
  run.balancers[connection.balancer]?.carried(connection, messages);
}

function drawMessages(run: Run, step: number): void {
  const { open } = run.world;
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
    // One without delay arrives at the next step like everything that is scheduled, so it is that old.
    const event: Event = { kind: 'report', node, report };
    schedule(run, step * stepMs + Math.max(stepMs, delayMs), event);
  });
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
  const lost = run.world.open.filter((each) => each.node === node);
  for (const connection of lost) {
    carry(run, connection, nowMs);
    disconnect(run, connection);
    comeBack(run, connection, nowMs);
  }
}
