// The open connections of one observed server. How a connection's messages are counted is the observer's work.
import type { Traffic } from './traffic.ts';

/** Connections that are counted, each with what ends the counting. */
export interface Members<Socket> {
  /** Counts the connection; nothing when it is counted already. */
  join(socket: Socket): void;
  /** Counts it no more; nothing when it was not counted. */
  leave(socket: Socket): void;
  /** Makes everyone leave. */
  clear(): void;
}

/** Nobody at first. `watch` starts to count a connection's messages and returns what ends that. */
export function createMembers<Socket extends object>(
  traffic: Traffic,
  watch: (socket: Socket) => () => void,
): Members<Socket> {
  const stops = new Map<Socket, () => void>();
  const members: Members<Socket> = {
    join(socket) {
      if (stops.has(socket)) return;
      traffic.connections += 1;
      stops.set(socket, watch(socket));
    },
    leave(socket) {
      const stop = stops.get(socket);
      if (stop === undefined) return;
      stops.delete(socket);
      traffic.connections -= 1;
      stop();
    },
    clear() {
      for (const socket of stops.keys()) members.leave(socket);
    },
  };
  return members;
}
