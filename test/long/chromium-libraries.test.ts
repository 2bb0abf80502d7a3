// Libraries as they are in a real browser, which has cookies, a WebSocket and requests of its own: sessions and drains.
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { phoenixJournal, phoenixNode } from '../integration/clients/phoenix-node.ts';
import { signalrHub } from '../integration/clients/signalr-hub.ts';
import { sockJsNode } from '../integration/clients/sockjs-node.ts';
import { aClientHouse, otherThan, type ClientHouse } from '../support/a-client-house.ts';
import { lacksChromium, openPage } from '../support/chromium.ts';

const cookie = { kind: 'cookie', name: 'herald' };

/** A page of the balancer's origin (that it is none that a node knows does not matter) with a library and a script. */
async function pageWith(port: number, library: string, script: string): Promise<Page> {
  const page = await openPage(`http://127.0.0.1:${port}/${randomUUID()}`);
  await page.addScriptTag({ path: `node_modules/${library}` });
  await page.addScriptTag({ content: script });
  return page;
}

/** The page's `homes` once there are so many. */
async function homesOf(page: Page, count: number): Promise<unknown> {
  await page.waitForFunction(`homes.length >= ${count}`);
  return page.evaluate('homes');
}

const sockJs = (transport: string) => `
  const homes = [], closes = [];
  function connect() {
    const socket = new SockJS('/echo', null, { transports: ['${transport}'] });
    socket.onmessage = ({ data }) => homes.push(data);
    socket.onclose = ({ code, reason, wasClean }) => {
      closes.push([code, reason.replace(/\\d+$/, 'N'), wasClean]);
      setTimeout(connect, Number(/retry-ms=(\\d+)$/.exec(reason)?.[1] ?? 100));
    };
  }
  connect();`;

const phoenix = `
  const homes = [], closes = [];
  const socket = new Phoenix.Socket('/socket', { transport: Phoenix.LongPoll, rejoinAfterMs: () => 20 });
  socket.onClose(({ code }) => closes.push(code));
  socket.connect();
  const channel = socket.channel('room:1');
  channel.join().receive('ok', ({ node }) => homes.push(node));
  const say = (text) => new Promise((resolve, reject) => {
    channel.push('say', { text }).receive('ok', ({ text }) => resolve(text)).receive('timeout', reject);
  });`;

const signalR = (transport: string) => `
  const homes = [], told = [];
  const connection = new signalR.HubConnectionBuilder()
    .withUrl('/hub', { transport: signalR.HttpTransportType.${transport} })
    .configureLogging(signalR.LogLevel.None).withAutomaticReconnect().build();
  const ask = async () => homes.push(await connection.invoke('Where'));
  connection.onreconnecting((error) => told.push(String(error?.message)));
  connection.onreconnected(ask);
  connection.start().then(ask);`;

async function house(attach: (id: string, server: Server) => void, affinity: object): Promise<ClientHouse> {
  return aClientHouse(attach, { affinity });
}

describe.skipIf(lacksChromium)('in Chromium (skipped: chromium-headless-shell is not there)', () => {
  it.each([
    ['websocket', [1012, 'reconnect retry-ms=N', false]],
    ['xhr-streaming', [1006, 'permanent', false]],
    ['xhr-polling', [1006, 'Server lost session', false]],
  ])('SockJS over %s is told of a drain, and is on the other node afterwards', async (transport, close) => {
    const { port, drainWithin } = await house(sockJsNode(), { kind: 'path', segment: 3 });
    const page = await pageWith(port, 'sockjs-client/dist/sockjs.js', sockJs(transport));
    const [home] = (await homesOf(page, 1)) as [string];
    // Long enough for a goodbye and for a heartbeat.
    await drainWithin(home, 3000);
    expect(await homesOf(page, 2)).toEqual([home, otherThan(home)]);
    expect(await page.evaluate('closes')).toEqual([close]);
  });

  it('Phoenix over long polls keeps its session by the cookie, and leaves it when its node is drained', async () => {
    const journal = phoenixJournal();
    const { port, drain } = await house(phoenixNode(journal), cookie);
    const page = await pageWith(port, 'phoenix/priv/static/phoenix.js', phoenix);
    const [home] = (await homesOf(page, 1)) as [string];
    for (const text of ['eins', 'zwei', 'grüße 🎈']) expect(await page.evaluate(`say('${text}')`)).toBe(text);
    expect([await page.evaluate('homes'), await page.evaluate('closes')]).toEqual([[home], []]);
    await drain(home);
    expect(await homesOf(page, 2)).toEqual([home, otherThan(home)]);
    expect(await page.evaluate('closes')).toEqual([3410]);
    expect(await page.evaluate(`say('drei')`)).toBe('drei');
  });

  it.each([
    ['ServerSentEvents', 'undefined'],
    ['LongPolling', '404'],
  ])(
    'SignalR over %s keeps its cookie, and negotiates again when its node is drained',
    async (transport, why) => {
      const { port, drain } = await house(signalrHub(), cookie);
      const library = '@microsoft/signalr/dist/browser/signalr.js';
      const page = await pageWith(port, library, signalR(transport));
      const [home] = (await homesOf(page, 1)) as [string];
      await page.evaluate('(async () => { for (let round = 0; round < 5; round += 1) await ask(); })()');
      expect(await page.evaluate('homes')).toEqual(Array.from({ length: 6 }, () => home));
      await drain(home);
      const homes = (await homesOf(page, 7)) as string[];
      expect(homes.at(-1)).toBe(otherThan(home));
      expect(await page.evaluate('told')).toEqual([expect.stringContaining(why)]);
    },
  );
});
