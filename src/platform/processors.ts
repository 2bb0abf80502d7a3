// How many processors this process may use: by the scheduler, and by the limit of its container.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Text of a file; undefined where there is none. */
export type ReadFile = (path: string) => string | undefined;

/**
 * Processors that may be used, 1 or more: those that the scheduler gives, and no more than the quota of the cgroup,
 * rounded up. A container with half a processor has one.
 */
export function usableProcessors(parallelism = availableParallelism(), read: ReadFile = readIfThere): number {
  const quotas = directories(read).flatMap((directory) => quotaIn(directory, read) ?? []);
  return Math.max(1, Math.ceil(Math.min(parallelism, ...quotas)));
}

/** Where the limits of this process may stand: in a container at the root, outside under the process's own path. */
function directories(read: ReadFile): string[] {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  const above = parts.map((_, index) => `/sys/fs/cgroup/${parts.slice(0, index + 1).join('/')}`);
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu', ...above];
}

function quotaIn(directory: string, read: ReadFile): number | undefined {
  const [quota, period] = (read(`${directory}/cpu.max`) ?? '').trim().split(/\s+/);
  return (
    ratio(quota, period) ??
    ratio(read(`${directory}/cpu.cfs_quota_us`)?.trim(), read(`${directory}/cpu.cfs_period_us`)?.trim())
  );
}

/** Undefined for `max` and -1: no limit. */
function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const value = Number(quota) / Number(period);
  return quota !== undefined && quota !== '' && value > 0 ? value : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
