// Chooses the form of the transport, and of its TLS: the fast ones are proved by relaying over loopback before they
// carry a client.
import type { Clock } from '../../core/clock.ts';
import { createSystemClock } from '../../platform/system-clock.ts';
import { createFastTransport } from './fast-transport.ts';
import { createPlainTransport } from './plain-wire.ts';
import { probeTls, probeTransport } from './probe-transport.ts';
import { loadTcpHooks } from './tcp-hooks.ts';
import type { TcpHooks } from './tcp-hooks.ts';
import { loadTlsHooks } from './tls-hooks.ts';
import type { TlsHooks } from './tls-hooks.ts';
import type { Transport } from './wire.ts';

/** `auto`: fast where the probes pass, plain otherwise. */
export type TransportForm = 'auto' | 'fast' | 'plain';

/** What `createTransport` needs; only tests give more than `form`. */
export interface TransportOptions {
  readonly form: TransportForm;
  /** Bounds the probes. */
  readonly clock?: Clock;
  readonly loadHooks?: () => TcpHooks;
  readonly loadTls?: () => TlsHooks;
}

/**
 * The transport of this process: one, since its wires share a read buffer. `fast` throws
 * HERALD_TRANSPORT_UNAVAILABLE where hooks are missing or a probe fails; `auto` then gives the plain form, or the fast
 * one with TLS over sockets, with the reason in `fallbackReason`.
 */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { form, clock = createSystemClock(), loadHooks = loadTcpHooks } = options;
  if (form === 'plain') return createPlainTransport(undefined);
  try {
    const hooks = loadHooks();
    const transport = createFastTransport(hooks);
    await probeTransport(transport, clock);
    return await withTls(transport, hooks, { ...options, clock });
  } catch (error) {
    if (form === 'fast') throw error;
    return createPlainTransport(messageOf(error));
  }
}

async function withTls(
  inTheOpen: Transport,
  hooks: TcpHooks,
  { form, clock, loadTls = loadTlsHooks }: TransportOptions & { readonly clock: Clock },
): Promise<Transport> {
  try {
    const transport = createFastTransport(hooks, loadTls());
    await probeTls(transport, clock);
    return transport;
  } catch (error) {
    if (form === 'fast') throw error;
    return { ...inTheOpen, fallbackReason: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
