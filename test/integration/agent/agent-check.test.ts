// The agent-check's port against askers that behave badly. Nothing is asserted about time.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type AddressInfo, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Agent, type AgentEvent, createAgent } from '../../../src/agent/agent.ts';
import { openAgentCheckServer } from '../../../src/agent/agent-check-server.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const freshLine = 'up ready 1%\n';

interface Asked {
  readonly agent: Agent;
  readonly events: AgentEvent[];
}

/** An agent that is not asked for samples while a test runs: its line stays the first one. */
function anAskedAgent(agentCheck: { port: number; host?: string } = { port: 0 }): Asked {
  const events: AgentEvent[] = [];
  const agent = createAgent({
    balancers: [],
    pool: 'chat',
    id: 'a',
    intervalMs: 60_000,
    agentCheck,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => agent.stop());
  agent.start();
  return { agent, events };
}

async function portOf({ agent }: Asked): Promise<number> {
  const status = await eventually(
    () => agent.status().agentCheck,
    (found) => found?.state === 'listening',
  );
  return Number(status?.address?.split(':').at(-1));
}

/** The port alone, on a clock that stands still: nobody is ended for being slow. */
async function aPort(): Promise<{ readonly port: number; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const settings = { host: '127.0.0.1', port: 0 };
  const server = openAgentCheckServer({ settings, clock, line: () => freshLine, tell: () => {} });
  onTestFinished(() => server.close());
  const { address } = await eventually(
    () => server.status,
    ({ state }) => state === 'listening',
  );
  return { port: Number(address?.split(':').at(-1)), clock };
}

/** Waits until the other side has destroyed the connection: what is written then fails. */
async function isEnded({ socket, isClosed }: Asker): Promise<void> {
  await eventually(() => {
    socket.write('x');
    return isClosed();
  }, Boolean);
}

interface Asker {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly isClosed: () => boolean;
}

function anAsker(port: number, options: Partial<NetConnectOpts> = {}): Asker {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  let heard = '';
  let isClosed = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (heard += chunk));
  socket.on('close', () => (isClosed = true));
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return { socket, heard: () => heard, isClosed: () => isClosed };
}

/** The error that connecting ends in; undefined when it succeeds. */
async function refusalOf(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
  }
}

const toldCodes = (events: readonly AgentEvent[]) =>
  events.flatMap((event) => (event.type === 'agentCheckFailing' ? [event.failure.code] : []));

describe('the port for agent-checks', () => {
  it('answers one line at once and closes, whether anything is sent or not', async () => {
    const asked = anAskedAgent();
    const port = await portOf(asked);
    const silent = anAsker(port);
    const named = anAsker(port);
    named.socket.write('nodes/a\n');
    for (const { heard, isClosed } of [silent, named]) {
      await eventually(isClosed, Boolean);
      expect(heard()).toBe(freshLine);
    }
    expect(asked.agent.status().agentCheck?.line).toBe(freshLine);
    expect(asked.events).toEqual([{ type: 'agentCheckOpen', address: `127.0.0.1:${port}` }]);
  });

  it('answers an asker that half-closes first', async () => {
    const port = await portOf(anAskedAgent());
    const early = anAsker(port);
    early.socket.end();
    await eventually(early.isClosed, Boolean);
    expect(early.heard()).toBe(freshLine);
  });

  it('ends an asker that never closes', async () => {
    const { port, clock } = await aPort();
    const held = anAsker(port, { allowHalfOpen: true });
    await once(held.socket, 'end');
    expect(held.heard()).toBe(freshLine);
    clock.advance(1000);
    await isEnded(held);
    expect(clock.pending).toBe(0);
  });

  it('ends an asker that sends without end, and answers the next', async () => {
    const { port } = await aPort();
    const flood = anAsker(port, { allowHalfOpen: true });
    flood.socket.write(Buffer.alloc(1 << 20));
    await isEnded(flood);
    const next = anAsker(port);
    await eventually(next.isClosed, Boolean);
    expect(next.heard()).toBe(freshLine);
  });

  it('answers everybody in a flood of connections that do not close, and keeps 64 at most', async () => {
    const { port, clock } = await aPort();
    const held = Array.from({ length: 300 }, () => anAsker(port, { allowHalfOpen: true }));
    await eventually(
      () => held.filter(({ heard }) => heard() === freshLine).length,
      (answered) => answered === 300,
    );
    // Each connection that is open has its timer.
    await eventually(
      () => clock.pending,
      (open) => open === 64,
    );
    const next = anAsker(port);
    await eventually(next.isClosed, Boolean);
    expect(next.heard()).toBe(freshLine);
  });

  it('tells once that it is in use, and opens when it is free', async () => {
    const owner = createServer();
    onTestFinished(() => void owner.close());
    owner.listen(0, '127.0.0.1');
    await once(owner, 'listening');
    // Proof of `as`: bound to a TCP port.
    const { port } = owner.address() as AddressInfo;
    const asked = anAskedAgent({ port });
    await eventually(() => toldCodes(asked.events).length, Boolean);
    expect(asked.agent.status().agentCheck).toMatchObject({ state: 'failing', address: undefined });
    owner.close();
    expect(await portOf(asked)).toBe(port);
    expect(toldCodes(asked.events)).toEqual(['HERALD_LISTEN_FAILED']);
    expect(asked.events.at(-1)?.type).toBe('agentCheckOpen');
  });

  it('tells that an address is not of this machine', async () => {
    const { agent, events } = anAskedAgent({ port: 0, host: '192.0.2.1' });
    const [failed] = await eventually(
      () => events,
      ({ length }) => length > 0,
    );
    expect(failed).toMatchObject({
      type: 'agentCheckFailing',
      failure: {
        code: 'HERALD_LISTEN_FAILED',
        message: expect.stringMatching(/192\.0\.2\.1:0: EADDRNOTAVAIL/),
      },
    });
    await agent.stop();
    expect(agent.status().agentCheck?.state).toBe('closed');
  });

  it('is closed when the agent stops, with the connections that are open', async () => {
    const asked = anAskedAgent();
    const port = await portOf(asked);
    const held = anAsker(port, { allowHalfOpen: true });
    await eventually(held.heard, Boolean);
    await asked.agent.stop();
    expect(await refusalOf(port)).toBe('ECONNREFUSED');
    expect(asked.agent.status().agentCheck).toMatchObject({ state: 'closed', address: undefined });
  });

  it('is closed, too, when the agent stops in the moment of its start', async () => {
    const before = createServer().listen(0, '127.0.0.1');
    await once(before, 'listening');
    // Proof of `as`: bound to a TCP port, which is free again below.
    const { port } = before.address() as AddressInfo;
    before.close();
    await once(before, 'close');
    const { agent, events } = anAskedAgent({ port });
    await agent.stop();
    expect(agent.status().agentCheck?.state).toBe('closed');
    const late = await eventually(
      () => refusalOf(port),
      (code) => code !== undefined,
    );
    expect(late).toBe('ECONNREFUSED');
    expect(events).toEqual([]);
  });

  it('is not tried again after the agent has stopped', async () => {
    const { port } = await aPort();
    const clock = new ManualClock();
    const told: AgentEvent[] = [];
    const settings = { host: '127.0.0.1', port };
    const server = openAgentCheckServer({
      settings,
      clock,
      line: () => freshLine,
      tell: (event) => told.push(event),
    });
    for (let failures = 0; failures < 3; failures += 1) {
      await eventually(
        () => clock.pending,
        (tries) => tries === 1,
      );
      clock.advance(1000);
    }
    await eventually(
      () => clock.pending,
      (tries) => tries === 1,
    );
    expect(toldCodes(told)).toEqual(['HERALD_LISTEN_FAILED']);
    await server.close();
    expect(clock.pending).toBe(0);
    expect(server.status).toEqual({ state: 'closed', address: undefined });
  });

  it('does not keep the process alive, nor does an asker that stays', async () => {
    const script = `
      import { connect } from 'node:net';
      import { createAgent } from './src/agent/agent.ts';
      const agent = createAgent({
        balancers: [], pool: 'chat', id: 'a', agentCheck: { port: 0 },
        onEvent: ({ address }) => {
          const asker = connect({ port: Number(address.split(':').at(-1)), allowHalfOpen: true });
          asker.on('data', (line) => { process.stdout.write(line); asker.unref(); });
        },
      });
      agent.start();
      // Something has to hold the process until the asker does.
      await new Promise((resolve) => setTimeout(resolve, 300));`;
    const run = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { timeout: 20_000 },
    );
    expect(run.stdout).toBe(freshLine);
  });
});
