// Proves that a transport carries bytes on this machine: by its wires and by a socket made of one, small and large
// writes, half-close; in the open or over its own TLS.
import { Buffer } from 'node:buffer';
import { connect, createSecureContext } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { inertReader } from './inert-reader.ts';
import { wireOverSocket } from './plain-wire.ts';
import { protocolList } from './tls-terms.ts';
import type { DialReader, TlsOutcome, Transport, Wire, WireReader } from './wire.ts';

/** Loopback answers in a millisecond or two; a machine that is starting up may be slow. */
const probeTimeoutMs = 3000;
/** More than one read takes, so that pieces are put together again. */
const probeBytes = 256 * 1024;

/** What a probe goes through. */
interface Way {
  /** Makes of an accepted wire the one to read from. */
  enter(wire: Wire, next: (wire: Wire) => void, failed: (problem: string) => void): void;
  dial(port: number, reader: DialReader): Wire;
}

/** Resolves when every byte has come back in order and both ends were closed; throws HERALD_TRANSPORT_UNAVAILABLE. */
export async function probeTransport(transport: Transport, clock: Clock): Promise<void> {
  await probeWay(transport, clock, {
    enter: (wire, next) => next(wire),
    dial: (port, reader) => transport.dial({ host: '127.0.0.1', port }, reader),
  });
}

// Without a certificate, which only a test could do with: nothing secret is said.
const anonymous = {
  ciphers: 'AECDH-AES128-SHA:@SECLEVEL=0',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** The same over TLS, of which the client's side is node:tls. */
export async function probeTls(transport: Transport, clock: Clock): Promise<void> {
  await probeWay(transport, clock, {
    enter(wire, next, failed) {
      const terms = {
        context: createSecureContext(anonymous),
        options: anonymous,
        protocols: protocolList('http/1.1'),
        clientCertificates: 'off',
      } as const;
      const outcome: TlsOutcome = {
        passed: next,
        certificateWrong() {},
        failed: (error) => failed(error?.message ?? 'its handshake was broken off'),
      };
      if (wire.beginTls({ terms, seen: Buffer.alloc(0), outcome }) === undefined) failed('it has no TLS');
    },
    dial(port, reader) {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...anonymous });
      const wire = wireOverSocket(socket);
      wire.reader = reader;
      socket.once('secureConnect', () => reader.connected());
      return wire;
    },
  });
}

async function probeWay(transport: Transport, clock: Clock, way: Way): Promise<void> {
  for (const echo of [echoByWire, echoBySocket]) await probeBy(echo, way, { transport, clock });
}

type Echo = (wire: Wire) => WireReader;

async function probeBy(
  echo: Echo,
  way: Way,
  { transport, clock }: { readonly transport: Transport; readonly clock: Clock },
): Promise<void> {
  const wires: Wire[] = [];
  let done: ((problem: string | undefined) => void) | undefined;
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (accepted) => {
    wires.push(accepted);
    const enter = (wire: Wire): void => {
      wires.unshift(wire);
      wire.reader = echo(wire);
      wire.resume();
    };
    way.enter(accepted, enter, (problem) => done?.(problem));
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = clock.schedule(probeTimeoutMs, () => reject(failed('it did not answer in time')));
      const settle = (problem: string | undefined): void => {
        timer.cancel();
        if (problem === undefined) resolve();
        else reject(failed(problem));
      };
      done = settle;
      wires.push(dialProbe(way, listener.port, settle));
    });
  } finally {
    for (const wire of wires) wire.destroy();
    await listener.close();
  }
}

function failed(problem: string): HeraldError {
  return new HeraldError(
    'HERALD_TRANSPORT_UNAVAILABLE',
    `the fast transport failed its probe on Node ${process.version}: ${problem}`,
    { problem },
  );
}

/** Sends all back, the first read before the wire becomes a tunnel. */
function echoByWire(wire: Wire): WireReader {
  return {
    ...inertReader,
    bytes(buffer, start, end) {
      if (!wire.send(buffer, start, end)) wire.pause();
      wire.useSharedBuffer();
    },
    drained: () => wire.resume(),
    ended: () => wire.end(),
  };
}

/** Gives the connection away with the first read, as a request that is no upgrade. */
function echoBySocket(wire: Wire): WireReader {
  return {
    ...inertReader,
    bytes(buffer, start, end) {
      const socket = wire.toSocket(Buffer.from(buffer.subarray(start, end)));
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    },
  };
}

function dialProbe(way: Way, port: number, done: (problem: string | undefined) => void): Wire {
  const sent = Buffer.alloc(probeBytes, 'herald probe ');
  const hello = 5;
  let received = 0;
  const reader: DialReader = {
    connected() {
      wire.resume();
      wire.send(sent, 0, hello);
    },
    bytes(buffer, start, end) {
      const size = end - start;
      if (buffer.compare(sent, received, received + size, start, end) !== 0) return done('bytes differ');
      const isHello = received < hello;
      received += size;
      if (!isHello || received < hello) return;
      wire.useSharedBuffer();
      wire.send(sent, hello, sent.length);
      wire.end();
    },
    drained() {},
    ended() {
      if (received < sent.length) done('bytes are missing');
    },
    closed(error) {
      done(error === undefined && received === sent.length ? undefined : (error?.message ?? 'closed early'));
    },
  };
  const wire = way.dial(port, reader);
  return wire;
}
