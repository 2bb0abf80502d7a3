// Counts the established TCP connections of the node's ports.
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Traffic } from '../observers/traffic.ts';
import { createPace } from './pace.ts';
import { readKernelText, type NoteMissing } from './read-file.ts';
import type { Sensor } from './sensor.ts';
import { countEstablished } from './tcp-table.ts';

/** What a connection sensor is made of. */
export interface TcpConnectionParts {
  /** '/' but in tests. */
  readonly root: string;
  /** Local ports of the node, at least one. */
  readonly ports: readonly number[];
  /** The process whose network namespace counts: an id, or `self`; undefined while it is not known. */
  readonly process: () => string | undefined;
  readonly clock: Clock;
  /** Where `connections` is written. */
  readonly traffic: Traffic;
  readonly note: NoteMissing;
}

interface Counted {
  readonly connections: number;
  /** Sockets in use in the whole namespace at the same moment; undefined where nobody tells. */
  readonly inUse: number | undefined;
}

/**
 * No signal: it writes the reports' `connections`. The kernel's table is read as a whole, which costs about a
 * microsecond for each socket of the machine, so it is read the more rarely the longer it takes. In between the
 * number follows the kernel's own count of all sockets in proportion, since other programs have theirs, too.
 */
export function createConnectionSensor(parts: TcpConnectionParts): Sensor {
  const { root, ports, clock, traffic, note } = parts;
  const wanted = new Uint8Array(65_536);
  for (const port of ports) wanted[port] = 1;
  const pace = createPace(clock);
  let counted: Counted | undefined;
  let of: string | undefined;

  return {
    measure() {
      const process = parts.process();
      const directory = join(root, 'proc', process ?? 'self', 'net');
      if (process !== of) counted = undefined;
      of = process;
      const count = (): void =>
        void (counted = process === undefined ? undefined : countNow(directory, wanted));
      // Another process may be in another namespace: its connections are not an estimate away.
      if (counted === undefined) count();
      else pace.run(count);
      note('connections', reasonFor(process, counted, directory));
      traffic.connections = counted === undefined ? 0 : estimate(counted, readInUse(directory));
      return {};
    },
    stop() {},
  };
}

function reasonFor(
  process: string | undefined,
  counted: Counted | undefined,
  directory: string,
): string | undefined {
  if (counted !== undefined) return undefined;
  return process === undefined
    ? 'its process is not there, so nobody knows whose connections to count'
    : `neither ${directory}/tcp nor tcp6 can be read`;
}

function countNow(directory: string, wanted: Uint8Array): Counted | undefined {
  const inUse = readInUse(directory);
  const v4 = countEstablished(join(directory, 'tcp'), wanted);
  const v6 = countEstablished(join(directory, 'tcp6'), wanted);
  // A kernel without IPv6 has no tcp6.
  return v4 === undefined && v6 === undefined ? undefined : { connections: (v4 ?? 0) + (v6 ?? 0), inUse };
}

function estimate({ connections, inUse }: Counted, nowInUse: number | undefined): number {
  if (inUse === undefined || nowInUse === undefined || inUse === 0) return connections;
  return Math.round((connections * nowInUse) / inUse);
}

function readInUse(directory: string): number | undefined {
  const v4 = /^TCP: inuse (\d{1,9}) /m.exec(readKernelText(join(directory, 'sockstat')) ?? '');
  const v6 = /^TCP6: inuse (\d{1,9})\s/m.exec(readKernelText(join(directory, 'sockstat6')) ?? '');
  return v4 === null ? undefined : Number(v4[1]) + Number(v6?.[1] ?? 0);
}
