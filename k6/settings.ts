// Where the load goes, from the environment of k6. Without it: a balancer on this machine.

/** The public listener, `ws://host:port`. */
export const target = __ENV['TARGET'] ?? 'ws://127.0.0.1:8080';

/** The path of the nodes' WebSocket server, which echoes every message. */
export const path = __ENV['ECHO_PATH'] ?? '/ws';

/** The URL of a WebSocket. */
export const webSocketUrl = `${target}${path}`;

/** A setting that is a number, such as a count of clients. Throws for anything else. */
export function numberOf(name: string, otherwise: number): number {
  const value = Number(__ENV[name] ?? otherwise);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name}=${__ENV[name]} is no number`);
  return value;
}
