// What hundreds of clients leave behind in the balancer when they end in every way there is: nothing.
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { RawClient, upgradeText } from '../support/raw-client.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

// Idle connections to health checks, the admin socket and scrapers come and go.
const toleratedDescriptors = 8;

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

async function openConnections(herald: HeraldProcess): Promise<number> {
  const metrics = await herald.metrics();
  return [...metrics]
    .filter(([series]) => series.startsWith('herald_connections{'))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** The TCP socket under a client. */
function tcpOf(client: WsClient): Socket {
  // ws keeps it in `_socket`, which its types leave out; it is there while the client is open.
  const { _socket } = client.socket as unknown as { _socket: Socket };
  return _socket;
}

describe.skipIf(process.platform !== 'linux')(
  'three hundred WebSocket clients (skipped: descriptors are counted in /proc, which Linux has)',
  () => {
    const ways = 'that close, reset, are cut by their node or leave half-way';
    it.each(['fast', 'plain'])(
      `${ways} leave no connection and no descriptor in the %s form`,
      async (form) => {
        const herald = await aHerald({ env: { HERALD_RELAY_FORM: form } });
        const atNodes: WebSocket[] = [];
        const greet = (socket: WebSocket) => void atNodes.push(socket);
        await Promise.all(['a', 'b', 'c'].map((id) => anEchoNode(id, herald.intakeUrl, { greet })));
        await herald.eligible('a', 'b', 'c');
        await openConnections(herald);
        const before = descriptorsOf(herald.pid);
        for (let round = 0; round < 3; round += 1) await comeAndGo(herald, atNodes);
        await eventually(
          () => openConnections(herald),
          (open) => open === 0,
        );
        await eventually(
          () => descriptorsOf(herald.pid),
          (count) => count <= before + toleratedDescriptors,
        );
        expect((await herald.metrics()).get(`herald_relay_form{form="${form}",tls="${form}"}`)).toBe(1);
        // All of them were really there, and the balancer saw them end.
        const metrics = await herald.metrics();
        const ends = [...metrics]
          .filter(([series]) => series.startsWith('herald_relay_ends_total{'))
          .reduce((sum, [, value]) => sum + value, 0);
        // With those that left half-way, if they got that far.
        expect(ends).toBeGreaterThanOrEqual(300);
        expect(herald.logs.filter(({ level }) => level >= 50)).toEqual([]);
        const client = await connectWs(herald.publicPort);
        client.socket.send('and it goes on');
        expect((await client.message(1)).data.toString()).toBe('and it goes on');
      },
    );
  },
);

/** A hundred clients: half of them reset, a quarter close, a quarter cut by their nodes; and some that never open. */
async function comeAndGo(herald: HeraldProcess, atNodes: WebSocket[]): Promise<void> {
  const clients: WsClient[] = [];
  for (let batch = 0; batch < 10; batch += 1)
    clients.push(...(await Promise.all(Array.from({ length: 10 }, () => connectWs(herald.publicPort)))));
  for (const { socket } of clients) socket.send(Buffer.alloc(5000, 1));
  for (const client of clients) await client.message(1);
  // Some bytes are under way when the connection ends.
  for (const { socket } of clients) socket.send(Buffer.alloc(100_000, 2));
  const halfway = [
    new RawClient(herald.publicPort),
    new RawClient(herald.publicPort).send(upgradeText().slice(0, 40)),
    new RawClient(herald.publicPort).send(upgradeText()),
  ];
  for (const client of clients.slice(0, 50)) tcpOf(client).resetAndDestroy();
  for (const { socket } of clients.slice(50, 75)) socket.close(1000);
  await eventually(
    () => clients.slice(50, 75),
    (closing) => closing.every(({ closed }) => closed !== undefined),
  );
  for (const socket of atNodes.splice(0)) socket.terminate();
  await eventually(
    () => clients,
    (all) => all.every(({ closed }) => closed !== undefined),
  );
  for (const client of halfway) client.reset();
}
