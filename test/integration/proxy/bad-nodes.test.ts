// Nodes that refuse, hang, talk nonsense or die: what the client hears, what the lease is told, what is left.
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import {
  answering,
  startRawNode,
  switching,
  type NodeBehaviour,
  type RawNode,
} from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const timeouts = { handshakeMs: 150, requestIdleMs: 1_000 };
const good = () => startRawNode('good', answering(switching));

async function closedNode(id: string): Promise<RawNode> {
  const node = await startRawNode(id, () => {});
  await node.close();
  return node;
}

function always(answer: string): NodeBehaviour {
  return (socket, text) => {
    if (text.endsWith('\r\n\r\n')) socket.end(Buffer.from(answer, 'latin1'));
  };
}

const resets: NodeBehaviour = (socket) => void socket.resetAndDestroy();
const closes: NodeBehaviour = (socket) => void socket.end();

function postOf(body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const okPost: NodeBehaviour = (socket, text) => {
  if (text.endsWith('body')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
};

const failing: readonly (readonly [string, string, () => Promise<RawNode>])[] = [
  ['refuses', 'refused', () => closedNode('bad')],
  ['accepts and never answers', 'timeout', () => startRawNode('bad', () => {})],
  ['resets during the handshake', 'reset', () => startRawNode('bad', resets)],
  ['closes without a byte', 'reset', () => startRawNode('bad', closes)],
  ['answers garbage', 'handshake', () => startRawNode('bad', always('hello?\r\n\r\n'))],
  ['answers a truncated head', 'handshake', () => startRawNode('bad', always('HTTP/1.1 101 Swi'))],
  ['answers 101 without Upgrade', 'handshake', () => startRawNode('bad', always('HTTP/1.1 101 X\r\n\r\n'))],
  [
    'answers 101 to another protocol',
    'handshake',
    () => startRawNode('bad', always('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')),
  ],
  [
    'answers a head that never ends',
    'handshake',
    () => startRawNode('bad', (socket) => void socket.write(`HTTP/1.1 101 X\r\nX: ${'y'.repeat(20_000)}`)),
  ],
  [
    'answers with two lengths',
    'handshake',
    () => startRawNode('bad', always('HTTP/1.1 403 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')),
  ],
  [
    'answers with a folded field',
    'handshake',
    () => startRawNode('bad', always(switching.replace('Upgrade: w', 'X: a\r\n b\r\nUpgrade: w'))),
  ],
];

describe('a node that fails before its answer', () => {
  it.each(failing)('is replaced unseen by the client when it %s', async (_name, reason, start) => {
    const nodes = [await start(), await good()];
    const proxy = await startProxy({ nodes, timeouts });
    const client = new RawClient(proxy.port).send(`${upgradeText()}early`);
    expect(await client.heard('echo:early;')).toMatch(/^HTTP\/1\.1 101 /);
    expect(proxy.told).toEqual([`bad: ${reason}`]);
    expect(proxy.placement.leases).toMatchObject([
      { nodeId: 'bad', isOpened: false, settled: reason },
      { nodeId: 'good', isOpened: true, settled: 'no' },
    ]);
    client.socket.destroy();
    await proxy.finish();
  });

  it.each(failing)(
    'is told to the client with a stable code when it is the only one and %s',
    async (_n, reason, start) => {
      const proxy = await startProxy({ nodes: [await start()], timeouts });
      const code = reason === 'handshake' ? 'HERALD_HANDSHAKE_FAILED' : 'HERALD_DIAL_FAILED';
      const answer = await new RawClient(proxy.port).send(upgradeText()).over();
      expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
      expect(answer).toContain(`"code":"${code}"`);
      expect(proxy.told).toEqual([`bad: ${reason}`, code]);
      await proxy.finish();
    },
  );

  it('is given up after the attempts of the policy', async () => {
    const nodes = await Promise.all(['a', 'b', 'c', 'd'].map(closedNode));
    const proxy = await startProxy({ nodes, attempts: 3 });
    await new RawClient(proxy.port).send(upgradeText()).over();
    expect(proxy.told).toEqual(['a: refused', 'b: refused', 'c: refused', 'HERALD_DIAL_FAILED']);
    await proxy.finish();
  });

  it.each(['EADDRNOTAVAIL', 'EMFILE', 'ENFILE'])('is not to blame for %s on our side', async (code) => {
    const node = await good();
    const proxy = await startProxy({ nodes: [node], dialError: () => code });
    await new RawClient(proxy.port).send(upgradeText()).over();
    expect(proxy.told).toEqual(['good: local', 'HERALD_DIAL_EXHAUSTED']);
    await proxy.finish();
  });
});

describe('a node that answers an upgrade with something else', () => {
  const answers: readonly (readonly [string, string, RegExp])[] = [
    [
      '401 with a length',
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?',
      /who\?$/,
    ],
    [
      '503 in chunks',
      'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n',
      /0\r\n\r\n$/,
    ],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', /\r\n\r\n$/],
    [
      'a redirect of length 0',
      'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
      /\r\n\r\n$/,
    ],
  ];

  it.each(answers)('has it passed on, and the connection closed: %s', async (_name, answer, end) => {
    const node = await startRawNode('a', answering(answer));
    const proxy = await startProxy({ nodes: [node], timeouts });
    const got = await new RawClient(proxy.port).send(upgradeText()).over();
    expect(got.split('\r\n')[0]).toBe(answer.split('\r\n')[0]);
    expect(got).toMatch(end);
    expect(got).toContain('\r\nConnection: close\r\n');
    // 401 is the application's word; 5xx counts against the node, which would attract everybody by failing fast.
    const settled = answer.startsWith('HTTP/1.1 5') ? 'status' : 'released';
    expect(proxy.placement.leases).toMatchObject([{ isOpened: false, settled }]);
    await proxy.finish();
    await until(
      () => node.openSockets === 0,
      () => `${node.openSockets} sockets at the node`,
    );
  });

  it('of 5xx is replaced unseen by the client, and its answer is dropped', async () => {
    const busy = await startRawNode('busy', answering('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'));
    const proxy = await startProxy({ nodes: [busy, await good()], timeouts });
    const client = new RawClient(proxy.port).send(`${upgradeText()}early`);
    expect(await client.heard('echo:early;')).toMatch(/^HTTP\/1\.1 101 /);
    expect(client.received).not.toContain('busy');
    expect(proxy.told).toEqual(['busy: status']);
    await until(
      () => busy.openSockets === 0,
      () => 'the busy node is still connected',
    );
    client.socket.destroy();
    await proxy.finish();
  });

  it('of 5xx is passed on when every other node fails, too, and the last answer stands', async () => {
    const refusing = (id: string) =>
      startRawNode(id, answering(`HTTP/1.1 503 ${id}\r\nContent-Length: 4\r\n\r\nbusy`));
    const nodes = [await refusing('a'), await refusing('b'), await closedNode('c')];
    const proxy = await startProxy({ nodes, timeouts });
    const answer = await new RawClient(proxy.port).send(upgradeText()).over();
    expect(answer).toMatch(/^HTTP\/1\.1 503 b\r\n[^]*busy$/);
    expect(proxy.told).toEqual(['a: status', 'b: status', 'c: refused']);
    await proxy.finish();
    await until(
      () => nodes.every(({ openSockets }) => openSockets === 0),
      () => 'a node is still connected',
    );
  });

  it('has a body passed on that ends with the connection', async () => {
    const node = await startRawNode('a', always('HTTP/1.0 500 Oops\r\n\r\nall of it'));
    const proxy = await startProxy({ nodes: [node] });
    expect(await new RawClient(proxy.port).send(upgradeText()).over()).toMatch(
      /^HTTP\/1\.1 500 Oops[^]*all of it$/,
    );
    await proxy.finish();
  });

  it('and dies within the body has the client cut off', async () => {
    const node = await startRawNode('a', always('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf'));
    const proxy = await startProxy({ nodes: [node] });
    await new RawClient(proxy.port).send(upgradeText()).over();
    await proxy.finish();
  });

  it('and stalls within the body is given up after the idle time', async () => {
    const node = await startRawNode('a', answering('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf'));
    const proxy = await startProxy({ nodes: [node], timeouts: { requestIdleMs: 150 } });
    await new RawClient(proxy.port).send(upgradeText()).over();
    await proxy.finish();
  });
});

describe('a node that dies', () => {
  it('mid-relay ends the tunnel and releases the lease', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.endsWith('die')) socket.resetAndDestroy();
      else answering(switching)(socket, text);
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    await client.heard('101 Switching');
    await client.send('die').over();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ isOpened: true, settled: 'released' }]);
  });

  it('within a forwarded answer cuts the client off before the end of the body', async () => {
    const node = await startRawNode(
      'a',
      always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    );
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').over();
    expect(answer).not.toContain('0\r\n\r\n');
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ isOpened: true, settled: 'released' }]);
  });
});

describe('a node that fails a forwarded request', () => {
  const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const ok = always('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

  it('by refusing is replaced, whatever the method', async () => {
    const nodes = [await closedNode('bad'), await startRawNode('good', okPost)];
    const proxy = await startProxy({ nodes });
    expect(await new RawClient(proxy.port).send(postOf('body')).over()).toContain('\r\n\r\nok');
    expect(nodes[1]?.received[0]).toMatch(/\r\n\r\nbody$/);
    expect(proxy.told).toEqual(['bad: refused']);
    await proxy.finish();
  });

  it('by resetting is replaced for a GET', async () => {
    const proxy = await startProxy({
      nodes: [await startRawNode('bad', resets), await startRawNode('good', ok)],
    });
    expect(await new RawClient(proxy.port).send(get).over()).toContain('\r\n\r\nok');
    expect(proxy.told).toEqual(['bad: reset']);
    await proxy.finish();
  });

  it('by resetting is not replaced for a POST that it may have done', async () => {
    const spare = await startRawNode('spare', okPost);
    const proxy = await startProxy({ nodes: [await startRawNode('bad', resets), spare] });
    expect(await new RawClient(proxy.port).send(postOf('body')).over()).toMatch(
      /^HTTP\/1\.1 502 [^]*HERALD_DIAL_FAILED/,
    );
    expect(spare.received).toEqual([]);
    await proxy.finish();
  });

  it('by silence is not replaced, and the client hears 502 after the idle time', async () => {
    const spare = await startRawNode('spare', ok);
    const silent = await startRawNode('bad', () => {});
    const proxy = await startProxy({ nodes: [silent, spare], timeouts: { requestIdleMs: 300 } });
    const answer = await new RawClient(proxy.port).send(get).over();
    expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*HERALD_DIAL_FAILED/);
    expect(proxy.told).toEqual(['bad: timeout', 'HERALD_DIAL_FAILED']);
    expect(spare.received).toEqual([]);
    await proxy.finish();
  });

  it('by garbage is told as a failed handshake', async () => {
    const proxy = await startProxy({ nodes: [await startRawNode('bad', always('hello?\r\n\r\n'))] });
    expect(await new RawClient(proxy.port).send(get).over()).toMatch(
      /^HTTP\/1\.1 502 [^]*HERALD_HANDSHAKE_FAILED/,
    );
    await proxy.finish();
  });
});
