// The node of the benchmark: takes every upgrade and echoes bytes, on Herald's own raw wires; answers plain requests, as
// health checks send them.
import type { Transport, Wire, WireReader } from '../../../src/balancer/proxy/wire.ts';
import { headEnd, upgradeAnswer } from './words.ts';

const answer = Buffer.from(upgradeAnswer, 'latin1');
const ok = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');

class Echo implements WireReader {
  readonly #wire: Wire;
  #head = '';
  #isOpen = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#isOpen) return this.#echo(buffer, start, end);
    this.#head += buffer.toString('latin1', start, end);
    if (!this.#head.endsWith(headEnd)) return;
    this.#isOpen = /\r\nupgrade: websocket\r\n/i.test(this.#head);
    this.#head = '';
    const said = this.#isOpen ? answer : ok;
    this.#wire.send(said, 0, said.length);
    if (this.#isOpen) this.#wire.useSharedBuffer();
  }

  ended(): void {
    this.#wire.destroy();
  }

  drained(): void {
    this.#wire.resume();
  }

  closed(): void {}

  #echo(buffer: Buffer, start: number, end: number): void {
    if (!this.#wire.send(buffer, start, end)) this.#wire.pause();
  }
}

/** Starts it; gives its port. */
export async function startEchoNode(transport: Transport): Promise<number> {
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) => {
    wire.reader = new Echo(wire);
    wire.resume();
  });
  return port;
}
