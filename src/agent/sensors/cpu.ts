// CPU time of this process ÷ what it may use.
import type { AllowanceReader } from './allowance.ts';
import type { Sensor } from './sensor.ts';

/** Microseconds since the process started, as `process.cpuUsage()` tells them. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
}

/**
 * `cpu`: used ÷ allowed time, or the share of scheduler periods in which the container was throttled, if
 * that is more. A container that waits in every period is full although this process may not be the one
 * that used the quota up: then the value is 1 or above.
 */
export function createCpuSensor(
  cpuUsage: () => CpuTimes,
  { allowance, cpuPeriods }: AllowanceReader,
): Sensor {
  let lastTimes = cpuUsage();
  const throttledShare = createThrottleMeter(cpuPeriods);
  return {
    measure(elapsedMs) {
      const times = cpuUsage();
      const usedMs = (times.user - lastTimes.user + times.system - lastTimes.system) / 1000;
      lastTimes = times;
      return { cpu: Math.max(0, usedMs / (elapsedMs * allowance().cpus), throttledShare()) };
    },
    stop() {},
  };
}

/** Share of scheduler periods since the last call in which the group had to wait, 0..1; 0 where nothing counts them. */
export function createThrottleMeter(cpuPeriods: AllowanceReader['cpuPeriods']): () => number {
  let last = cpuPeriods();
  return () => {
    const now = cpuPeriods();
    const total = (now?.total ?? 0) - (last?.total ?? 0);
    const throttled = (now?.throttled ?? 0) - (last?.throttled ?? 0);
    const isKnown = last !== undefined;
    last = now;
    // Counters start again when the process is moved to another group; a span without periods says nothing.
    return isKnown && total > 0 && throttled > 0 ? throttled / total : 0;
  };
}
