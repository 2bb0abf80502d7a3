// A client that writes bytes as a test gives them and keeps every byte that comes back.
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

/** One connection to `port` of 127.0.0.1. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #isEnded = false;
  #isClosed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (chunk) => (this.#received += chunk.toString('latin1')));
    this.socket.on('end', () => (this.#isEnded = true));
    this.socket.on('error', () => {
      // 'close' follows and is what tests look at.
    });
    this.socket.on('close', () => (this.#isClosed = true));
  }

  /** Everything received, latin1. */
  get received(): string {
    return this.#received;
  }

  /** The other side has ended its half, or the connection is gone. */
  get isOver(): boolean {
    return this.#isEnded || this.#isClosed;
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, 'latin1'));
    return this;
  }

  /** Waits until `text` has been received. */
  async heard(text: string): Promise<string> {
    await until(
      () => this.#received.includes(text) || this.isOver,
      () => `waiting for ${text}: ${this.#received}`,
    );
    if (!this.#received.includes(text))
      throw new Error(`ended without ${text}: ${JSON.stringify(this.#received)}`);
    return this.#received;
  }

  /** Waits for the other side's end and gives everything received. */
  async over(): Promise<string> {
    await until(
      () => this.isOver,
      () => `waiting for the end, received ${JSON.stringify(this.#received)}`,
    );
    this.socket.destroy();
    return this.#received;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** An upgrade as browsers send it; `extra` are whole field lines. */
export function upgradeText(path = '/', extra = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${extra}\r\n`
  );
}
