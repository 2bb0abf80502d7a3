// CPU time and memory of processes with all their children, by what /proc tells from look to look.
import { join } from 'node:path';
import { readKernelText, readNames } from './read-file.ts';
import { readProcessStat, tickMs, type ProcessStat } from './proc-stat.ts';

/** Sums over the processes of a tree. */
export interface TreeUsage {
  /** CPU time since the tree was first looked at, milliseconds; never falls. */
  readonly cpuMs: number;
  /** Resident pages; what several processes share counts for each of them. */
  readonly residentPages: number;
}

/** More children than any server has; what is beyond is not counted. */
const maxProcesses = 4096;

/** Follows the children of some processes. */
export class ProcessTree {
  readonly #root: string;
  #known = new Map<number, ProcessStat>();
  #ticks = 0;
  #isFirstLook = true;

  constructor(root: string) {
    this.#root = root;
  }

  /** The sums now. `parents` are the processes at the top; those that have ended are left out. */
  look(parents: readonly number[]): TreeUsage {
    const now = this.#read(parents);
    if (!this.#isFirstLook) this.#ticks += this.#spent(now);
    this.#isFirstLook = false;
    this.#known = now;
    let residentPages = 0;
    for (const stat of now.values()) residentPages += stat.residentPages;
    return { cpuMs: this.#ticks * tickMs, residentPages };
  }

  /**
   * Ticks between two looks. A child that ends hands its whole life's time to its parent, of which most has been
   * counted while it lived: that part is taken off again. A process that appears counts from its start if it has
   * started since the last look, which its parent's being known shows; ids that come again are other processes.
   */
  #spent(now: ReadonlyMap<number, ProcessStat>): number {
    const ended = new Map<number, number>();
    for (const [pid, before] of this.#known) {
      if (now.get(pid)?.startTicks === before.startTicks) continue;
      const counted = before.ownTicks + before.reapedTicks;
      ended.set(before.parent, (ended.get(before.parent) ?? 0) + counted);
    }
    let ticks = 0;
    for (const [pid, stat] of now) {
      const before = this.#known.get(pid);
      const isKnown = before?.startTicks === stat.startTicks;
      const ownBefore = isKnown ? before.ownTicks : 0;
      const reapedBefore = isKnown ? before.reapedTicks : 0;
      ticks += Math.max(0, stat.ownTicks - ownBefore);
      ticks += Math.max(0, stat.reapedTicks - reapedBefore - (ended.get(pid) ?? 0));
    }
    return ticks;
  }

  #read(parents: readonly number[]): Map<number, ProcessStat> {
    const found = new Map<number, ProcessStat>();
    const open = [...parents];
    for (let pid = open.pop(); pid !== undefined && found.size < maxProcesses; pid = open.pop()) {
      if (found.has(pid)) continue;
      const stat = readProcessStat(this.#root, pid);
      if (stat === undefined) continue;
      found.set(pid, stat);
      open.push(...this.#childrenOf(pid));
    }
    return found;
  }

  /** By /proc/PID/task/TID/children: any thread may have them. Kernels without that file show no children. */
  #childrenOf(pid: number): number[] {
    const tasks = join(this.#root, 'proc', String(pid), 'task');
    return readNames(tasks).flatMap((thread) => {
      const text = readKernelText(join(tasks, thread, 'children')) ?? '';
      return text
        .split(' ')
        .filter((child) => /^\d+$/.test(child))
        .map(Number);
    });
  }
}
