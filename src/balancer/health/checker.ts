// Active health checks: which node is due, and what a row of results means. How a check is made is probe.ts.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import type { Policy } from '../../policy/policy.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { Registry } from '../state/registry.ts';
import type { CheckRule, Probe } from './probe.ts';

const tickMs = 100;
// Checks of one policy are spread by a tenth of the interval, so that nodes are not all asked at once.
const jitter = 0.1;

interface CheckState {
  dueAtMs: number;
  isRunning: boolean;
  failures: number;
  successes: number;
}

interface Checked {
  readonly node: NodeRecord;
  readonly pool: string;
}

/** Checks with a lifetime. */
export interface HealthChecker {
  start(): void;
  /** No further check begins and no result counts; what was found stays as it is. */
  stop(): void;
}

/** Checks every node of every pool as its policy asks. */
export function createHealthChecker(deps: {
  registry: Registry;
  probe: Probe;
  clock: Clock;
  rng: Rng;
}): HealthChecker {
  const { registry, clock, rng } = deps;
  const states = new WeakMap<NodeRecord, CheckState>();
  let timer: Timer | undefined;
  let isStopped = false;

  function stateOf(node: NodeRecord, rule: CheckRule): CheckState {
    const known = states.get(node);
    if (known !== undefined) return known;
    // The first checks come soon, but spread: a balancer that starts has a whole fleet to ask.
    const dueAtMs = clock.nowMs() + rng.next() * Math.min(rule.intervalMs, 1000);
    const fresh = { dueAtMs, isRunning: false, failures: 0, successes: 0 };
    states.set(node, fresh);
    return fresh;
  }

  async function check({ node, pool }: Checked, state: CheckState, rule: CheckRule): Promise<void> {
    state.isRunning = true;
    const { host, port } = node.identity;
    const failure = await deps.probe({ host, port, pool }, rule);
    state.isRunning = false;
    state.dueAtMs = clock.nowMs() + rule.intervalMs * (1 + jitter * (2 * rng.next() - 1));
    // We lacked something ourselves: that says nothing of the node, so the row of results goes on as it was.
    if (!isStopped && failure !== undefined) settle(node, { state, rule, failure });
  }

  function settle(node: NodeRecord, result: { state: CheckState; rule: CheckRule; failure: string }): void {
    const { state, rule, failure } = result;
    state.failures = failure === '' ? 0 : state.failures + 1;
    state.successes = failure === '' ? state.successes + 1 : 0;
    const isDown = node.checkFailure !== '';
    const isOver = isDown ? state.successes >= rule.rise : state.failures >= rule.fall;
    if (!isOver) return;
    // The node may have been removed while it was being asked.
    if (registry.hasNode(node)) registry.setCheckFailure(node.identity.id, failure);
  }

  function checkIfDue(checked: Checked, rule: Policy['health']['check']): void {
    const { node } = checked;
    if (rule.kind === 'off') {
      // A policy that no longer checks must not leave a node down for ever.
      if (node.checkFailure !== '') registry.setCheckFailure(node.identity.id, '');
      return;
    }
    const state = stateOf(node, rule);
    if (!state.isRunning && clock.nowMs() >= state.dueAtMs) void check(checked, state, rule);
  }

  function tick(): void {
    for (const { name: pool, nodes, policy } of registry.pools.values()) {
      for (const node of nodes.values()) checkIfDue({ node, pool }, policy.health.check);
    }
  }

  return {
    start: () => {
      timer = clock.repeat(tickMs, tick);
    },
    stop: () => {
      isStopped = true;
      timer?.cancel();
    },
  };
}
