// Bytes to a listener, as no HTTP client would send them.
import { connect, type NetConnectOpts } from 'node:net';

/** Writes the parts one after the other, then reads until the other side closes. Bounded by the listener's timeouts. */
export function exchange(target: NetConnectOpts, parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(target, () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    // A reset after the answer is part of the game; what was read before it counts.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

/** The status of the first answer in a text; 0 without one. */
export function statusIn(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

/** The JSON at the end of an answer's text. */
export function bodyIn(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as unknown;
}
