// What this process may use of CPU and memory, read again now and then: limits change while containers run.
import type { Clock } from '../../core/clock.ts';
import type { CgroupDirectories, CpuPeriods } from './cgroup.ts';
import { findQuota, readCgroupLimits, readCpuPeriods } from './cgroup.ts';

/** What the process may use. */
export interface Allowance {
  /** CPUs' worth of time, above 0. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Reads the allowance, at most every half minute. */
export interface AllowanceReader {
  readonly allowance: () => Allowance;
  /** Undefined where no quota is set: nothing can be throttled then. */
  readonly cpuPeriods: () => CpuPeriods | undefined;
}

const rereadMs = 30_000;

/** `machine` is what there is without any cgroup; every limit below it counts. */
export function createAllowanceReader(
  clock: Clock,
  directories: CgroupDirectories,
  machine: () => Allowance,
): AllowanceReader {
  // Looking for a quota opens a dozen files; not once per sample.
  let quota = findQuota(directories);
  let known = read();
  let readAtMs = clock.nowMs();

  function read(): Allowance {
    const limits = readCgroupLimits(directories);
    const { cpus, memoryBytes } = machine();
    return {
      cpus: Math.min(cpus, limits.cpus ?? cpus),
      memoryBytes: Math.min(memoryBytes, limits.memoryBytes ?? memoryBytes),
    };
  }

  return {
    allowance() {
      if (clock.nowMs() - readAtMs < rereadMs) return known;
      readAtMs = clock.nowMs();
      quota = findQuota(directories);
      known = read();
      return known;
    },
    cpuPeriods: () => (quota === undefined ? undefined : readCpuPeriods(quota)),
  };
}
