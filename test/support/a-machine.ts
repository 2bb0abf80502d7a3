// A machine made of files: what /proc and /sys/fs/cgroup would hold, in a directory that the test removes.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory to hand in for '/'. */
export interface Machine {
  readonly root: string;
  /** Writes files by path below the root. */
  write(files: Readonly<Record<string, string | Buffer>>): void;
  remove(path: string): void;
  link(path: string, target: string): void;
}

/** Makes a machine that has these files. */
export function aMachine(files: Readonly<Record<string, string | Buffer>> = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), 'herald-machine-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const make = (path: string): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  const machine: Machine = {
    root,
    write(more) {
      for (const [path, text] of Object.entries(more)) writeFileSync(make(path), text);
    },
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    link: (path, target) => symlinkSync(target, make(path)),
  };
  machine.write(files);
  return machine;
}

/** The text of /proc/PID/stat. CPU times in ticks of 10 ms. */
export function aStat(
  pid: number,
  { parent = 1, own = 0, reaped = 0, start = 100, pages = 10, state = 'S', name = 'a (b) c' } = {},
): string {
  const before = `${pid} (${name}) ${state} ${parent} 1 1 0 -1 4194304 0 0 0 0`;
  return `${before} ${own} 0 ${reaped} 0 20 0 1 0 ${start} 1000000 ${pages} 18446744073709551615 1 1\n`;
}

const title =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

/** The text of /proc/net/tcp, or of tcp6 where `address` has 32 digits. */
export function aTcpTable(
  rows: readonly { port: number; state: number; inode?: number }[],
  address = '0100007F',
): string {
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, '0');
  const lines = rows.map(
    ({ port, state, inode = 0 }, index) =>
      `${String(index).padStart(4)}: ${address}:${hex(port, 4)} ${address}:D431 ${hex(state, 2)} ` +
      `00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`,
  );
  return [title, ...lines].map((line) => `${line.padEnd(149)}\n`).join('');
}
