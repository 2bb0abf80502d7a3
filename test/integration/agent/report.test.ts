// The agent against balancers that behave badly. Intervals are short; nothing is asserted about time.
import { execFile } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { type Agent, type AgentEvent, type AgentOptions, createAgent } from '../../../src/agent/agent.ts';
import { hang, reset, startStubBalancer, status, type StubBalancer, taken } from './stub-balancer.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function aBalancer(port = 0): Promise<StubBalancer> {
  const balancer = await startStubBalancer(port);
  cleanups.push(() => balancer.close().catch(() => {}));
  return balancer;
}

interface Told {
  readonly agent: Agent;
  readonly events: AgentEvent[];
  /** Resolves with the next event that fits, or one told before. */
  readonly event: (fits: (event: AgentEvent) => boolean) => Promise<AgentEvent>;
}

function anAgent(options: Partial<AgentOptions>): Told {
  const events: AgentEvent[] = [];
  const waiting = new Set<(event: AgentEvent) => void>();
  const agent = createAgent({
    balancers: [],
    pool: 'chat',
    id: 'a',
    intervalMs: 50,
    onEvent(event) {
      events.push(event);
      for (const tell of waiting) tell(event);
    },
    ...options,
  });
  cleanups.push(() => agent.stop());
  agent.start();
  return {
    agent,
    events,
    event: (fits) =>
      new Promise((resolve) => {
        const told = events.find(fits);
        if (told !== undefined) resolve(told);
        else waiting.add((event) => fits(event) && resolve(event));
      }),
  };
}

function broken(): never {
  throw new Error('broken');
}

const failing = (code: string) => (event: AgentEvent) =>
  event.type === 'failing' && event.failure.code === code;
const isReporting = (event: AgentEvent) => event.type === 'reporting';

describe('an agent', () => {
  it('reports every signal of its process, who it is and with which token', async () => {
    const balancer = await aBalancer();
    const { agent } = anAgent({
      balancers: [balancer.url],
      address: '127.0.0.1:8081',
      capacity: 2,
      zone: 'eu-1',
      version: '1.2.3',
      token: 'secret',
      signals: { queueDelayMs: () => 3 },
    });
    const report = await balancer.until(({ seq }) => seq >= 2);
    expect(report).toMatchObject({
      pool: 'chat',
      node: { id: 'a', address: '127.0.0.1:8081', capacity: 2, zone: 'eu-1', version: '1.2.3' },
      connections: 0,
      leaving: false,
    });
    expect(Object.keys(report.signals).toSorted()).toEqual(
      ['cpu', 'eventLoopLag', 'eventLoopUtilization', 'memory', 'queueDelayMs'].toSorted(),
    );
    expect(report.signals['queueDelayMs']).toBe(3);
    expect(report.signals['memory']).toBeGreaterThan(0);
    expect(balancer.authorizations[0]).toBe('Bearer secret');
    expect(agent.status().balancers).toMatchObject([{ state: 'ok', lastFailure: undefined }]);
  });

  it('keeps one connection open for its reports', async () => {
    const balancer = await aBalancer();
    anAgent({ balancers: [balancer.url] });
    await balancer.until(({ seq }) => seq >= 5);
    expect(await balancer.connections()).toBe(1);
  });

  it('says that it leaves, and starts a new epoch when it is made again', async () => {
    const balancer = await aBalancer();
    const first = anAgent({ balancers: [balancer.url] });
    await balancer.until(() => true);
    const stopping = first.agent.stop();
    expect(first.agent.stop()).toBe(stopping);
    await stopping;
    const last = balancer.reports.at(-1);
    expect(last).toMatchObject({ leaving: true, signals: {} });
    expect(last?.seq).toBe(Math.max(...balancer.reports.map(({ seq }) => seq)));
    const count = balancer.reports.length;
    anAgent({ balancers: [balancer.url] });
    await balancer.until(({ leaving }) => !leaving);
    expect(balancer.reports[count]?.epoch).not.toBe(last?.epoch);
    expect(() => first.agent.start()).toThrow(/has stopped/);
  });

  it('reports to several balancers, of which one is away, and takes the strictest wish', async () => {
    const [ready, drain] = [await aBalancer(), await aBalancer()];
    drain.answer = taken('drain');
    const wishes: string[] = [];
    const { agent, event } = anAgent({
      balancers: [ready.url, 'http://127.0.0.1:9', drain.url],
      onAdminState: (state) => wishes.push(state),
    });
    await event(failing('ECONNREFUSED'));
    await event((told) => told.type === 'adminState' && told.adminState === 'drain');
    expect(agent.adminState).toBe('drain');
    expect(wishes.at(-1)).toBe('drain');
    drain.answer = taken('ready');
    await event((told) => told.type === 'adminState' && told.adminState === 'ready');
    await ready.until(({ seq }) => seq > 3);
    expect(agent.status().balancers.map(({ state }) => state)).toEqual(['ok', 'failing', 'ok']);
  });

  it('goes on without a signal whose callback throws, rejects or answers nonsense', async () => {
    const balancer = await aBalancer();
    const { agent, events } = anAgent({
      balancers: [balancer.url],
      signals: {
        good: () => 1,
        thrown: () => {
          throw new Error('no queue');
        },
        nan: () => Number.NaN,
        negative: () => -1,
        // What a caller without types could hand in.
        promised: (() => Promise.reject(new Error('late'))) as unknown as () => number,
      },
    });
    const report = await balancer.until(({ seq }) => seq >= 3);
    expect(report.signals).toMatchObject({ good: 1 });
    for (const name of ['thrown', 'nan', 'negative', 'promised'])
      expect(report.signals).not.toHaveProperty(name);
    expect(Object.keys(agent.status().leftOut).toSorted()).toEqual(['nan', 'negative', 'promised', 'thrown']);
    expect(agent.status().leftOut['thrown']?.count).toBeGreaterThan(1);
    expect(events.filter((event) => event.type === 'signalLeftOut')).toHaveLength(4);
  });

  it('survives callbacks of its application that throw', async () => {
    const balancer = await aBalancer();
    anAgent({ balancers: [balancer.url], onEvent: broken, onAdminState: broken });
    expect(await balancer.until(({ seq }) => seq >= 3)).toBeDefined();
  });
});

describe('an agent whose balancer', () => {
  const refusals: [string, StubBalancer['answer'], string][] = [
    ['answers 500', status(500), 'HTTP_500'],
    [
      'answers 401',
      status(401, '{"code":"HERALD_TOKEN_INVALID","detail":"no token"}'),
      'HERALD_TOKEN_INVALID',
    ],
    ['answers 429 with text', status(429, 'slow down'), 'HTTP_429'],
    ['answers garbage', status(200, '<html>'), 'ANSWER_INVALID'],
    ['answers another JSON', status(200, '{"directives":{"adminState":"on"}}'), 'ANSWER_INVALID'],
    ['answers without end', (response) => void response.write('x'.repeat(200_000)), 'ANSWER_INVALID'],
    ['redirects', status(302), 'HTTP_302'],
    ['resets', reset, 'ECONNRESET'],
  ];

  for (const [what, answer, code] of refusals) {
    it(`${what} is told once and tries on until it recovers`, async () => {
      const balancer = await aBalancer();
      balancer.answer = answer;
      const { agent, events, event } = anAgent({ balancers: [balancer.url] });
      const told = await event((candidate) => candidate.type === 'failing');
      const hadCode = told.type === 'failing' ? told.failure.code : '';
      // A reset reaches the client as whichever comes first: the RST itself or the socket's end.
      expect([code, ...(code === 'ECONNRESET' ? ['UND_ERR_SOCKET'] : [])]).toContain(hadCode);
      await balancer.until(() => balancer.reports.length >= 3);
      expect(events.filter((candidate) => failing(hadCode)(candidate))).toHaveLength(1);
      expect(agent.status().balancers[0]).toMatchObject({ state: 'failing', lastFailure: { code: hadCode } });
      balancer.answer = taken();
      await event(isReporting);
      expect(agent.status().balancers[0]).toMatchObject({ state: 'ok', failingSinceMs: undefined });
      expect(agent.adminState).toBe('ready');
    });
  }

  it('goes away and comes back on the same port gets reports of the same epoch again', async () => {
    const first = await aBalancer();
    const { event, events } = anAgent({ balancers: [first.url] });
    const before = await first.until(() => true);
    await first.close();
    await event((told) => told.type === 'failing');
    const second = await aBalancer(first.port);
    const after = await second.until(() => true);
    expect(after.epoch).toBe(before.epoch);
    expect(after.seq).toBeGreaterThan(before.seq);
    await event((told) => isReporting(told) && events.indexOf(told) > 0);
  });

  it('hangs gets the newest report once it answers again, and none in between', async () => {
    const balancer = await aBalancer();
    balancer.answer = hang;
    const { event } = anAgent({ balancers: [balancer.url] });
    const first = await balancer.until(() => true);
    balancer.answer = taken();
    await event(failing('TIMEOUT'));
    const next = await balancer.until(() => true);
    expect(next.seq).toBeGreaterThan(first.seq + 1);
    await event(isReporting);
  });

  it('hangs does not keep stop from ending', async () => {
    const balancer = await aBalancer();
    balancer.answer = hang;
    const { agent } = anAgent({ balancers: [balancer.url] });
    await balancer.until(() => true);
    await agent.stop();
    expect(balancer.reports.at(-1)?.leaving).toBe(true);
  });

  it('accepts and never reads does not keep stop from ending', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.pause()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const accepted = once(server, 'connection');
    const { agent } = anAgent({ balancers: [`http://127.0.0.1:${port}`] });
    await accepted;
    await agent.stop();
    expect(agent.status().state).toBe('stopped');
  });
});

const run = promisify(execFile);
const entry = new URL('../../../src/agent/agent.ts', import.meta.url).href;

/** Runs a module in a process of its own; ends when nothing keeps it alive. */
async function inProcess(code: string, url = ''): Promise<string> {
  const source = `const { createAgent } = await import(${JSON.stringify(entry)}); ${code}`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const { stdout } = await run(process.execPath, args, {
    env: { ...process.env, URL: url },
    timeout: 25_000,
  });
  return stdout.trim();
}

const options = "{ balancers: [process.env.URL], pool: 'chat', id: 'a', intervalMs: 50 }";

describe('the process of an agent', () => {
  it('ends by itself although the agent was never stopped', async () => {
    const balancer = await aBalancer();
    const code = `createAgent(${options}).start(); setTimeout(() => console.log('over'), 300);`;
    expect(await inProcess(code, balancer.url)).toBe('over');
    expect(balancer.reports.length).toBeGreaterThan(0);
  });

  it('holds no handle after stop, even while the balancer hangs', async () => {
    const balancer = await aBalancer();
    balancer.answer = hang;
    const code = `
      const agent = createAgent(${options});
      agent.start();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await agent.stop();
      const held = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Connect/.test(name));
      console.log(JSON.stringify(held));`;
    expect(await inProcess(code, balancer.url)).toBe('[]');
    expect(balancer.reports.at(-1)?.leaving).toBe(true);
  });
});
