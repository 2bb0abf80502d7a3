// What `timeouts` of a listener becomes.
import type { ConfigDocument } from './config-schema.ts';
import type { ListenerConfig } from './config.ts';

type Timeouts = ConfigDocument['listeners'][number]['timeouts'];

/** The times of a listener, in milliseconds. */
export function compileTimeouts(timeouts: Timeouts): ListenerConfig['timeouts'] {
  const { head, dial, handshake, tunnelIdle, requestIdle, keepAlive } = timeouts;
  return {
    headMs: head,
    dialMs: dial,
    handshakeMs: handshake,
    tunnelIdleMs: tunnelIdle,
    requestIdleMs: requestIdle,
    keepAliveMs: keepAlive,
  };
}
