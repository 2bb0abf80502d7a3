// The library entry `herald-balancer/agent`: public names, and the wiring to this machine.
import { availableParallelism, hostname, totalmem } from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import process from 'node:process';
import { createSystemClock } from '../platform/system-clock.ts';
import { createSystemRng } from '../platform/system-rng.ts';
import { openAgentCheckServer } from './agent-check-server.ts';
import { createTraffic } from './observers/traffic.ts';
import type { AgentOptions } from './options.ts';
import { readOptions } from './read-options.ts';
import { createReportSender } from './report-sender.ts';
import { type Agent, RunningAgent } from './running-agent.ts';
import { createAllowanceReader } from './sensors/allowance.ts';
import { findCgroup } from './sensors/cgroup.ts';
import { createCpuSensor } from './sensors/cpu.ts';
import { createLagSensor, createUtilizationSensor } from './sensors/event-loop.ts';
import { createMemorySensor } from './sensors/memory.ts';
import { createThroughputSensor } from './sensors/throughput.ts';

export type { AdminState, AgentEvent, ReportFailure } from './event.ts';
export type { ObservableServer, Unobserve } from './observers/observable.ts';
export type { AgentCheckOptions, AgentOptions, CustomSignal, ShedWish } from './options.ts';
export type { BalancerStatus } from './reporter.ts';
export type { Agent } from './running-agent.ts';
export type { AgentCheckStatus, AgentStatus } from './status.ts';

/** 50 wake-ups a second: a stall of 20 ms cannot hide, and the timer costs next to nothing. */
const lagResolutionMs = 20;

/**
 * Makes an agent for this process; `start` makes it report. It never keeps the process alive.
 * Throws HERALD_AGENT_INVALID with all that is wrong with the options.
 */
export function createAgent(options: AgentOptions): Agent {
  const settings = readOptions(options, { nodeId: process.env['HERALD_NODE_ID'], hostname: hostname() });
  const clock = createSystemClock();
  const traffic = createTraffic();
  const allowances = createAllowanceReader(clock, findCgroup('/'), () => ({
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
  }));
  const lag = createLagSensor(monitorEventLoopDelay({ resolution: lagResolutionMs }), lagResolutionMs);
  const { onEvent, onAdminState, onShed } = options;
  return new RunningAgent(
    settings,
    { onEvent, onAdminState, onShed },
    {
      clock,
      traffic,
      rng: createSystemRng(),
      openSender: createReportSender,
      openAgentCheckServer,
      eventLoopLagMaxMs: lag.maxMs,
      sensors: {
        cpu: createCpuSensor(() => process.cpuUsage(), allowances),
        eventLoopLag: lag,
        eventLoopUtilization: createUtilizationSensor(utilizationMeter()),
        memory: createMemorySensor(() => process.memoryUsage.rss(), allowances),
        throughput: createThroughputSensor(traffic),
      },
    },
  );
}

function utilizationMeter(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
