// Reads what the kernel lets a process use, and where its group is: cgroup v2 and v1, with or without a cgroup
// namespace. What is missing or unreadable is no limit; nothing here throws.
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a cgroup allows. Undefined: no limit, or none that can be read. */
export interface CgroupLimits {
  /** CPUs' worth of time, above 0; fractions are usual. */
  readonly cpus: number | undefined;
  /** Bytes, above 0. */
  readonly memoryBytes: number | undefined;
}

/** Counts since the group was made; both only rise. */
export interface CpuPeriods {
  readonly total: number;
  /** Periods in which the group had used up its quota and was made to wait. */
  readonly throttled: number;
}

/** Directories of one process's controllers, innermost first. */
export interface CgroupDirectories {
  readonly cpu: readonly string[];
  readonly cpuacct: readonly string[];
  readonly cpuset: readonly string[];
  readonly memory: readonly string[];
}

// More digits than memory has bytes: v1 writes 9223372036854771712 for "unlimited".
const unlimitedBytes = 2 ** 60;

/**
 * Where a process's limits may be found; this process's when no other is named. `root` is '/' but in tests.
 * A container without a cgroup namespace sees the host's path in /proc/self/cgroup and its own group at the
 * mount point, so the mount point and every ancestor are candidates; ancestors limit their children, too.
 * Empty lists when the process is in another container that may not be looked into.
 */
export function findCgroup(root: string, process = 'self'): CgroupDirectories {
  const text = readText(join(root, 'proc', process, 'cgroup')) ?? '';
  const mount = mountSeenBy(root, process, text);
  if (mount === undefined) return { cpu: [], cpuacct: [], cpuset: [], memory: [] };
  const found = mountPoints(mount);
  for (const line of text.split('\n')) {
    const [, names, ...rest] = line.split(':');
    if (names === undefined) continue;
    const path = rest.join(':');
    if (names === '') addUnified(found, mount, path);
    for (const name of names.split(',')) {
      if (!isController(name)) continue;
      found[name].push(...ancestors(join(mount, name), path), ...ancestors(join(mount, names), path));
    }
  }
  return orderedAll(found);
}

/** Where a group may be found by its path below the mount point, whichever version of cgroups it is in. */
export function cgroupAt(root: string, path: string): CgroupDirectories {
  const mount = join(root, 'sys/fs/cgroup');
  const found = mountPoints(mount);
  addUnified(found, mount, path);
  for (const name of controllers) {
    for (const directory of [name, 'cpu,cpuacct', 'cpuacct,cpu'])
      if (directory.split(',').includes(name)) found[name].push(...ancestors(join(mount, directory), path));
  }
  return orderedAll(found);
}

const controllers = ['cpu', 'cpuacct', 'cpuset', 'memory'] as const;
type Found = Record<(typeof controllers)[number], string[]>;

function isController(name: string): name is keyof Found {
  return controllers.some((controller) => controller === name);
}

function mountPoints(mount: string): Found {
  const unified = [mount, join(mount, 'unified')];
  return { cpu: [...unified], cpuacct: [...unified], cpuset: [...unified], memory: [...unified] };
}

function addUnified(found: Found, mount: string, path: string): void {
  const directories = [...ancestors(mount, path), ...ancestors(join(mount, 'unified'), path)];
  for (const list of Object.values(found)) list.push(...directories);
}

/**
 * Where the groups of a process are mounted. A process of another container has its own group at its own mount
 * point, and ours would show our limits for its; undefined when that may not be looked into.
 */
function mountSeenBy(root: string, process: string, cgroup: string): string | undefined {
  const own = join(root, 'sys/fs/cgroup');
  if (process === 'self') return own;
  const theirs = readLink(join(root, 'proc', process, 'ns/mnt'));
  if (theirs !== undefined && theirs !== readLink(join(root, 'proc/self/ns/mnt')))
    return join(root, 'proc', process, 'root/sys/fs/cgroup');
  return cgroup.includes('/..') ? undefined : own;
}

/** The tightest limits on the way from this process to the root. */
export function readCgroupLimits(directories: CgroupDirectories): CgroupLimits {
  const cpus = [...directories.cpu.map(quotaOf), ...directories.cpuset.map(cpusetOf)];
  return { cpus: smallest(cpus), memoryBytes: smallest(directories.memory.map(memoryOf)) };
}

/** Directory of the innermost group that has a quota, undefined when none has one. */
export function findQuota(directories: CgroupDirectories): string | undefined {
  return directories.cpu.find((directory) => quotaOf(directory) !== undefined);
}

/** Periods of a group with a quota, undefined when it does not count them. */
export function readCpuPeriods(directory: string): CpuPeriods | undefined {
  const text = readText(join(directory, 'cpu.stat')) ?? '';
  const total = /^nr_periods (\d+)$/m.exec(text);
  const throttled = /^nr_throttled (\d+)$/m.exec(text);
  if (total === null || throttled === null) return undefined;
  return { total: Number(total[1]), throttled: Number(throttled[1]) };
}

function quotaOf(directory: string): number | undefined {
  const [v2Quota, v2Period] = (readText(join(directory, 'cpu.max')) ?? '').trim().split(/\s+/);
  const v2 = ratio(v2Quota, v2Period);
  if (v2 !== undefined) return v2;
  return ratio(readText(join(directory, 'cpu.cfs_quota_us')), readText(join(directory, 'cpu.cfs_period_us')));
}

function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const quotaUs = count(quota);
  const periodUs = count(period);
  return quotaUs === undefined || periodUs === undefined ? undefined : quotaUs / periodUs;
}

function cpusetOf(directory: string): number | undefined {
  for (const name of ['cpuset.cpus.effective', 'cpuset.effective_cpus', 'cpuset.cpus']) {
    const cpus = countCpus((readText(join(directory, name)) ?? '').trim());
    if (cpus !== undefined) return cpus;
  }
  return undefined;
}

/** CPUs in a list such as `0-3,7`; undefined for anything else. */
function countCpus(list: string): number | undefined {
  if (!/^\d{1,6}(?:-\d{1,6})?(?:,\d{1,6}(?:-\d{1,6})?)*$/.test(list)) return undefined;
  let cpus = 0;
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    if (last < first) return undefined;
    cpus += last - first + 1;
  }
  return cpus;
}

function memoryOf(directory: string): number | undefined {
  const bytes =
    count(readText(join(directory, 'memory.max'))) ??
    count(readText(join(directory, 'memory.limit_in_bytes')));
  return bytes === undefined || bytes >= unlimitedBytes ? undefined : bytes;
}

/** A whole number above 0; `max`, -1, nothing and garbage are undefined. */
function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 ? value : undefined;
}

/** The directory of a group below its mount point, and of all groups above it. */
function ancestors(mount: string, path: string): string[] {
  // A path with `..` points outside of the namespace: only the mount point itself can be read.
  const names = path.split('/').filter((name) => name !== '');
  if (names.includes('..')) return [mount];
  return [mount, ...names.map((_, index) => join(mount, ...names.slice(0, index + 1)))];
}

function orderedAll({ cpu, cpuacct, cpuset, memory }: Found): CgroupDirectories {
  return { cpu: ordered(cpu), cpuacct: ordered(cpuacct), cpuset: ordered(cpuset), memory: ordered(memory) };
}

function ordered(directories: readonly string[]): readonly string[] {
  return [...new Set(directories)].toSorted((a, b) => b.split('/').length - a.split('/').length);
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
