// Dials from several local addresses, and what happens when one has no port: it is ours, and no node's fault.
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { startRawNode, switching, type RawNode } from '../../support/raw-node.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
// Reserved for documentation (RFC 5737): no machine has it, so binding it fails as a source without ports does.
const notOurs = '192.0.2.1';

async function aNode(): Promise<{ node: RawNode; sources: string[] }> {
  const sources: string[] = [];
  const behave = (socket: Socket, text: string): void => {
    if (text.includes('websocket')) socket.write(switching);
    else if (text.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  };
  const node = await startRawNode('a', behave, (socket) => sources.push(socket.remoteAddress ?? ''));
  return { node, sources };
}

describe('nodes', () => {
  it('are dialled from each source in turn, for tunnels and requests', async () => {
    const { node, sources } = await aNode();
    const proxy = await startProxy({ nodes: [node], sourceAddresses: ['127.0.0.2', '127.0.0.3'] });
    for (let i = 0; i < 2; i++) {
      const client = new RawClient(proxy.port).send(upgradeText());
      await client.heard('101 Switching');
      client.socket.destroy();
    }
    expect(sources.splice(0).toSorted()).toEqual(['127.0.0.2', '127.0.0.3']);
    for (let i = 0; i < 2; i++) await new RawClient(proxy.port).send(get).over();
    expect(sources.toSorted()).toEqual(['127.0.0.2', '127.0.0.3']);
    await proxy.finish();
  });

  it('are dialled from another source when one has no port, and nobody hears of it', async () => {
    const { node, sources } = await aNode();
    const proxy = await startProxy({ nodes: [node], sourceAddresses: [notOurs, '127.0.0.3'] });
    for (const text of [upgradeText(), upgradeText(), get, get]) {
      const client = new RawClient(proxy.port).send(text);
      await client.heard(text === get ? '\r\n\r\nok' : '101 Switching');
      client.socket.destroy();
    }
    expect(sources).toEqual(['127.0.0.3', '127.0.0.3', '127.0.0.3', '127.0.0.3']);
    expect(proxy.told).toEqual([]);
    await proxy.finish();
  });

  it('are not to blame when no source has a port: 503', async () => {
    const { node } = await aNode();
    const proxy = await startProxy({ nodes: [node], sourceAddresses: [notOurs] });
    for (const text of [upgradeText(), get]) {
      const answer = await new RawClient(proxy.port).send(text).over();
      expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*"code":"HERALD_DIAL_EXHAUSTED"/);
      expect(answer).toMatch(/\r\nRetry-After: [1-5]\r\n/);
    }
    expect(proxy.told).toEqual(['a: local', 'HERALD_DIAL_EXHAUSTED', 'a: local', 'HERALD_DIAL_EXHAUSTED']);
    await proxy.finish();
  });
});
