// Chooses the form of the transport: the fast one is proved by relaying over loopback before it carries a client.
import type { Clock } from '../../core/clock.ts';
import { createSystemClock } from '../../platform/system-clock.ts';
import { createFastTransport } from './fast-transport.ts';
import { createPlainTransport } from './plain-wire.ts';
import { probeTransport } from './probe-transport.ts';
import { loadTcpHooks } from './tcp-hooks.ts';
import type { TcpHooks } from './tcp-hooks.ts';
import type { Transport } from './wire.ts';

/** `auto`: fast where the probe passes, plain otherwise. */
export type TransportForm = 'auto' | 'fast' | 'plain';

/** What `createTransport` needs; only tests give more than `form`. */
export interface TransportOptions {
  readonly form: TransportForm;
  /** Bounds the probe. */
  readonly clock?: Clock;
  readonly loadHooks?: () => TcpHooks;
}

/**
 * The transport of this process: one, since its wires share a read buffer. `fast` throws
 * HERALD_TRANSPORT_UNAVAILABLE where the hooks are missing or the probe fails; `auto` then
 * gives the plain form with the reason in `fallbackReason`.
 */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { form, clock = createSystemClock(), loadHooks = loadTcpHooks } = options;
  if (form === 'plain') return createPlainTransport(undefined);
  try {
    const transport = createFastTransport(loadHooks());
    await probeTransport(transport, clock);
    return transport;
  } catch (error) {
    if (form === 'fast') throw error;
    return createPlainTransport(error instanceof Error ? error.message : String(error));
  }
}
