// What `timeouts` and `limits` of a listener become: milliseconds, bytes, and Infinity for what is off.
import type { ConfigDocument } from './config-schema.ts';
import type { ListenerConfig } from './config.ts';

type Listener = ConfigDocument['listeners'][number];

/** The times of a listener. */
export function compileTimeouts(timeouts: Listener['timeouts']): ListenerConfig['timeouts'] {
  const { head, dial, handshake, tunnelIdle, requestIdle, keepAlive, stall } = timeouts;
  return {
    headMs: head,
    dialMs: dial,
    handshakeMs: handshake,
    tunnelIdleMs: tunnelIdle,
    requestIdleMs: requestIdle,
    keepAliveMs: keepAlive,
    stallMs: orInfinity(stall),
  };
}

/** What a listener takes at most. */
export function compileLimits(limits: Listener['limits']): ListenerConfig['limits'] {
  return {
    connections: orInfinity(limits.connections),
    connectionsPerAddress: orInfinity(limits.connectionsPerAddress),
    headBytes: limits.head,
    bodyBytes: orInfinity(limits.body),
  };
}

function orInfinity(value: number | 'off'): number {
  return value === 'off' ? Infinity : value;
}
