import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  findCgroup,
  findQuota,
  readCgroupLimits,
  readCpuPeriods,
} from '../../../../src/agent/sensors/cgroup.ts';

const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** The directories of a machine that has these files. */
function directoriesOf(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'herald-cgroup-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findCgroup(root);
}

const limitsOf = (files: Record<string, string>) => readCgroupLimits(directoriesOf(files));
const periodsOf = (files: Record<string, string>) => {
  const quota = findQuota(directoriesOf(files));
  return quota === undefined ? 'no quota' : readCpuPeriods(quota);
};
const unlimited = { cpus: undefined, memoryBytes: undefined };

describe('cgroup v2', () => {
  it('reads quota, cpuset and memory at the mount point of a container', () => {
    const files = {
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/cpuset.cpus.effective': '0-3,7\n',
      'sys/fs/cgroup/memory.max': '536870912\n',
    };
    expect(limitsOf(files)).toEqual({ cpus: 1.5, memoryBytes: 512 * 1024 * 1024 });
    expect(limitsOf({ ...files, 'sys/fs/cgroup/cpu.max': 'max 100000\n' }).cpus).toBe(5);
  });

  it('takes the tightest limit on the way to the root', () => {
    expect(
      limitsOf({
        'proc/self/cgroup': '0::/a.slice/b.service\n',
        'sys/fs/cgroup/a.slice/cpu.max': '50000 100000',
        'sys/fs/cgroup/a.slice/memory.max': 'max',
        'sys/fs/cgroup/a.slice/b.service/cpu.max': '200000 100000',
        'sys/fs/cgroup/a.slice/b.service/memory.max': '1000000',
      }),
    ).toEqual({ cpus: 0.5, memoryBytes: 1_000_000 });
  });

  it('reads the mount point when the path is of the host', () => {
    for (const path of ['/docker/0123', '/../../docker/0123']) {
      expect(
        limitsOf({ 'proc/self/cgroup': `0::${path}\n`, 'sys/fs/cgroup/cpu.max': '100000 100000' }).cpus,
      ).toBe(1);
    }
  });

  it('knows no limit where there is none', () => {
    expect(
      limitsOf({
        'proc/self/cgroup': '0::/\n',
        'sys/fs/cgroup/cpu.max': 'max 100000\n',
        'sys/fs/cgroup/memory.max': 'max\n',
      }),
    ).toEqual(unlimited);
  });

  it('counts the periods of the innermost group that has a quota', () => {
    const stat = 'usage_usec 1\nnr_periods 40\nnr_throttled 7\nthrottled_usec 9\n';
    const files = {
      'proc/self/cgroup': '0::/a\n',
      'sys/fs/cgroup/a/cpu.max': '50000 100000',
      'sys/fs/cgroup/a/cpu.stat': stat,
    };
    expect(periodsOf(files)).toEqual({ total: 40, throttled: 7 });
    expect(periodsOf({ ...files, 'sys/fs/cgroup/a/cpu.max': 'max 100000' })).toBe('no quota');
    expect(periodsOf({ ...files, 'sys/fs/cgroup/a/cpu.stat': 'garbage' })).toBeUndefined();
  });
});

describe('cgroup v1', () => {
  const self =
    '12:cpu,cpuacct:/docker/0123\n7:memory:/docker/0123\n3:cpuset:/docker/0123\n1:name=systemd:/x\n';

  it('reads each controller, below its own name or that of the pair', () => {
    expect(
      limitsOf({
        'proc/self/cgroup': self,
        'sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us': '250000\n',
        'sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us': '100000\n',
        'sys/fs/cgroup/cpuset/docker/0123/cpuset.cpus': '0,2-3\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
      }),
    ).toEqual({ cpus: 2.5, memoryBytes: 268_435_456 });
  });

  it('knows no limit where quota is -1 and memory the largest number of pages', () => {
    expect(
      limitsOf({
        'proc/self/cgroup': self,
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      }),
    ).toEqual(unlimited);
  });
});

describe('a machine without usable cgroups', () => {
  it('has no limits when nothing is mounted', () => {
    expect(limitsOf({})).toEqual(unlimited);
    expect(limitsOf({ 'proc/self/cgroup': '0::/a\n' })).toEqual(unlimited);
    expect(periodsOf({})).toBe('no quota');
  });

  it('has no limits when the files hold garbage', () => {
    for (const garbage of [
      '',
      '\n',
      'x',
      '-5',
      '0',
      '0 0',
      '1 0',
      'NaN 100000',
      '1e9 1',
      '5-2',
      '1,,2',
      '\u0000',
    ]) {
      expect(
        limitsOf({
          'proc/self/cgroup': `${garbage}\n:::\n0::/a:b\n`,
          'sys/fs/cgroup/cpu.max': garbage,
          'sys/fs/cgroup/cpuset.cpus.effective': garbage === '0' ? '' : garbage,
          'sys/fs/cgroup/memory.max': garbage,
        }),
      ).toEqual(unlimited);
    }
  });
});
