// What a simulated balancer is to the simulation: told what a real one sees, asked for a node.
import type { Report } from '../protocol/report.ts';

/** One open connection: what is true of it, and what its balancer has counted of it. */
export interface Connection {
  readonly node: number;
  readonly balancer: number;
  readonly endsAtMs: number;
  readonly openedAtMs: number;
  /** True messages per second. */
  messagesPerSecond: number;
  /** True cost of one message; 1 on average. */
  messageCost: number;
  /** When its messages were last drawn. */
  drawnAtMs: number;
  /** Place in the world's list of open connections; -1 when closed. */
  position: number;
  /** Counted and not yet swept, and the time that it was counted in. */
  messages: number;
  countedMs: number;
  /** Recent messages and seconds, old ones forgotten, and the rate that they amount to. */
  recentMessages: number;
  exposureSeconds: number;
  expectedPerSecond: number;
  /** Opened soon after its balancer had asked some to leave: maybe one of those. */
  mayBeBack: boolean;
  /** The same over about a minute, for what is worth moving. */
  longMessages: number;
  longSeconds: number;
}

/** One balancer: it sees the connections it placed itself and every report, and nothing else. */
export interface SimulatedBalancer {
  /** The node for one more connection, by index; -1 when there is none. */
  place(nowMs: number): number;
  /** What it holds each node's load to be, by index; undefined for a rule that has no such number. */
  scores(nowMs: number): ArrayLike<number> | undefined;
  opened(connection: Connection): void;
  closed(connection: Connection): void;
  carried(connection: Connection, messages: number): void;
  /** A report arrived. */
  reported(node: number, report: Report, nowMs: number): void;
  /** A node has joined: the next index. -Infinity: it was there before the balancer. */
  joined(joinedAtMs: number): void;
  /** A node has crashed: its sockets broke and it refuses new ones. */
  crashed(node: number): void;
  /** Connections that it asks to leave now; their clients come back as those of a crashed node do. */
  shed(nowMs: number): readonly Connection[];
  /** Called every step with the open connections of all balancers: one that counts looks at its own. */
  tick(nowMs: number, open: readonly Connection[]): void;
}
