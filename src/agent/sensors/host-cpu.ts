// CPU and memory of the whole machine.
import { join } from 'node:path';
import { readKernelText, type NoteMissing } from './read-file.ts';
import type { Sensor } from './sensor.ts';

interface HostTimes {
  /** Scheduler ticks of all CPUs together. */
  readonly busy: number;
  readonly total: number;
}

/**
 * `cpu`: busy ÷ all time of all CPUs, by /proc/stat (proc(5)). Waiting for a disk (iowait) is idle, since the CPU could
 * do other work; time that the hypervisor took away (steal) is busy, since nobody here can use it.
 * `memory`: what is not available ÷ what there is, by /proc/meminfo. `root` is '/' but in tests.
 */
export function createHostSensor(root: string, note: NoteMissing): Sensor {
  const statPath = join(root, 'proc/stat');
  const memoryPath = join(root, 'proc/meminfo');
  let last = readTimes(statPath);
  return {
    measure() {
      const now = readTimes(statPath);
      const before = last;
      last = now;
      note('cpu', now === undefined ? `${statPath} cannot be read or has no line 'cpu'` : undefined);
      const memory = readMemory(memoryPath);
      note(
        'memory',
        memory === undefined ? `${memoryPath} does not tell MemTotal and MemAvailable` : undefined,
      );
      return { ...cpuOf(before, now), ...(memory === undefined ? {} : { memory }) };
    },
    stop() {},
  };
}

function cpuOf(before: HostTimes | undefined, now: HostTimes | undefined): { cpu?: number } {
  if (before === undefined || now === undefined) return {};
  const total = now.total - before.total;
  const busy = now.busy - before.busy;
  // CPUs that are taken out bring the sums down: that span says nothing.
  return total > 0 && busy >= 0 ? { cpu: Math.min(1, busy / total) } : {};
}

function readTimes(path: string): HostTimes | undefined {
  const match = /^cpu +(\d+(?: \d+){3,9})/m.exec(readKernelText(path) ?? '');
  if (match === null) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (
    match[1] ?? ''
  )
    .split(' ')
    .map(Number);
  // guest and guest_nice are part of user and nice.
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, total: busy + idle + iowait };
}

function readMemory(path: string): number | undefined {
  const text = readKernelText(path) ?? '';
  const total = Number(/^MemTotal: +(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN);
  const available = Number(/^MemAvailable: +(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN);
  return total > 0 && available >= 0 ? Math.max(0, 1 - available / total) : undefined;
}
