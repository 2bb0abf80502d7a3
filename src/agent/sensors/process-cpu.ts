// CPU time and memory of a process with its children.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AllowanceReader } from './allowance.ts';
import type { FindProcesses } from './find-process.ts';
import { pageBytes } from './proc-stat.ts';
import { ProcessTree } from './process-tree.ts';
import type { ReadScope } from './scope.ts';

/** What a process reader is made of. */
export interface ProcessReaderParts {
  /** '/' but in tests. */
  readonly root: string;
  readonly find: FindProcesses;
  /** What a process may use, by its own group. */
  readonly allowancesOf: (pid: number) => AllowanceReader;
}

/** A reader that also knows the process it is about. */
export interface ProcessReader {
  readonly read: ReadScope;
  /** The first process at the top; undefined while there is none. */
  readonly pid: () => number | undefined;
}

/** Reads a process with its children; one that takes its place, with the same id or another, begins anew. */
export function createProcessReader({ root, find, allowancesOf }: ProcessReaderParts): ProcessReader {
  const bytesPerPage = pageBytes(readAuxiliary(root));
  let current: { identity: string; tree: ProcessTree; allowances: AllowanceReader } | undefined;
  let pid: number | undefined;
  return {
    pid: () => pid,
    read() {
      const found = find();
      if ('missing' in found) {
        current = undefined;
        pid = undefined;
        return found;
      }
      const identity = found.map((process) => `${process.pid}@${process.startTicks}`).join();
      pid = found[0]?.pid;
      if (current?.identity !== identity)
        current = { identity, tree: new ProcessTree(root), allowances: allowancesOf(pid ?? 0) };
      const usage = current.tree.look(found.map((process) => process.pid));
      const { allowances } = current;
      return { identity, cpuMs: usage.cpuMs, memoryBytes: usage.residentPages * bytesPerPage, allowances };
    },
  };
}

function readAuxiliary(root: string): Buffer | undefined {
  try {
    return readFileSync(join(root, 'proc/self/auxv'));
  } catch {
    return undefined;
  }
}
