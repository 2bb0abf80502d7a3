// WebSocket clients that people use, through the built balancer, to nodes that register themselves.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { anEchoNode, type AgentNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { startProcess } from '../support/herald-command.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

const mib = 1024 * 1024;

/** A balancer with echo nodes `a`, `b`, … that greet with their id. */
async function aFleet(
  ids: readonly string[],
  options: Parameters<typeof anEchoNode>[2] = {},
): Promise<{ herald: HeraldProcess; nodes: AgentNode[] }> {
  const herald = await aHerald();
  const nodes = await Promise.all(ids.map((id) => anEchoNode(id, herald.intakeUrl, options)));
  await herald.eligible(...ids);
  return { herald, nodes };
}

const greet = (socket: WebSocket, id: string) => socket.send(id);

describe('a ws client', () => {
  it('gets text, binary and empty messages back as it sent them', async () => {
    const { herald } = await aFleet(['a', 'b']);
    const client = await connectWs(herald.publicPort, { perMessageDeflate: false });
    const bytes = randomBytes(70_000);
    for (const data of ['grüße 🎈', bytes, '', Buffer.alloc(0)]) client.socket.send(data);
    await client.message(4);
    expect(client.messages.map(({ isBinary }) => isBinary)).toEqual([false, true, false, true]);
    expect(client.messages.map(({ data }) => data.length)).toEqual([
      Buffer.byteLength('grüße 🎈'),
      70_000,
      0,
      0,
    ]);
    expect(client.messages[0]?.data.toString()).toBe('grüße 🎈');
    expect(client.messages[1]?.data.equals(bytes)).toBe(true);
  });

  it('gets many messages of one MiB in order and whole, compressed and not', async () => {
    const { herald } = await aFleet(['a', 'b'], { ws: { perMessageDeflate: true, maxPayload: 2 * mib } });
    for (const perMessageDeflate of [false, true]) {
      const client = await connectWs(herald.publicPort, { perMessageDeflate });
      expect(client.socket.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
      const sent = Array.from({ length: 6 }, (_, index) =>
        // Half of each can be compressed.
        Buffer.concat([randomBytes(mib / 2), Buffer.alloc(mib / 2, index)]),
      );
      for (const data of sent) client.socket.send(data);
      await client.message(sent.length);
      expect(client.messages.map(({ data }, index) => data.equals(sent[index] ?? data.subarray(1)))).toEqual(
        sent.map(() => true),
      );
    }
  });

  it('may send a message in fragments with a ping between them', async () => {
    const { herald } = await aFleet(['a', 'b']);
    const { socket, message } = await connectWs(herald.publicPort, { perMessageDeflate: false });
    const pongs: string[] = [];
    socket.on('pong', (data) => pongs.push(data.toString()));
    socket.send('one ', { fin: false });
    socket.send('two ', { fin: false });
    socket.ping('between');
    socket.send('three', { fin: true });
    expect((await message(1)).data.toString()).toBe('one two three');
    await until(
      () => pongs.length > 0,
      () => 'no pong',
    );
    expect(pongs).toEqual(['between']);
  });

  it('is pinged by its node and hears its fragments', async () => {
    const pongs: string[] = [];
    const { herald } = await aFleet(['a'], {
      greet(socket) {
        socket.on('pong', (data) => pongs.push(data.toString()));
        socket.ping('are you there');
        socket.send('from ', { fin: false });
        socket.send('the node', { fin: true });
      },
    });
    const { message } = await connectWs(herald.publicPort);
    expect((await message(1)).data.toString()).toBe('from the node');
    await until(
      () => pongs.length > 0,
      () => 'no pong',
    );
    expect(pongs).toEqual(['are you there']);
  });

  it('hears the close code and reason of its node, and the node hears those of its client', async () => {
    const heard: string[] = [];
    const { herald } = await aFleet(['a', 'b'], {
      greet(socket) {
        socket.on('close', (code, reason) => heard.push(`${code} ${reason.toString()}`));
        socket.on('message', (data: Buffer) => {
          if (data.toString() === 'bye') socket.close(4001, 'you said bye');
        });
      },
    });
    const told = await connectWs(herald.publicPort);
    told.socket.send('bye');
    expect(await told.close()).toEqual({ code: 4001, reason: 'you said bye' });
    const telling = await connectWs(herald.publicPort);
    telling.socket.close(3456, 'enough');
    expect(await telling.close()).toEqual({ code: 3456, reason: 'enough' });
    const silent = await connectWs(herald.publicPort);
    silent.socket.close();
    expect((await silent.close()).code).toBe(1005);
    await eventually(
      () => heard,
      (all) => all.length === 3,
    );
    expect(heard.toSorted()).toEqual(['1005 ', '3456 enough', '4001 you said bye']);
  });

  it('agrees with its node on a sub-protocol, path, query and headers', async () => {
    const asked: string[] = [];
    const { herald } = await aFleet(['a', 'b'], {
      ws: {
        handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
        verifyClient: ({ req }: { req: IncomingMessage }) => {
          asked.push(`${req.url} ${req.headers['x-tenant']} ${req.headers['x-forwarded-for']}`);
          return true;
        },
      },
    });
    const { socket } = await connectWs(herald.publicPort, {
      path: '/rooms/7?token=a%20b&x=1',
      protocols: ['chat.v1', 'chat.v2'],
      headers: { 'X-Tenant': 'blue' },
    });
    expect(socket.protocol).toBe('chat.v2');
    expect(asked).toEqual(['/rooms/7?token=a%20b&x=1 blue 127.0.0.1']);
  });

  it('is refused with the status and body that its node chose', async () => {
    const { herald } = await aFleet(['a'], {
      ws: { verifyClient: (_info: unknown, done: (ok: boolean, code: number) => void) => done(false, 401) },
    });
    await expect(connectWs(herald.publicPort)).rejects.toThrow('Unexpected server response: 401');
  });

  it('is let in and closed with 1013 and a time to come back where no node may take it', async () => {
    const herald = await aHerald();
    const client = await connectWs(herald.publicPort, { protocols: ['chat.v2'] });
    const { code, reason } = await client.close();
    expect([code, reason.replace(/\d+/, 'N')]).toEqual([1013, 'HERALD_NO_NODE retry-ms=N']);
  });

  it('shares an equally loaded fleet with the others', async () => {
    const { herald } = await aFleet(['a', 'b', 'c'], { greet });
    const homes: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      const client = await connectWs(herald.publicPort);
      homes.push((await client.message(1)).data.toString());
    }
    expect(new Set(homes)).toEqual(new Set(['a', 'b', 'c']));
  });
});

const pythonClient = fileURLToPath(new URL('./fixtures/websockets-client.py', import.meta.url));
const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',');

describe("Debian's python3-websockets", () => {
  it.skipIf(lacks.includes('python3-websockets'))(
    'talks text, binary, fragments, pings, sub-protocols and closes (skipped: python3-websockets is not there)',
    async () => {
      const { herald } = await aFleet(['a', 'b'], {
        ws: { perMessageDeflate: true, handleProtocols: () => 'chat.v2' },
        greet(socket) {
          socket.on('message', (data: Buffer) => {
            if (data.toString() === 'close me') socket.close(4002, 'as you wish');
          });
        },
      });
      const url = `ws://127.0.0.1:${herald.publicPort}/chat`;
      const run = await startProcess('/usr/bin/python3', [pythonClient, url]).ended();
      expect(run.stderr).toBe('');
      expect(run.code).toBe(0);
      expect(JSON.parse(run.stdout)).toEqual({
        subprotocol: 'chat.v2',
        extensions: ['permessage-deflate'],
        text: 'grüße',
        binary: 300_000,
        fragments: 'one two three',
        pong: true,
        many: 200,
        close: [4002, 'as you wish'],
      });
    },
  );
});
