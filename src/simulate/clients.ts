// Clients of one run: how they come, stay, come back and go. The loop over time is in run.ts.
import type { Rng } from '../core/rng.ts';
import type { Report } from '../protocol/report.ts';
import type { Connection, SimulatedBalancer } from './balancer.ts';
import { exponential, lognormal, poisson } from './chance.ts';
import { stepMs, type Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** A client that is on its way to a balancer. */
export interface Client {
  readonly messagesPerSecond: number;
  readonly messageCost: number;
  readonly endsAtMs: number;
}

/** What is to happen at a step. */
export type Event =
  | { readonly kind: 'close' | 'redraw'; readonly connection: Connection }
  | { readonly kind: 'return'; readonly client: Client }
  | { readonly kind: 'report'; readonly node: number; readonly report: Report };

/** One run under way. */
export interface Run {
  readonly scenario: Scenario;
  readonly world: World;
  readonly balancers: readonly SimulatedBalancer[];
  /** Events by step, in the order in which they were made. */
  readonly events: (Event[] | undefined)[];
  /** Separate streams: all rules of a seed meet the same clients, whatever they do with them. */
  readonly clients: Rng;
  readonly messages: Rng;
  readonly reports: Rng;
  /** The step that is being run. */
  step: number;
  refused: number;
  moved: number;
}

// The fleet fills up over half a minute, or the warm-up where that is shorter.
const fillMs = 30_000;

/** Another cost for a connection. */
export function drawCost({ scenario, clients }: Run): Pick<Client, 'messagesPerSecond' | 'messageCost'> {
  const { costSigma, messageSigma, messagesPerSecond } = scenario;
  // Variances of logarithms add up: together they make a cost of `costSigma`.
  const rateSigma = Math.sqrt(costSigma ** 2 - messageSigma ** 2);
  return {
    messagesPerSecond: messagesPerSecond * lognormal(clients, rateSigma),
    messageCost: lognormal(clients, messageSigma),
  };
}

/** Never before the next step; not at all after the end. */
export function schedule(run: Run, atMs: number, event: Event): void {
  if (atMs >= run.scenario.durationMs) return;
  const step = Math.max(run.step + 1, Math.ceil(atMs / stepMs));
  const sameStep = run.events[step];
  if (sameStep === undefined) run.events[step] = [event];
  else sameStep.push(event);
}

/** Clients of one step: while the fleet fills up it grows in a straight line, then as many come as go. */
export function arrive(run: Run, nowMs: number): void {
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

/** Places a client; one that finds no node comes back. */
export function connect(run: Run, client: Client, nowMs: number): void {
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
    mayBeBack: false,
    longMessages: 0,
    longSeconds: 0,
    openedAtMs: nowMs,
  };
  run.world.enter(connection);
  run.balancers[balancer]?.opened(connection);
  schedule(run, client.endsAtMs, { kind: 'close', connection });
  schedule(run, nowMs + exponential(run.clients, run.scenario.redrawMs), { kind: 'redraw', connection });
}

/** Lets a client try again later. */
export function comeBack(run: Run, client: Client, nowMs: number): void {
  const waitMs = Math.max(stepMs, exponential(run.clients, run.scenario.reconnectMs));
  schedule(run, nowMs + waitMs, { kind: 'return', client });
}

/** Ends an open connection. */
export function disconnect(run: Run, connection: Connection): void {
  run.world.leave(connection);
  run.balancers[connection.balancer]?.closed(connection);
}

/** The messages of a connection since they were last drawn. */
export function carry(run: Run, connection: Connection, nowMs: number): void {
  const elapsedMs = nowMs - connection.drawnAtMs;
  if (elapsedMs <= 0) return;
  const messages = poisson(run.messages, (connection.messagesPerSecond * elapsedMs) / 1000);
  connection.drawnAtMs = nowMs;
  connection.messages += messages;
  connection.countedMs += elapsedMs;
  run.world.carry(connection, messages);
  run.balancers[connection.balancer]?.carried(connection, messages);
}
