// Looks at the balancer's processes once a second: resident memory, heap, descriptors.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkersAnswer } from '../../src/protocol/workers.ts';
import type { HeraldProcess } from '../support/herald-process.ts';
import type { Point } from './slope.ts';

const everyMs = 1000;
const mebibyte = 1024 * 1024;

/** What was seen of one process, oldest first. */
export interface Series {
  readonly who: string;
  readonly pid: number;
  readonly residentMiB: Point[];
  /** Empty for a worker: only the main process tells it. */
  readonly heapMiB: Point[];
  readonly descriptors: Point[];
}

/** Its open descriptors. Throws for a process that is gone. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentMiBOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}

/** The balancer's processes: the main one, then its workers. */
export async function processesOf(herald: HeraldProcess): Promise<readonly { who: string; pid: number }[]> {
  const { workers } = await herald.admin<WorkersAnswer>('/v1/workers');
  return [
    { who: 'main', pid: herald.pid },
    ...workers.map(({ worker, pid }) => ({ who: `worker ${worker}`, pid })),
  ];
}

/** Samples until `stop` is aborted; the points' times are seconds since now. */
export async function sample(herald: HeraldProcess, stop: AbortSignal): Promise<readonly Series[]> {
  const startedMs = performance.now();
  const all: readonly Series[] = (await processesOf(herald)).map((each) => {
    return { ...each, residentMiB: [], heapMiB: [], descriptors: [] };
  });
  while (!stop.aborted) {
    const heapBytes = (await herald.metrics()).get('nodejs_heap_size_used_bytes');
    const atSeconds = (performance.now() - startedMs) / 1000;
    for (const { who, pid, residentMiB, heapMiB, descriptors } of all) {
      residentMiB.push([atSeconds, residentMiBOf(pid)]);
      descriptors.push([atSeconds, descriptorsOf(pid)]);
      if (who === 'main' && heapBytes !== undefined) heapMiB.push([atSeconds, heapBytes / mebibyte]);
    }
    await sleep(everyMs, undefined, { signal: stop }).catch(() => {});
  }
  return all;
}
