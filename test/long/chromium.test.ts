// A real browser: a page that came through the balancer opens a WebSocket and an EventSource to it, and sees a drain.
import type { Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { aClientHouse, greetingSockets, otherThan, retryHintMs } from '../support/a-client-house.ts';
import { lacksChromium, openPage } from '../support/chromium.ts';
import { until } from '../support/until.ts';

const affinity = { kind: 'cookie', name: 'herald' };

/** A WebSocket that keeps what it hears, and comes back as it is told to. */
const socketPage = `<!doctype html><script>
  const heard = [], closes = [];
  let socket;
  function connect() {
    socket = new WebSocket('ws://' + location.host + '/socket', ['chat.v1', 'chat.v2']);
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onclose = ({ code, reason, wasClean }) => {
      closes.push({ code, reason, wasClean });
      setTimeout(connect, Number(/retry-ms=(\\d+)$/.exec(reason)[1]));
    };
  }
  connect();
</script>`;

/** An EventSource that keeps what it hears. */
const eventsPage = `<!doctype html><script>
  const heard = [];
  const source = new EventSource('/events');
  source.onmessage = ({ data }) => heard.push(data);
</script>`;

/** Serves the page, and on its WebSocket greets with the node's id and echoes. */
function socketNode(id: string, server: Server): void {
  server.on('request', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html', 'X-Node': id });
    response.end(socketPage);
  });
  greetingSockets(id, server);
}

/** Serves the page, and events that both nodes know; `asked` gets who was asked from which event on. */
function eventsNode(asked: string[], lastEvent: () => number): (id: string, server: Server) => void {
  return (id, server) => {
    server.on('request', (request, response) => {
      if (request.url !== '/events') {
        response.writeHead(200, { 'Content-Type': 'text/html' });
        response.end(eventsPage);
        return;
      }
      const begin = Number(request.headers['last-event-id'] ?? 0);
      asked.push(`${id} after ${begin}`);
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      for (let event = begin + 1; event <= lastEvent(); event += 1)
        response.write(`id: ${event}\ndata: ${id} ${event}\n\n`);
    });
  };
}

describe.skipIf(lacksChromium)('a page in Chromium (skipped: chromium-headless-shell is not there)', () => {
  it('talks over a compressed WebSocket on its own node, hears 1012 with the hint, and comes back elsewhere', async () => {
    const { port, drain } = await aClientHouse(socketNode, { affinity });
    const page = await openPage(`http://127.0.0.1:${port}/`);
    await page.waitForFunction('heard.length === 1');
    const home = String(await page.evaluate('heard[0]'));
    expect(await page.evaluate('[socket.protocol, socket.extensions]')).toEqual([
      'chat.v2',
      'permessage-deflate',
    ]);
    // The page's cookie leads its WebSocket, and every reload, to one node.
    const reloaded = await page.request.get(`http://127.0.0.1:${port}/`);
    expect(reloaded.headers()['x-node']).toBe(home);
    await page.evaluate(`for (let index = 0; index < 500; index += 1) socket.send('grüße ' + index)`);
    await page.evaluate(`socket.send('x'.repeat(1_000_000))`);
    await page.waitForFunction('heard.length === 502');
    expect(await page.evaluate('heard.slice(1, 501)')).toEqual(
      Array.from({ length: 500 }, (_, index) => `grüße ${index}`),
    );
    expect(await page.evaluate(`heard[501] === 'x'.repeat(1_000_000)`)).toBe(true);
    await drain(home);
    await page.waitForFunction('heard.length === 503');
    expect(await page.evaluate('heard[502]')).toBe(otherThan(home));
    // Proof of `as`: the page keeps nothing else there.
    const closes = (await page.evaluate('closes')) as { code: number; reason: string; wasClean: boolean }[];
    expect(closes).toEqual([{ code: 1012, reason: expect.any(String), wasClean: true }]);
    expect(retryHintMs(closes[0]?.reason ?? '')).toBeGreaterThan(0);
  });

  it('goes on with its EventSource elsewhere after a drain, from its last event', async () => {
    const asked: string[] = [];
    let last = 100;
    const { port, drain } = await aClientHouse(
      eventsNode(asked, () => last),
      { affinity },
    );
    const page = await openPage(`http://127.0.0.1:${port}/`);
    await page.waitForFunction('heard.length === 100');
    const home = asked[0]?.split(' ', 1)[0] ?? '';
    const next = otherThan(home);
    last = 200;
    await drain(home);
    await until(
      () => asked.length === 2,
      () => asked.join(),
      20_000,
    );
    await page.waitForFunction('heard.length === 200');
    expect(asked).toEqual([`${home} after 0`, `${next} after 100`]);
    expect(await page.evaluate('heard')).toEqual(
      Array.from({ length: 200 }, (_, index) => `${index < 100 ? home : next} ${index + 1}`),
    );
  });
});
