// CPU time and memory of a control group, v2 or v1.
import { join } from 'node:path';
import type { AllowanceReader } from './allowance.ts';
import type { CgroupDirectories } from './cgroup.ts';
import { readKernelText } from './read-file.ts';
import type { ReadScope } from './scope.ts';

/** Where a group is, and how to name it to people. */
export interface CgroupPlace {
  readonly name: string;
  /** The first that tells its usage is the group. */
  readonly directories: readonly string[];
  readonly allowances: AllowanceReader;
}

/** Directories of a named group, whichever version it is in; no ancestors, since their numbers are others', too. */
export function namedGroup(root: string, path: string): readonly string[] {
  const mount = join(root, 'sys/fs/cgroup');
  const mounts = ['', 'unified', 'cpuacct', 'cpu,cpuacct', 'cpuacct,cpu', 'memory'];
  return mounts.map((name) => join(mount, name, path));
}

/** Directories that may be the agent's own group, innermost first: the mount point of a container is its group. */
export function ownGroup({ cpu, cpuacct, memory }: CgroupDirectories): readonly string[] {
  return [...new Set([...cpu, ...cpuacct, ...memory])].toSorted((a, b) => depthOf(b) - depthOf(a));
}

/** Reads the usage of a group. */
export function createCgroupReader({ name, directories, allowances }: CgroupPlace): ReadScope {
  return () => {
    const cpu = first(directories, readCpuMs);
    if (cpu === undefined)
      return {
        missing: `no cgroup ${name}: neither cpu.stat nor cpuacct.usage can be read there; check measure`,
      };
    const memory = first(directories, readMemoryBytes);
    return { identity: cpu.directory, cpuMs: cpu.value, memoryBytes: memory?.value, allowances };
  };
}

/** CPU time of a group, milliseconds; undefined where nothing counts it. */
function readCpuMs(directory: string): number | undefined {
  const v2 = /^usage_usec (\d{1,18})$/m.exec(readKernelText(join(directory, 'cpu.stat')) ?? '');
  if (v2 !== null) return Number(v2[1]) / 1000;
  const v1 = /^(\d{1,20})\s*$/.exec(readKernelText(join(directory, 'cpuacct.usage')) ?? '');
  return v1 === null ? undefined : Number(v1[1]) / 1e6;
}

/** What a group holds, without file cache that the kernel would give back at once: the kubelet's working set. */
function readMemoryBytes(directory: string): number | undefined {
  const v2 = readKernelText(join(directory, 'memory.current'));
  const v1 = v2 === undefined ? readKernelText(join(directory, 'memory.usage_in_bytes')) : undefined;
  const used = /^(\d{1,20})\s*$/.exec(v2 ?? v1 ?? '');
  if (used === null) return undefined;
  const stat = readKernelText(join(directory, 'memory.stat')) ?? '';
  const key = v2 === undefined ? /^total_inactive_file (\d+)$/m : /^inactive_file (\d+)$/m;
  return Math.max(0, Number(used[1]) - Number(key.exec(stat)?.[1] ?? 0));
}

function first(
  directories: readonly string[],
  read: (directory: string) => number | undefined,
): { directory: string; value: number } | undefined {
  for (const directory of directories) {
    const value = read(directory);
    if (value !== undefined) return { directory, value };
  }
  return undefined;
}

function depthOf(directory: string): number {
  return directory.split('/').length;
}
