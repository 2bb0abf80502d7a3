// How many workers `auto` is.
import { describe, expect, it } from 'vitest';
import { usableProcessors } from '../../../src/platform/processors.ts';

const files = (texts: Readonly<Record<string, string>>) => (path: string) => texts[path];

describe('the processors that may be used', () => {
  it('are those of the scheduler where no limit is set', () => {
    expect(usableProcessors(6, files({}))).toBe(6);
    expect(usableProcessors(6, files({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }))).toBe(6);
  });

  it.each([
    ['150000 100000', 2],
    ['50000 100000', 1],
    ['800000 100000', 4],
    ['nonsense', 4],
    ['', 4],
  ])('are no more than the quota %s of a container', (quota, expected) => {
    expect(usableProcessors(4, files({ '/sys/fs/cgroup/cpu.max': quota }))).toBe(expected);
  });

  it('are bounded by every group above the process', () => {
    const read = files({
      '/proc/self/cgroup': '0::/system.slice/herald.service\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '200000 100000',
      '/sys/fs/cgroup/system.slice/herald.service/cpu.max': '300000 100000',
    });
    expect(usableProcessors(8, read)).toBe(2);
  });

  it('know the older form of the limit, in which -1 is none', () => {
    const read = (quota: string) =>
      files({
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': quota,
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      });
    expect(usableProcessors(8, read('300000\n'))).toBe(3);
    expect(usableProcessors(8, read('-1\n'))).toBe(8);
  });

  it('are one at least, on this machine too', () => {
    expect(usableProcessors()).toBeGreaterThanOrEqual(1);
  });
});
