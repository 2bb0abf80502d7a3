// A real HAProxy that asks the agent. Nothing is asserted about time.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Agent, type AgentOptions, createAgent } from '../../../src/agent/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { type HaproxyNode, hasHaproxy, startHaproxy } from '../../support/haproxy.ts';
import { startStubBalancer } from './stub-balancer.ts';
import { expectToObey } from './obey.ts';

interface AskedNode extends HaproxyNode {
  readonly agent: Agent;
  /** What its agent measures as the only signal that counts; full at 1. */
  busy: number;
}

/** A `ws` server that says its name, with an agent that HAProxy asks. */
async function anAskedNode(name: string, busy: number, more: Partial<AgentOptions> = {}): Promise<AskedNode> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.send(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  const agent = createAgent({
    balancers: [],
    pool: 'chat',
    id: name,
    intervalMs: 50,
    signals: { busy: () => node.busy },
    agentCheck: { port: 0, saturation: { busy: 1 } },
    ...more,
  });
  const node: AskedNode = { name, port, agent, busy, agentPort: await start(agent) };
  onTestFinished(async () => {
    await agent.stop();
    for (const socket of sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return node;
}

/** Starts an agent; the port where it is asked. */
async function start(agent: Agent): Promise<number> {
  agent.start();
  const address = await eventually(
    () => agent.status().agentCheck?.address,
    (found) => found !== undefined,
  );
  return Number(address?.split(':').at(-1));
}

/** Connects through HAProxy and stays; the name of the node that took it. */
async function connectThrough(front: string): Promise<string> {
  const socket = new WebSocket(`ws+unix://${front}:/`);
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    // Proof of `as`: the default binaryType gives Buffers.
    socket.once('message', (data) => resolve((data as Buffer).toString()));
    socket.once('error', reject);
  });
}

// Weights take some seconds to settle, by design.
describe.skipIf(!hasHaproxy)('HAProxy (skipped: haproxy is not there)', { timeout: 90_000 }, () => {
  it('follows the load, a drain, maintenance and the way back', async () => {
    const balancer = await startStubBalancer();
    onTestFinished(() => balancer.close());
    // Full and beyond: still 1 of 100.
    const node = await anAskedNode('a', 7, { balancers: [balancer.url] });
    const haproxy = await startHaproxy('random', [node]);
    await haproxy.until('a', 'UP', 1);
    node.busy = 0.9;
    await haproxy.until('a', 'UP', 10);
    node.busy = 0.25;
    await haproxy.until('a', 'UP', 75);
    await expectToObey(balancer, haproxy, { node: 'a', weight: 75 });
  });

  it('keeps the last state of an agent that has stopped, and hears its successor', async () => {
    const node = await anAskedNode('a', 0.4);
    const haproxy = await startHaproxy('random', [node]);
    await haproxy.until('a', 'UP', 60);
    await node.agent.stop();
    const row = await eventually(
      () => haproxy.row('a'),
      (found) => found['agent_status'] === 'L4CON',
    );
    expect(row).toMatchObject({ status: 'UP', weight: '60' });
    expect(await connectThrough(haproxy.front)).toBe('a');
    const successor = createAgent({
      balancers: [],
      pool: 'chat',
      id: 'a',
      intervalMs: 50,
      signals: { busy: () => 0.2 },
      agentCheck: { port: node.agentPort, saturation: { busy: 1 } },
    });
    onTestFinished(() => successor.stop());
    successor.start();
    await haproxy.until('a', 'UP', 80);
  });

  // Weights 10 and 90: of 60 connections the idle node is due 54. With one draw each, 40 or fewer of them come up
  // once in 100,000 runs; two draws and leastconn favour it more evenly.
  it.each(['random(1)', 'random(2)', 'leastconn'])(
    'gives an idle node more new connections than a loaded one (balance %s)',
    async (balance) => {
      const nodes = [await anAskedNode('idle', 0.1), await anAskedNode('loaded', 0.9)];
      const haproxy = await startHaproxy(balance, nodes);
      await haproxy.until('idle', 'UP', 90);
      await haproxy.until('loaded', 'UP', 10);
      const homes: string[] = [];
      for (let index = 0; index < 60; index += 1) homes.push(await connectThrough(haproxy.front));
      const idle = homes.filter((home) => home === 'idle').length;
      expect(idle).toBeGreaterThan(40);
      expect(homes.filter((home) => home === 'loaded')).toHaveLength(60 - idle);
    },
  );
});
