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
  let lastPeriods = cpuPeriods();
  return {
    measure(elapsedMs) {
      const times = cpuUsage();
      const usedMs = (times.user - lastTimes.user + times.system - lastTimes.system) / 1000;
      lastTimes = times;
      const periods = cpuPeriods();
      const total = (periods?.total ?? 0) - (lastPeriods?.total ?? 0);
      const throttled = (periods?.throttled ?? 0) - (lastPeriods?.throttled ?? 0);
      // Counters start again when the process is moved to another group; a span without periods says nothing.
      const waited = lastPeriods !== undefined && total > 0 && throttled > 0 ? throttled / total : 0;
      lastPeriods = periods;
      return { cpu: Math.max(0, usedMs / (elapsedMs * allowance().cpus), waited) };
    },
    stop() {},
  };
}
