// The descriptor of a server or a socket of node:net.
import type { Server, Socket } from 'node:net';

/** Node has no documented name for it; undefined where it has none any more, or under another name. */
export function descriptorOf(from: Server | Socket): number | undefined {
  const { _handle: handle } = from as unknown as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
