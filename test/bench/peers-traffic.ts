// The clients and nodes of bench:peers: who comes when, what each node can do.
import { planTraffic, type ClientPlan, type TrafficShape } from '../../src/demo/traffic.ts';

const connections = 300;
const messagesPerSecond = 1;
const busyPart = 0.5;
// Nobody tells the balancers. Together the nodes are `busyPart` full of the clients' messages.
const sizes = [0.5, 1, 2, 0.5, 1, 2];
const sizesTotal = sizes.reduce((sum, each) => sum + each, 0);
const fullServiceMs = (1000 * busyPart * sizesTotal) / (connections * messagesPerSecond);
/** The nodes, small and large ones. */
export const benchNodes = sizes.map((size, index) => ({
  id: `n${index + 1}`,
  serviceMs: fullServiceMs / size,
}));
/** The clients of a seed. */
export function plansOf(seed: number, seconds: number): readonly ClientPlan[] {
  return planTraffic(trafficOf(seconds), seed);
}

/** Messages to be expected of these clients until the end. */
export function foreseen(plans: readonly ClientPlan[], seconds: number): number {
  return plans.reduce((sum, plan) => {
    const staysMs = Math.max(0, Math.min(plan.holdMs, seconds * 1000 - plan.arriveAtMs));
    return sum + (staysMs / 1000) * plan.messagesPerSecond;
  }, 0);
}

function trafficOf(seconds: number): TrafficShape {
  return {
    durationMs: seconds * 1000,
    connections,
    holdMs: 30_000,
    messagesPerSecond,
    sigma: 1.5,
    rampMs: 15_000,
  };
}
