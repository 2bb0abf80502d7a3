// Listens and dials with raw handles.
import { createServer } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { bindServer } from './bind-server.ts';
import { FastWire } from './fast-wire.ts';
import type { FastShare } from './fast-wire.ts';
import { inertReader } from './inert-reader.ts';
import { createPlainTransport } from './plain-wire.ts';
import type { TcpHooks } from './tcp-hooks.ts';
import type { TlsHooks } from './tls-hooks.ts';
import type { Transport } from './wire.ts';

/** Costs its size once for the process; 16 KiB would cost half as much CPU again for 16 KiB messages. */
const sharedBufferBytes = 64 * 1024;

/**
 * Linux gives an accepted socket what the listening one was told, so that once is enough; other systems are told for
 * each.
 */
const inheritsNoDelay = process.platform === 'linux';

/**
 * The fast form; without `tlsHooks` its TLS goes over sockets. Whether hooks do what they claim is the question of the
 * probes (transport.ts).
 */
export function createFastTransport(hooks: TcpHooks, tlsHooks?: TlsHooks): Transport {
  const share: FastShare = { hooks, tlsHooks, buffer: Buffer.allocUnsafeSlow(sharedBufferBytes) };
  const plain = createPlainTransport(undefined);
  return {
    form: 'fast',
    tlsForm: tlsHooks === undefined ? 'plain' : 'fast',
    fallbackReason: undefined,
    listen(bind, accept) {
      // A UNIX socket has another kind of handle, which can neither be reset nor told to send without delay.
      if ('path' in bind) return plain.listen(bind, accept);
      const server = createServer();
      return bindServer(server, bind, () =>
        hooks.takeAccepted<FastWire>(
          server,
          (handle) => {
            if (!inheritsNoDelay) handle.setNoDelay(true);
            accept(new FastWire(share, handle, inertReader));
          },
          // As for net.Server: see bind-server.ts.
          (status) => bind.acceptFailed?.(getSystemErrorName(status)),
        ),
      );
    },
    dial: (target, reader) => FastWire.dial(share, target, reader),
  };
}
