// Proves that a transport carries bytes on this machine: by its wires and by a socket made of one, small and large
// writes, half-close.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { inertReader } from './inert-reader.ts';
import type { DialReader, Transport, Wire, WireReader } from './wire.ts';

/** Loopback answers in a millisecond or two; a machine that is starting up may be slow. */
const probeTimeoutMs = 3000;
/** More than one read takes, so that pieces are put together again. */
const probeBytes = 256 * 1024;

/** Resolves when every byte has come back in order and both ends were closed; throws HERALD_TRANSPORT_UNAVAILABLE. */
export async function probeTransport(transport: Transport, clock: Clock): Promise<void> {
  for (const echo of [echoByWire, echoBySocket]) await probeBy(echo, transport, clock);
}

type Echo = (wire: Wire) => WireReader;

async function probeBy(echo: Echo, transport: Transport, clock: Clock): Promise<void> {
  const wires: Wire[] = [];
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) => {
    wires.push(wire);
    wire.reader = echo(wire);
    wire.resume();
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = clock.schedule(probeTimeoutMs, () => reject(failed('it did not answer in time')));
      const done = (problem: string | undefined): void => {
        timer.cancel();
        if (problem === undefined) resolve();
        else reject(failed(problem));
      };
      wires.push(dialProbe(transport, listener.port, done));
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

function dialProbe(transport: Transport, port: number, done: (problem: string | undefined) => void): Wire {
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
  const wire = transport.dial({ host: '127.0.0.1', port }, reader);
  return wire;
}
