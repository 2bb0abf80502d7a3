// The sockets that listen at a TCP port, by /proc/net/tcp and tcp6.
import { join } from 'node:path';
import { readTable } from './tcp-table.ts';

const listening = 0x0a;

/** Inode numbers of the sockets that listen at `port`, in the agent's network namespace; empty when there are none. */
export function listeningInodes(root: string, port: number): Set<string> {
  const inodes = new Set<string>();
  for (const name of ['tcp', 'tcp6']) {
    readTable(join(root, 'proc/net', name), ({ state, localPort, text }) => {
      // Listening sockets come first: behind them there may be 200,000 others.
      if (state !== listening) return false;
      if (localPort === port) inodes.add(inodeOf(text()));
      return true;
    });
  }
  inodes.delete('');
  return inodes;
}

/** The tenth column: sl local remote st queues timer retrnsmt uid timeout inode. */
function inodeOf(line: string): string {
  return line.trim().split(/ +/)[9] ?? '';
}
