// One public listener for bytes of any protocol, all to one pool. Nothing of them is read: no node can be found by what
// they say, and nobody can be told why he is refused.
import { Buffer } from 'node:buffer';
import { createFront, type FrontOptions } from './front.ts';
import type { HttpListener } from './listener.ts';
import { Open } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { createHostResolver, type Lookup } from './resolve.ts';
import { TcpOpening } from './tcp-opening.ts';
import type { BindTarget, WireListener } from './wire.ts';

/** What a listener is made of. */
export interface TcpListenerOptions extends Omit<
  ProxyDeps,
  'affinity' | 'resolve' | 'open' | 'originOf' | 'wireOf' | 'trusted' | 'rng'
> {
  readonly bind: BindTarget;
  readonly pool: string;
  readonly front: FrontOptions;
  /** Name lookup; absent: the system's. */
  readonly lookup?: Lookup;
}

/** A listener over `options`, with the life of one for HTTP. */
export function createTcpListener(options: TcpListenerOptions): HttpListener {
  const open = new Open();
  const resolve = createHostResolver(options.clock, options.lookup);
  const deps = { ...options, open, resolve };
  const front = createFront(deps, options.front);
  let bound: WireListener | undefined;

  async function stopAccepting(): Promise<void> {
    const closing = bound;
    bound = undefined;
    await closing?.close();
  }

  return {
    async start() {
      bound = await options.transport.listen(options.bind, (wire) =>
        front.pass(wire, (client, seen) => {
          new TcpOpening(deps, { client, early: Buffer.from(seen), pool: options.pool }).start();
        }),
      );
      return bound;
    },
    stopAccepting,
    async stop() {
      const closed = stopAccepting();
      open.destroyAll();
      front.stop();
      await closed;
    },
    replaceTls: (config) => front.replaceTls(config),
    get openCount() {
      return open.size;
    },
  };
}
