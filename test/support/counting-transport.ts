// A real transport that counts what it has open, so that a test can wait until nothing is left.
import type { Socket } from 'node:net';
import { createTransport } from '../../src/balancer/proxy/transport.ts';
import type { DialReader, Transport, Wire } from '../../src/balancer/proxy/wire.ts';

/** A transport that knows its accepted and dialled connections that have not closed. */
export interface CountingTransport extends Transport {
  readonly openSockets: number;
}

/** The form that this run of the suite is about: the vitest project says which. */
export const testedForm = process.env['HERALD_TEST_FORM'] === 'plain' ? 'plain' : 'fast';

/** A transport of the tested form; `dialError` makes a dial fail with that code instead. */
export async function createCountingTransport(
  dialError?: () => string | undefined,
): Promise<CountingTransport> {
  const transport = await createTransport({ form: testedForm });
  const wires = new Set<Wire>();
  const sockets = new Set<Socket>();
  const count = (wire: Wire): Wire => {
    wires.add(wire);
    const toSocket = wire.toSocket.bind(wire);
    wire.toSocket = (seen) => {
      const socket = toSocket(seen);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    };
    return wire;
  };
  return {
    form: transport.form,
    tlsForm: transport.tlsForm,
    fallbackReason: transport.fallbackReason,
    get openSockets() {
      for (const wire of wires) if (wire.isClosed) wires.delete(wire);
      return wires.size + sockets.size;
    },
    listen: (bind, accept) => transport.listen(bind, (wire) => accept(count(wire))),
    dial(target, reader) {
      const code = dialError?.();
      return count(transport.dial(target, code === undefined ? reader : failing(reader, code)));
    },
  };
}

/** Hears of a dial that has come to an end as if it had failed with this code. */
function failing(reader: DialReader, code: string): DialReader {
  const fail = () => reader.closed(Object.assign(new Error(code), { code }));
  return { ...reader, bytes() {}, ended() {}, drained() {}, connected: fail, closed: fail };
}
