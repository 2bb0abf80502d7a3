// What is true of a simulated fleet: nodes, their load, the open connections. Who placed them where is not decided here.
import type { Rng } from '../core/rng.ts';
import type { Report } from '../protocol/report.ts';
import type { Connection } from './balancer.ts';
import { normal } from './chance.ts';
import type { Scenario } from './scenario.ts';

interface TrueNode {
  readonly size: number;
  isUp: boolean;
  connections: number;
  /** Messages per second × cost of one, over its connections: what it is expected to do a second. */
  expectedWork: number;
  /** Messages and work since its last report. */
  messages: number;
  work: number;
  reports: number;
}

/** The truth of one run. */
export class World {
  readonly nodes: TrueNode[] = [];
  readonly open: Connection[] = [];
  openedTotal = 0;
  closedTotal = 0;
  readonly #scenario: Scenario;
  /** Work per second that fills a node of size 1, from its intercept on. */
  readonly #fullWork: number;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    for (let index = 0; index < scenario.nodes; index += 1) this.join();
    const sizes = this.nodes.reduce((sum, { size }) => sum + size, 0);
    const work = scenario.connections * scenario.messagesPerSecond;
    this.#fullWork = work / (sizes * (scenario.meanUtilization - scenario.intercept));
  }

  /** One more node, empty. */
  join(): void {
    const { sizes } = this.#scenario;
    const size = sizes[this.nodes.length % sizes.length] ?? 1;
    this.nodes.push({ size, isUp: true, connections: 0, expectedWork: 0, messages: 0, work: 0, reports: 0 });
  }

  enter(connection: Connection): void {
    connection.position = this.open.length;
    this.open.push(connection);
    this.openedTotal += 1;
    this.#count(connection, 1);
    this.#change(connection, 1);
  }

  leave(connection: Connection): void {
    const last = this.open.pop();
    if (last !== undefined && last !== connection) {
      this.open[connection.position] = last;
      last.position = connection.position;
    }
    connection.position = -1;
    this.closedTotal += 1;
    this.#count(connection, -1);
    this.#change(connection, -1);
  }

  /** Gives an open connection another cost. */
  redraw(connection: Connection, cost: Pick<Connection, 'messagesPerSecond' | 'messageCost'>): void {
    this.#change(connection, -1);
    connection.messagesPerSecond = cost.messagesPerSecond;
    connection.messageCost = cost.messageCost;
    this.#change(connection, 1);
  }

  /** Adds messages of a connection to what its node has done. */
  carry({ node, messageCost }: Connection, messages: number): void {
    const seen = this.nodes[node];
    if (seen === undefined) return;
    seen.messages += messages;
    seen.work += messages * messageCost;
  }

  /** Load offered to each node that is up, as a part of what it can do; above 1 when it is too much. */
  utilizations(): number[] {
    const { intercept } = this.#scenario;
    return this.nodes
      .filter(({ isUp }) => isUp)
      .map(({ expectedWork, size }) => intercept + Math.max(0, expectedWork) / (this.#fullWork * size));
  }

  /** What a node's agent says of the span since its last report. */
  report(index: number, rng: Rng): Report | undefined {
    const node = this.nodes[index];
    if (node === undefined) return undefined;
    const { report, intercept } = this.#scenario;
    const seconds = report.intervalMs / 1000;
    const busy = intercept + node.work / (seconds * this.#fullWork * node.size);
    // A share of time: never above 1, however much waits.
    const cpu = Math.min(1, Math.max(0, busy * (1 + report.noise * normal(rng))));
    node.reports += 1;
    const throughput = node.messages / seconds;
    node.messages = 0;
    node.work = 0;
    return {
      pool: 'simulated',
      node: { id: `n${index}` },
      epoch: 'e',
      seq: node.reports,
      ageMs: report.delayMs,
      intervalMs: report.intervalMs,
      connections: node.connections,
      signals: { cpu, eventLoopUtilization: cpu, throughput },
      leaving: false,
    };
  }

  #count({ node }: Connection, sign: 1 | -1): void {
    const seen = this.nodes[node];
    if (seen !== undefined) seen.connections += sign;
  }

  #change({ node, messagesPerSecond, messageCost }: Connection, sign: 1 | -1): void {
    const seen = this.nodes[node];
    if (seen === undefined) return;
    seen.expectedWork += sign * messagesPerSecond * messageCost;
  }
}
