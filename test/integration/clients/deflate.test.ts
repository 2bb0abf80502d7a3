// permessage-deflate of `ws` on both ends: compressed frames pass as they are, with the windows that both ends keep.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { aClientHouse, otherThan, retryHintMs } from '../../support/a-client-house.ts';
import { until } from '../../support/until.ts';
import { connectWs } from '../../support/ws-client.ts';

const keepsWindows = { threshold: 0, serverNoContextTakeover: false, clientNoContextTakeover: false };

/** What went each way over one socket. */
interface Tapped {
  readonly sent: Buffer[];
  readonly received: Buffer[];
}

/** Keeps what a socket gets and is given to send. */
function tap(socket: Socket): Tapped {
  const tapped: Tapped = { sent: [], received: [] };
  socket.prependListener('data', (chunk: Buffer) => void tapped.received.push(Buffer.from(chunk)));
  const write = socket.write.bind(socket);
  socket.write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    tapped.sent.push(Buffer.from(chunk as Uint8Array));
    // Proof of `as`: what came in by the same signature.
    return write(chunk, ...(rest as []));
  };
  return tapped;
}

const afterHead = (chunks: readonly Buffer[]) => {
  const all = Buffer.concat(chunks);
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
};

/** Echo nodes that greet with their id; the taps of their ends in order of arrival. */
async function aDeflatingHouse() {
  const taps: Tapped[] = [];
  const house = await aClientHouse((id, server) => {
    const sockets = new WebSocketServer({ server, perMessageDeflate: keepsWindows });
    server.prependListener('upgrade', (_request, socket: Socket) => void taps.push(tap(socket)));
    sockets.on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
      socket.send(id);
    });
  });
  return { ...house, taps };
}

describe('permessage-deflate', () => {
  it('passes byte for byte both ways, so that both ends keep their windows from message to message', async () => {
    const { port, taps } = await aDeflatingHouse();
    let mine: Tapped | undefined;
    const client = await connectWs(port, {
      perMessageDeflate: keepsWindows,
      createConnection: () => {
        const socket = connect(port, '127.0.0.1');
        mine = tap(socket);
        return socket;
      },
    });
    expect(client.socket.extensions).toBe('permessage-deflate');
    await client.message(1);
    // Noise compresses only against a window that still holds it.
    const noise = randomBytes(8192);
    for (let index = 0; index < 20; index += 1) client.socket.send(noise);
    await client.message(21);
    expect(client.messages.slice(1).every(({ data }) => data.equals(noise))).toBe(true);
    const [theirs] = taps;
    if (mine === undefined || theirs === undefined) throw new Error('nothing was tapped');
    const up = afterHead(mine.sent);
    const down = afterHead(mine.received);
    expect(afterHead([Buffer.from('\r\n\r\n'), ...theirs.received]).equals(up)).toBe(true);
    expect(afterHead(theirs.sent).equals(down)).toBe(true);
    expect(up.length).toBeLessThan(3 * noise.length);
    expect(down.length).toBeLessThan(3 * noise.length);
  });

  it('hears the goodbye of a drain between two compressed messages, and compresses afresh elsewhere', async () => {
    const { port, drain } = await aDeflatingHouse();
    const client = await connectWs(port, { perMessageDeflate: keepsWindows });
    const home = (await client.message(1)).data.toString();
    let sent = 0;
    // Each answer is the next question: messages are on their way when the Close comes.
    client.socket.on('message', (data) => {
      if (client.socket.readyState !== client.socket.OPEN) return;
      client.socket.send(sent === 0 ? 'grüße 0' : String(data).replace(/\d+$/, String(sent)));
      sent += 1;
    });
    client.socket.send('first');
    await until(
      () => client.messages.length > 50,
      () => `${client.messages.length} messages`,
    );
    await drain(home);
    const { code, reason } = await client.close();
    expect([code, retryHintMs(reason) > 0]).toEqual([1012, true]);
    const again = await connectWs(port, { perMessageDeflate: keepsWindows });
    expect((await again.message(1)).data.toString()).toBe(otherThan(home));
    again.socket.send('grüße '.repeat(1000));
    expect((await again.message(2)).data.toString()).toBe('grüße '.repeat(1000));
  });
});
