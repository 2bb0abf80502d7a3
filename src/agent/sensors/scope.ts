// CPU and memory of a part of the machine ÷ what it may use. How a part is found is in cgroup-usage.ts and process-cpu.ts.
import type { AllowanceReader } from './allowance.ts';
import { createThrottleMeter } from './cpu.ts';
import type { NoteMissing } from './read-file.ts';
import type { Sensor } from './sensor.ts';

/** What a part has used. */
export interface ScopeUsage {
  /** Differs when the counter has begun anew: another process, another group. */
  readonly identity: string;
  /** CPU time until now, milliseconds; rises within one identity. */
  readonly cpuMs: number;
  /** Undefined where it cannot be told. */
  readonly memoryBytes: number | undefined;
  /** One object for one identity. */
  readonly allowances: AllowanceReader;
}

/** Reads the usage now, or says why there is none. */
export type ReadScope = () => ScopeUsage | { readonly missing: string };

interface Seen {
  readonly identity: string;
  readonly cpuMs: number;
  readonly throttledShare: () => number;
}

/**
 * `cpu` and `memory` of a part. The first sample of an identity has no `cpu`, and neither has a span over which the
 * counter fell.
 */
export function createScopeSensor(read: ReadScope, note: NoteMissing): Sensor {
  let last: Seen | undefined;

  /** Share of the span for which the part had the CPU, or had to wait for it by its quota. */
  function cpuOf(usage: ScopeUsage, elapsedMs: number): { cpu?: number } {
    const before = last?.identity === usage.identity ? last : undefined;
    const throttledShare = before?.throttledShare ?? createThrottleMeter(usage.allowances.cpuPeriods);
    last = { identity: usage.identity, cpuMs: usage.cpuMs, throttledShare };
    if (before === undefined) return {};
    const waited = throttledShare();
    const usedMs = usage.cpuMs - before.cpuMs;
    if (usedMs < 0) return {};
    return { cpu: Math.max(usedMs / (elapsedMs * usage.allowances.allowance().cpus), waited) };
  }

  const begin = read();
  if (!('missing' in begin)) cpuOf(begin, 1);
  return {
    measure(elapsedMs) {
      const usage = read();
      if ('missing' in usage) {
        last = undefined;
        note('cpu', usage.missing);
        note('memory', usage.missing);
        return {};
      }
      const { memoryBytes, allowances } = usage;
      note('cpu', undefined);
      note('memory', memoryBytes === undefined ? 'its memory cannot be read' : undefined);
      const memory =
        memoryBytes === undefined ? {} : { memory: memoryBytes / allowances.allowance().memoryBytes };
      return { ...cpuOf(usage, elapsedMs), ...memory };
    },
    stop() {},
  };
}
