// The other process of the relay benchmark: WebSocket clients and their echoing node in one event loop, so that
// none of its work is charged to the relay. It frames once and counts bytes, which is all that a relay can tell.
import { EventEmitter, once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { maskedFrame } from './frame-cursor.ts';

/** What the parent may ask; one command at a time. */
export type LoadCommand =
  | {
      readonly kind: 'open';
      readonly port: number;
      readonly connections: number;
      readonly payloadBytes: number;
    }
  | { readonly kind: 'run'; readonly durationMs: number }
  | { readonly kind: 'handshakes'; readonly port: number; readonly count: number; readonly parallel: number }
  | { readonly kind: 'close' };

/** The answer to each command; `count` is round trips or handshakes done, else 0. */
export interface LoadAnswer {
  readonly count: number;
}

/** Sent once at the start. */
export interface LoadReady {
  readonly nodePort: number;
}

const headEnd = '\r\n\r\n';
const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const upgradeRequest = [
  'GET /bench HTTP/1.1',
  'Host: 127.0.0.1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0',
  'Accept-Encoding: gzip, deflate, br',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${key}`,
  headEnd,
].join('\r\n');
const upgradeAnswer = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  headEnd,
].join('\r\n');

let isRunning = false;
let roundTrips = 0;

/** One client: a message in flight at a time. */
class Client {
  readonly opened: Promise<void>;
  readonly #socket: Socket;
  readonly #frame: Buffer;
  #head = '';
  #isOpen = false;
  #missingBytes = 0;

  constructor(port: number, frame: Buffer) {
    this.#frame = frame;
    const arrived = new EventEmitter();
    this.opened = new Promise((resolve, reject) => arrived.once('open', resolve).once('error', reject));
    const buffer = Buffer.allocUnsafeSlow(65_536);
    const callback = (size: number, bytes: Uint8Array): boolean => {
      if (this.#isOpen) this.#received(size);
      else if (this.#readHead(bytes.subarray(0, size))) arrived.emit('open');
      return true;
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    // Without a listener, 'error' would be thrown.
    this.#socket.on('error', (error) => arrived.listenerCount('error') > 0 && arrived.emit('error', error));
    this.#socket.write(upgradeRequest);
  }

  send(): void {
    this.#missingBytes = this.#frame.length;
    this.#socket.write(this.#frame);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** True once the answer's head is complete; nothing follows it before the first message. */
  #readHead(bytes: Uint8Array): boolean {
    this.#head += Buffer.from(bytes).toString('latin1');
    this.#isOpen = this.#head.endsWith(headEnd);
    return this.#isOpen;
  }

  #received(size: number): void {
    this.#missingBytes -= size;
    if (this.#missingBytes > 0) return;
    roundTrips += 1;
    if (isRunning) this.send();
  }
}

function echo(socket: Socket): void {
  let head = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (head.endsWith(headEnd)) return void socket.write(chunk);
    head += chunk.toString('latin1');
    if (head.endsWith(headEnd)) socket.write(upgradeAnswer);
  });
}

let clients: Client[] = [];

async function obey(command: LoadCommand): Promise<number> {
  if (command.kind === 'open') return open(command.port, command.connections, command.payloadBytes);
  if (command.kind === 'run') return run(command.durationMs);
  if (command.kind === 'handshakes') return handshakes(command.port, command.count, command.parallel);
  for (const client of clients) client.close();
  clients = [];
  return 0;
}

async function open(port: number, connections: number, payloadBytes: number): Promise<number> {
  const frame = maskedFrame(payloadBytes);
  while (clients.length < connections) {
    const batch = Array.from(
      { length: Math.min(50, connections - clients.length) },
      () => new Client(port, frame),
    );
    await Promise.all(batch.map((client) => client.opened));
    clients.push(...batch);
  }
  return 0;
}

/** Round trips within the time; those in flight at its end are waited for and counted. */
async function run(durationMs: number): Promise<number> {
  roundTrips = 0;
  isRunning = true;
  for (const client of clients) client.send();
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  isRunning = false;
  await new Promise((resolve) => setTimeout(resolve, 50));
  return roundTrips;
}

async function handshakes(port: number, count: number, parallel: number): Promise<number> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const client = new Client(port, Buffer.alloc(0));
      await client.opened;
      client.close();
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return count;
}

const server = createServer(echo).listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
process.on('message', (command) => {
  // The parent is relay.ts and sends nothing else.
  obey(command as LoadCommand).then(
    (count) => process.send?.({ count } satisfies LoadAnswer),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
// A server bound to a port has an AddressInfo.
process.send?.({ nodePort: (server.address() as AddressInfo).port } satisfies LoadReady);
