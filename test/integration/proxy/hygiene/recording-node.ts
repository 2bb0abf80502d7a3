// A node that writes down every byte, and answers whatever it takes for a whole request, as a careless server would.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { switching } from '../../../support/raw-node.ts';
import type { HygieneCase } from './case.ts';

/** One listening node, for one case. */
export interface RecordingNode {
  readonly port: number;
  /** See Outcome.node. */
  messages(): string[];
  close(): Promise<void>;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Where the first message of `text` ends; -1 while it is not whole. */
export function messageEnd(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const head = text.slice(0, headEnd + 2).toLowerCase();
  const bodyAt = headEnd + 4;
  if (head.includes('\r\ntransfer-encoding: chunked\r\n')) {
    if (text.startsWith('0\r\n\r\n', bodyAt)) return bodyAt + 5;
    const last = text.indexOf('\r\n0\r\n', bodyAt);
    const end = last === -1 ? -1 : text.indexOf('\r\n\r\n', last + 3);
    return end === -1 ? -1 : end + 4;
  }
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1] ?? 0);
  return text.length >= bodyAt + length ? bodyAt + length : -1;
}

/** Starts a node. */
export async function startRecordingNode(hygieneCase: HygieneCase): Promise<RecordingNode> {
  const messages: string[] = [];
  const fragments = new Map<Socket, string>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    fragments.set(socket, '');
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      let text = (fragments.get(socket) ?? '') + chunk.toString('latin1');
      for (let end = messageEnd(text); end !== -1; end = messageEnd(text)) {
        const message = text.slice(0, end);
        text = text.slice(end);
        messages.push(message);
        answer(socket, message, hygieneCase);
      }
      fragments.set(socket, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    messages: () => [...messages, ...fragments.values()].filter((text) => text !== '').map(withoutAccount),
    close: () =>
      new Promise((resolve) => {
        for (const socket of fragments.keys()) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function answer(socket: Socket, message: string, hygieneCase: HygieneCase): void {
  const usual = /\r\nupgrade: websocket\r\n/i.test(message) ? switching : ok;
  socket.write(Buffer.from(hygieneCase.answer ?? usual, 'latin1'));
  if (hygieneCase.closes === true) socket.end();
}

// What Herald says of the client is told in its own tests; here it would only hide the rest.
const account = /^(?:x-forwarded-(?:for|proto|host|port)|forwarded|x-request-id|traceparent): .*\r\n/gim;

function withoutAccount(message: string): string {
  const end = message.indexOf('\r\n\r\n') + 2;
  if (end === 1) return message;
  const head = message.slice(0, end).replaceAll(account, '');
  return head.replace(/^host: 127\.0\.0\.1:\d+/m, 'host: 127.0.0.1:port') + message.slice(end);
}
