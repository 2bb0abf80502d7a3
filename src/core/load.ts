// What the reports of one node amount to. A report makes a new value; nothing here is changed in place.
import type { Report } from '../protocol/report.ts';
import { blend, keptWeight } from './decay.ts';
import { addPair, learnedWeight, noMoments, type Moments, type Pair } from './moments.ts';
import type { SignalRule, SignalValues } from './signal.ts';
import { readUtilization, type CombineRule, type Utilization } from './utilization.ts';

/** A node's smoothed utilizations, and what was learned from them. */
export interface NodeLoad {
  readonly epoch: string;
  readonly seq: number;
  /** When the current unbroken run of reports began; blackout counts from here. */
  readonly firstAtMs: number;
  /** When the newest sample was taken, by this balancer's clock. */
  readonly sampledAtMs: number;
  readonly intervalMs: number;
  /** The newest values as they came. */
  readonly signals: SignalValues;
  /** The newest reading, unsmoothed. */
  readonly latest: Utilization;
  /** Smoothed additive utilization; NaN while no additive signal has been reported. */
  readonly utilization: number;
  /** Smoothed distress. */
  readonly distress: number;
  /** Connections as the node saw them. */
  readonly reportedConnections: number;
  /** Our own count at the moment of the newest sample. */
  readonly countedAtSample: number;
  /** The node's own count, smoothed exactly as `utilization` is: their difference is what load does not show yet. */
  readonly smoothedConnections: number;
  /** Messages per second that stand for the sample (`ratePerSecond`), smoothed as `utilization` is. */
  readonly smoothedMessagesPerSecond: number;
  /** Pairs of relayed messages per second and utilization. */
  readonly byMessages: Moments;
  /** Pairs of connections and utilization. */
  readonly byConnections: Moments;
  /** Pairs of reported throughput and what the other additive signals showed, for `saturation: auto`. */
  readonly byThroughput: Moments;
}

/** What our own data plane saw over the span of a report; undefined where it does not carry this node. */
export interface RelayWindow {
  /** What was carried. */
  readonly messagesPerSecond: number;
  /** What was expected of the connections that were there: `NodeCounters.messagesPerSecond`, averaged. */
  readonly expectedPerSecond: number;
  /** The same before the span began: it has nothing of the chance of what was carried. Absent: what was carried. */
  readonly foreseenPerSecond?: number;
  /** Connections open or being dialled when the sample was taken. */
  readonly connections: number;
}

/** How a policy wants reports absorbed. */
export interface AbsorbRule {
  readonly signals: readonly SignalRule[];
  readonly combine: CombineRule;
  readonly smoothingMs: number;
  readonly expiryMs: number;
  /** Learned saturation of `auto` signals. */
  readonly autoSaturation: number | undefined;
}

// Above this a measured share of anything is clipped and says nothing about what one message costs.
const learnBelow = 0.9;

/**
 * The load after one more report. The report must be newer than the last of its epoch; the caller checks
 * (`isNewer`). A new epoch, or a gap longer than the expiry, starts smoothing and blackout afresh but keeps
 * what was learned, since an agent's restart does not change what a message costs.
 */
export function absorbReport(
  previous: NodeLoad | undefined,
  report: Report,
  context: { nowMs: number; rule: AbsorbRule; relay: RelayWindow | undefined },
): NodeLoad {
  const { nowMs, rule, relay } = context;
  const sampledAtMs = nowMs - report.ageMs;
  const base = continues(previous, report, { sampledAtMs, expiryMs: rule.expiryMs }) ? previous : undefined;
  const elapsedMs = base === undefined ? 0 : sampledAtMs - base.sampledAtMs;
  const kept = base === undefined ? 0 : keptWeight(elapsedMs, rule.smoothingMs);
  const latest = readUtilization(report.signals, rule.signals, rule);
  return {
    epoch: report.epoch,
    seq: report.seq,
    firstAtMs: base?.firstAtMs ?? nowMs,
    sampledAtMs,
    intervalMs: report.intervalMs,
    signals: report.signals,
    latest,
    utilization: blend(finite(base?.utilization), latest.additive, kept),
    distress: blend(base?.distress, latest.distress, kept),
    reportedConnections: report.connections,
    countedAtSample: relay?.connections ?? report.connections,
    smoothedConnections: blend(base?.smoothedConnections, report.connections, kept),
    smoothedMessagesPerSecond: blend(base?.smoothedMessagesPerSecond, ratePerSecond(relay), kept),
    ...learn(previous, { report, rule, relay, latest, sampledAtMs }),
  };
}

/**
 * The rate that the expected rate of now is compared with: halfway between what was carried and what was then
 * expected. The first has in it the same chance as the report, which so cancels; the second lags as much behind
 * a connection that changes as the estimate of now does, which cancels, too. Either alone is a tenth to a fifth
 * further from the truth (docs/decisions/0015).
 */
function ratePerSecond(relay: RelayWindow | undefined): number {
  return relay === undefined ? 0 : (relay.messagesPerSecond + relay.expectedPerSecond) / 2;
}

/** The node's connections now: those that it reported, and what has come and gone by our own count (`ours`) since. */
export function connectionsNow(load: NodeLoad, ours: number): number {
  return load.reportedConnections + ours - load.countedAtSample;
}

/** True when a report may follow: another epoch, or a higher number in the same one. */
export function isNewer(previous: NodeLoad | undefined, report: Report): boolean {
  return previous === undefined || previous.epoch !== report.epoch || report.seq > previous.seq;
}

function continues(
  previous: NodeLoad | undefined,
  report: Report,
  at: { sampledAtMs: number; expiryMs: number },
): previous is NodeLoad {
  if (previous === undefined || previous.epoch !== report.epoch) return false;
  return at.sampledAtMs - previous.sampledAtMs <= at.expiryMs;
}

function finite(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Clients that talk at the same moments make one second full and the next empty, while load shows their mean. */
function messagePair(relay: RelayWindow, utilization: number): Pair {
  const { messagesPerSecond, foreseenPerSecond = messagesPerSecond } = relay;
  return { x: messagesPerSecond, y: utilization, z: foreseenPerSecond };
}

type Learned = Pick<NodeLoad, 'byMessages' | 'byConnections' | 'byThroughput'>;

const nothingLearned: Learned = { byMessages: noMoments, byConnections: noMoments, byThroughput: noMoments };

function learn(
  previous: NodeLoad | undefined,
  seen: {
    report: Report;
    rule: AbsorbRule;
    relay: RelayWindow | undefined;
    latest: Utilization;
    sampledAtMs: number;
  },
): Learned {
  const { report, rule, relay, latest } = seen;
  const { byMessages, byConnections, byThroughput } = previous ?? nothingLearned;
  const kept = previous === undefined ? 1 : learnedWeight(seen.sampledAtMs - previous.sampledAtMs);
  const y = latest.additive;
  // Three fields, never `previous` itself: spread over the new load it would undo the whole report.
  if (!(y < learnBelow)) return { byMessages, byConnections, byThroughput };
  const throughput = report.signals['throughput'];
  const others = rule.signals.filter(({ saturation }) => saturation !== 'auto');
  const rest = readUtilization(report.signals, others, { combine: rule.combine, autoSaturation: undefined });
  return {
    byMessages: relay === undefined ? byMessages : addPair(byMessages, messagePair(relay, y), kept),
    byConnections: addPair(byConnections, { x: report.connections, y }, kept),
    byThroughput:
      throughput === undefined || Number.isNaN(rest.additive)
        ? byThroughput
        : addPair(byThroughput, { x: throughput, y: rest.additive }, kept),
  };
}
