// Drains of real nodes with real clients: who is told what, and where they are afterwards.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Balancer } from '../../src/balancer/balancer.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import type { Operation } from '../../src/protocol/operations.ts';
import { anEchoNode } from '../support/agent-node.ts';
import { aConfig, aPolicy, writeSetup } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

const operator = { by: 'local' };
const openOn = (balancer: Balancer, node: string) => balancer.dataPlane.connections('chat', node).size;

function aChat(policy: object = {}) {
  return aBalancer({ config: aConfig(), policies: { chat: aPolicy(policy) } });
}

async function untilKnown(balancer: Balancer, ids: readonly string[]): Promise<void> {
  const isKnown = (id: string) => balancer.registry.pool('chat').nodes.get(id)?.load !== undefined;
  await until(
    () => ids.every(isKnown),
    () => 'not every node has reported',
    20_000,
  );
}

function begin(balancer: Balancer, node: string, request: object = {}): string {
  const wish = { adminState: 'drain' as const, ...request };
  return balancer.control.setAdminState([node], wish, operator).operation?.id ?? '';
}

async function over(balancer: Balancer, id: string): Promise<Operation> {
  await until(
    () => balancer.control.operation(id).state !== 'running',
    () => JSON.stringify(balancer.control.operation(id)),
    25_000,
  );
  return balancer.control.operation(id);
}

/** A client that comes back as it is told to, and keeps every close code that it saw. */
function aLoyalClient(port: number, codes: number[]) {
  const client: { socket: WebSocket | undefined; node: string; stop(): void } = {
    socket: undefined,
    node: '',
    stop() {
      isStopped = true;
      client.socket?.terminate();
    },
  };
  let isStopped = false;
  const connect = (): void => {
    if (isStopped) return;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    client.socket = socket;
    socket.on('message', (data) => (client.node = String(data)));
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      if (isStopped) return;
      codes.push(code);
      client.node = '';
      const hint = /retry-ms=(\d+)$/.exec(String(reason))?.[1];
      setTimeout(connect, hint === undefined ? 100 : Number(hint));
    });
  };
  connect();
  return client;
}

describe('a drain of a real node', () => {
  it('tells each of 200 clients 1012, none sees 1006, and all are back elsewhere before the deadline', async () => {
    const balancer = await aChat();
    const intake = `http://127.0.0.1:${balancer.intakePort}`;
    const greet = (socket: WebSocket, id: string) => socket.send(id);
    const nodes = await Promise.all(['a', 'b', 'c'].map((id) => anEchoNode(id, intake, { greet })));
    await untilKnown(balancer, ['a', 'b', 'c']);
    // The first 200 have only `a` to go to.
    balancer.control.setAdminState(['b', 'c'], { adminState: 'maint' }, operator);
    const codes: number[] = [];
    const port = balancer.listenerPort('public');
    const clients = Array.from({ length: 200 }, () => aLoyalClient(port, codes));
    try {
      await until(
        () => clients.every(({ node }) => node === 'a'),
        () => 'not all clients are on a',
        20_000,
      );
      balancer.control.setAdminState(['b', 'c'], { adminState: 'ready' }, operator);
      for (const node of nodes) node.busy = 0.2;
      // Two calm spans of the estimate: those who come back are told from the fill by them.
      await new Promise((resolve) => setTimeout(resolve, 3200));
      const operation = await over(balancer, begin(balancer, 'a', { deadlineMs: 20_000 }));
      expect(operation).toMatchObject({ state: 'done', progress: { total: 200, closed: 200, cut: 0 } });
      await until(
        () => clients.every(({ node }) => node === 'b' || node === 'c'),
        () => 'not all clients are back',
        20_000,
      );
      expect(codes).toEqual(Array.from({ length: 200 }, () => 1012));
      expect(openOn(balancer, 'a')).toBe(0);
      const { returned } = balancer.control.operation(operation.id).progress;
      expect(returned).toBeGreaterThan(150);
      expect(returned).toBeLessThanOrEqual(200);
    } finally {
      for (const client of clients) client.stop();
    }
  });

  it('ends a client that ignores the close, and a node that does not answer', async () => {
    const balancer = await aChat();
    await anEchoNode('a', `http://127.0.0.1:${balancer.intakePort}`);
    await untilKnown(balancer, ['a']);
    const client = await connectWs(balancer.listenerPort('public'));
    client.socket.pause();
    const operation = await over(balancer, begin(balancer, 'a', { deadlineMs: 3000, force: true }));
    expect(operation).toMatchObject({ state: 'deadline', progress: { total: 1, refusedByPeer: 1 } });
    expect(openOn(balancer, 'a')).toBe(0);
  });
});

describe('an application that sheds by itself', () => {
  it('is asked through its agent, says goodbye in its own words, and is counted', async () => {
    const balancer = await aChat({ reports: { interval: '100ms', blackout: '0s', expiry: '3s' } });
    const intake = `http://127.0.0.1:${balancer.intakePort}`;
    const sockets = new Set<WebSocket>();
    const asked: number[] = [];
    const greet = (socket: WebSocket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    };
    const onShed = async ({ count, deadlineMs }: { count: number; deadlineMs: number }) => {
      asked.push(count);
      if (deadlineMs <= 0) throw new Error('no time');
      for (const socket of [...sockets]
        .filter(({ readyState }) => readyState === WebSocket.OPEN)
        .slice(0, count))
        socket.close(4001, 'see you elsewhere');
    };
    await anEchoNode('a', intake, { greet, agent: { onShed } });
    await untilKnown(balancer, ['a']);
    const port = balancer.listenerPort('public');
    const clients = await Promise.all(Array.from({ length: 30 }, () => connectWs(port)));
    const id = begin(balancer, 'a', { ratePerSecond: 20, force: true, deadlineMs: 30_000 });
    const operation = await over(balancer, id);
    expect(operation).toMatchObject({ state: 'done', progress: { total: 30, closed: 30 } });
    await until(
      () => clients.every(({ closed }) => closed !== undefined),
      () => 'not every client has closed',
    );
    expect(new Set(clients.map(({ closed }) => `${closed?.code} ${closed?.reason}`))).toEqual(
      new Set(['4001 see you elsewhere']),
    );
    expect(asked.reduce((sum, each) => sum + each, 0)).toBe(30);
    expect(balancer.control.figures().sheds.map(({ way, outcome, count }) => [way, outcome, count])).toEqual([
      ['ask', 'closed', 30],
    ]);
  });

  it('that does nothing has its clients closed by the relay', async () => {
    const balancer = await aChat();
    const asked: number[] = [];
    const agent = { onShed: ({ count }: { count: number }) => void asked.push(count) };
    await anEchoNode('a', `http://127.0.0.1:${balancer.intakePort}`, { agent });
    await untilKnown(balancer, ['a']);
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => connectWs(balancer.listenerPort('public'))),
    );
    const id = begin(balancer, 'a', { ratePerSecond: 100, force: true, deadlineMs: 4000 });
    expect(await over(balancer, id)).toMatchObject({ progress: { total: 5, closed: 5, cut: 0 } });
    for (const client of clients) expect(await client.close()).toMatchObject({ code: 1012 });
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe('a balancer that restarts while it drains', () => {
  it('knows its nodes, their admin states and the drain before the first report', async () => {
    const folder = writeSetup({ config: aConfig(), policies: { chat: aPolicy() } });
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const loaded = await loadConfig(join(folder, 'herald.yaml'), {});
    const start = async () => {
      const log = createLogger({ ...loaded.config.log, level: 'silent' });
      const balancer = new Balancer({
        loaded,
        clock: createSystemClock(),
        rng: pcg32(1),
        log,
        version: '0.0.0',
      });
      await balancer.start();
      return balancer;
    };
    const first = await start();
    const intake = `http://127.0.0.1:${first.intakePort}`;
    const nodes = await Promise.all(['a', 'b'].map((id) => anEchoNode(id, intake)));
    await untilKnown(first, ['a', 'b']);
    await Promise.all(Array.from({ length: 4 }, () => connectWs(first.listenerPort('public'))));
    const id = begin(first, 'a', { deadlineMs: 600_000, ratePerSecond: 0.01, why: 'deploy' });
    first.control.setFrozen('chat', { frozen: true, why: 'deploy' }, operator);
    const { deadlineAt } = first.control.operation(id);
    await first.stop();
    // Its nodes cannot tell it anything: they report to the port of the first.
    const second = await start();
    try {
      const { nodes: known } = second.registry.pool('chat');
      expect([...known.values()].map(({ identity, adminState }) => [identity.id, adminState])).toEqual([
        ['a', 'drain'],
        ['b', 'ready'],
      ]);
      expect(second.control.freezeState('chat')).toMatchObject({ frozen: true, why: 'deploy' });
      expect(second.control.operation(id)).toMatchObject({ by: 'local', why: 'deploy', nodes: ['a'] });
      const shift = Date.parse(second.control.operation(id).deadlineAt ?? '') - Date.parse(deadlineAt ?? '');
      expect(Math.abs(shift)).toBeLessThan(1000);
      expect(await over(second, id)).toMatchObject({ state: 'done' });
      const client = await connectWs(second.listenerPort('public'));
      expect(openOn(second, 'b')).toBe(1);
      client.socket.close();
    } finally {
      await second.stop();
      await Promise.all(nodes.map((node) => node.close()));
    }
  });
});

describe('the metrics page', () => {
  it('shows operations, sheds and freezes', async () => {
    const balancer = await aChat();
    const intake = `http://127.0.0.1:${balancer.intakePort}`;
    await anEchoNode('a', intake);
    await untilKnown(balancer, ['a']);
    await connectWs(balancer.listenerPort('public'));
    balancer.control.setFrozen('chat', { frozen: true, why: 'test' }, operator);
    await over(balancer, begin(balancer, 'a', { ratePerSecond: 100, force: true }));
    const page = await (await fetch(`${intake}/metrics`)).text();
    for (const line of [
      'herald_frozen{pool="chat"} 1',
      'herald_operations{pool="chat",kind="drain"} 0',
      'herald_operations_total{pool="chat",kind="drain",state="done"} 1',
      'herald_sheds_total{pool="chat",node="a",cause="drain",way="close",outcome="closed"} 1',
    ])
      expect(page).toContain(line);
  });
});
