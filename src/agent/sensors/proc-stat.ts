// What /proc/PID/stat tells of one process (proc(5)).
import { join } from 'node:path';
import { readKernelText } from './read-file.ts';

/** One process at one instant. CPU times in scheduler ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** When it started, in ticks since boot: with the id it names one process for ever, since ids come again. */
  readonly startTicks: number;
  /** Its own user and system time. */
  readonly ownTicks: number;
  /** The same of its children that have ended and were waited for, with theirs. */
  readonly reapedTicks: number;
  readonly residentPages: number;
}

/** Ticks of /proc are hundredths of a second on every machine that Node runs on. */
export const tickMs = 10;

/** The process with this id; undefined when there is none, when it has ended and is not waited for, or for garbage. */
export function readProcessStat(root: string, pid: number): ProcessStat | undefined {
  const text = readKernelText(join(root, 'proc', String(pid), 'stat')) ?? '';
  // The name stands in brackets and may hold blanks and brackets itself: the last one ends it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  // Fields are counted from 1 in proc(5), and `state` is the third.
  const at = (field: number): number => Number(fields[field - 3] ?? Number.NaN);
  const stat = {
    pid,
    parent: at(4),
    ownTicks: at(14) + at(15),
    reapedTicks: at(16) + at(17),
    startTicks: at(22),
    residentPages: at(24),
  };
  const isSound = Object.values(stat).every((value) => Number.isSafeInteger(value) && value >= 0);
  return isSound && !['Z', 'X', 'x'].includes(state) ? stat : undefined;
}

const pageSizeKey = 6;
const usualPageBytes = 4096;

/** Bytes of a page of memory, by the kernel's own word (AT_PAGESZ of getauxval(3)); 4096 where it says nothing. */
export function pageBytes(auxiliary: Buffer | undefined): number {
  if (auxiliary === undefined) return usualPageBytes;
  for (let at = 0; at + 16 <= auxiliary.length; at += 16)
    if (auxiliary.readBigUInt64LE(at) === BigInt(pageSizeKey))
      return Number(auxiliary.readBigUInt64LE(at + 8));
  return usualPageBytes;
}
