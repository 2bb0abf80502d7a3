// Pressure stall information: the share of time in which something had to wait for CPU, memory or disk.
import { join } from 'node:path';
import { readKernelText } from './read-file.ts';
import type { Sensor } from './sensor.ts';

const resources = ['cpu', 'memory', 'io'] as const;

/** Where pressure is read: a group's own, else the machine's. */
export interface PressurePlace {
  /** Whose pressure it is; when this changes, the files are looked for again. */
  readonly subject: () => string | undefined;
  /** Directories of the group, innermost first; empty for the machine. */
  readonly directories: () => readonly string[];
  /** '/' but in tests. */
  readonly root: string;
}

/**
 * `cpuPressure`, `memoryPressure`, `ioPressure`: share of the last ten seconds in which at least one task waited
 * (`some avg10`), 0..1. What the kernel does not tell is absent; `tell` hears once where it is read at first,
 * or that it is not.
 */
export function createPressureSensor(
  place: PressurePlace,
  tell: (where: string | undefined) => void,
): Sensor {
  let subject = place.subject();
  let files = findFiles(place);
  tell(files[0]?.path);
  return {
    measure() {
      if (place.subject() !== subject) {
        subject = place.subject();
        files = findFiles(place);
      }
      const values = files.flatMap(({ signal, path }) => {
        const value = pressureOf(path);
        return value === undefined ? [] : [[signal, value] as const];
      });
      return Object.fromEntries(values);
    },
    stop() {},
  };
}

interface PressureFile {
  readonly signal: string;
  readonly path: string;
}

function findFiles(place: PressurePlace): PressureFile[] {
  const directories = place.directories();
  return resources.flatMap((resource) => {
    const ofGroup = directories.map((directory) => join(directory, `${resource}.pressure`));
    const all = [...ofGroup, join(place.root, 'proc/pressure', resource)];
    const path = all.find((candidate) => pressureOf(candidate) !== undefined);
    return path === undefined ? [] : [{ signal: `${resource}Pressure`, path }];
  });
}

function pressureOf(path: string): number | undefined {
  // Kernels that were started with psi=0 have the files and answer EOPNOTSUPP.
  const match = /^some avg10=(\d{1,3}(?:\.\d+)?) /m.exec(readKernelText(path) ?? '');
  return match === null ? undefined : Number(match[1]) / 100;
}
