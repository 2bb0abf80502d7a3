// One public listener for bytes of any protocol, all to one pool. Nothing of them is read: no node can be found by what
// they say, and nobody can be told why he is refused.
import { Buffer } from 'node:buffer';
import { ClientCensus } from './census.ts';
import { createEntrance } from './entrance.ts';
import type { FrontOptions } from './front.ts';
import type { HttpListener } from './listener.ts';
import { Open } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { createHostResolver, type Lookup } from './resolve.ts';
import { createSourceAddresses } from './source-addresses.ts';
import { TcpOpening } from './tcp-opening.ts';
import type { BindTarget, WireListener } from './wire.ts';

/** What a listener is made of. */
export interface TcpListenerOptions extends Omit<
  ProxyDeps,
  'affinity' | 'resolve' | 'open' | 'census' | 'sources' | 'originOf' | 'wireOf' | 'trusted'
> {
  readonly bind: BindTarget;
  readonly pool: string;
  readonly front: FrontOptions;
  /** Local addresses to dial nodes from, literals; absent: the kernel chooses. */
  readonly sourceAddresses?: readonly string[];
  /** Name lookup; absent: the system's. */
  readonly lookup?: Lookup;
}

/** A listener over `options`, with the life of one for HTTP. */
export function createTcpListener(options: TcpListenerOptions): HttpListener {
  const open = new Open();
  const resolve = createHostResolver(options.clock, options.lookup);
  const deps = {
    ...options,
    open,
    resolve,
    sources: createSourceAddresses(options.sourceAddresses ?? []),
    census: new ClientCensus(options.limits),
    // Without its header a proxy is a client as any other.
    isProxy: options.front.takesProxyHeader ?? (() => false),
  };
  const entrance = createEntrance(deps, { front: options.front, speaksHttp: false });
  let bound: WireListener | undefined;

  async function stopAccepting(): Promise<void> {
    const closing = bound;
    bound = undefined;
    await closing?.close();
  }

  return {
    async start() {
      const bind = { ...options.bind, acceptFailed: (code: string) => options.events.acceptFailed(code) };
      bound = await options.transport.listen(bind, (wire) =>
        entrance.enter(wire, (client, seen) => {
          new TcpOpening(deps, { client, early: Buffer.from(seen), pool: options.pool }).start();
        }),
      );
      return bound;
    },
    stopAccepting,
    async stop() {
      const closed = stopAccepting();
      open.destroyAll();
      entrance.stop();
      await closed;
    },
    replaceTls: (config) => entrance.replaceTls(config),
    get openCount() {
      return open.size;
    },
  };
}
