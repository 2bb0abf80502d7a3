import { describe, expect, it } from 'vitest';
import type { AgentCheckServerParts } from '../../../src/agent/agent-check-server.ts';
import { createTraffic } from '../../../src/agent/observers/traffic.ts';
import type { AgentCheckOptions, AgentOptions } from '../../../src/agent/options.ts';
import { readOptions } from '../../../src/agent/read-options.ts';
import { createSampler } from '../../../src/agent/sampler.ts';
import { RunningAgent } from '../../../src/agent/running-agent.ts';
import type { Sensor } from '../../../src/agent/sensors/sensor.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { decodeReport } from '../../../src/protocol/decode-report.ts';
import type { Report } from '../../../src/protocol/report.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function anAgent(
  cpu: Sensor['measure'] = () => ({ cpu: 1 / 3 }),
  signals: Record<string, () => number> = {},
  seed = 1,
  agentCheck?: AgentCheckOptions,
  onShed?: AgentOptions['onShed'],
) {
  const clock = new ManualClock();
  const reports: Report[] = [];
  const asked: AgentCheckServerParts[] = [];
  let adminState = 'ready';
  let shed: object | undefined;
  let stops = 0;
  const traffic = createTraffic();
  const settings = readOptions(
    { balancers: ['http://a', 'http://b'], pool: 'chat', id: 'a', signals, agentCheck },
    { nodeId: undefined, hostname: 'h' },
  );
  const agent = new RunningAgent(
    settings,
    { onShed },
    {
      clock,
      traffic,
      rng: pcg32(seed),
      eventLoopLagMaxMs: () => 7,
      sensors: { cpu: { measure: cpu, stop: () => (stops += 1) } },
      openSender: () => ({
        async post(body) {
          reports.push(decodeReport(JSON.parse(body)));
          return { status: 200, body: JSON.stringify({ directives: { adminState, shed } }) };
        },
        close: async () => {},
      }),
      openAgentCheckServer(parts) {
        asked.push(parts);
        return {
          status: { state: 'listening', address: '127.0.0.1:5555' },
          close: async () => void asked.pop(),
        };
      },
    },
  );
  const wish = (wished: string) => (adminState = wished);
  const ask = (wished: object | undefined) => (shed = wished);
  return { ask, agent, clock, reports, traffic, asked, wish, stops: () => stops };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('an agent whose application sheds', () => {
  it('says so in its reports, and hands on how many are to go and until when', async () => {
    const asked: unknown[] = [];
    const { agent, clock, reports, ask } = anAgent(undefined, {}, 1, undefined, async (wish) => {
      asked.push(wish);
      // Its own affair: reports go on.
      throw new Error('cannot');
    });
    agent.start();
    ask({ count: 7, byMs: 5000 });
    clock.advance(1000);
    await settle();
    ask(undefined);
    clock.advance(1000);
    await settle();
    expect(reports.map(({ capabilities }) => capabilities)).toEqual(
      Array.from({ length: 4 }, () => ['shed']),
    );
    // One wish of each of the two balancers.
    expect(asked).toEqual([
      { count: 7, deadlineMs: 5000 },
      { count: 7, deadlineMs: 5000 },
    ]);
  });

  it('is not the rule: without a callback nothing is said, and nothing asked', async () => {
    const { agent, clock, reports, ask } = anAgent();
    agent.start();
    ask({ count: 7, byMs: 5000 });
    clock.advance(1000);
    await settle();
    expect(reports.every(({ capabilities }) => capabilities === undefined)).toBe(true);
    expect(agent.status().state).toBe('running');
  });
});

describe('an agent', () => {
  it('reports the same sample to each balancer once per interval', async () => {
    const { agent, clock, reports, traffic } = anAgent();
    traffic.connections = 5;
    agent.start();
    agent.start();
    expect(reports).toEqual([]);
    clock.advance(1000);
    await settle();
    clock.advance(1000);
    expect(reports.map(({ seq }) => seq)).toEqual([0, 0, 1, 1]);
    expect(reports[0]).toMatchObject({
      intervalMs: 1000,
      ageMs: 0,
      connections: 5,
      signals: { cpu: 0.3333 },
    });
    expect(agent.status()).toMatchObject({
      state: 'running',
      signals: { cpu: 0.3333 },
      eventLoopLagMaxMs: 7,
    });
  });

  it('does not charge the time before start to the first sample', () => {
    const spans: number[] = [];
    const { agent, clock, reports } = anAgent((elapsedMs) => {
      spans.push(elapsedMs);
      return {};
    });
    clock.advance(600_000);
    agent.start();
    clock.advance(1000);
    expect(spans).toEqual([600_000, 1000]);
    expect(reports[0]?.intervalMs).toBe(1000);
  });

  it('goes on when a sensor throws, and says which', () => {
    const { agent, clock, reports } = anAgent(() => {
      throw new Error('no /proc');
    });
    agent.start();
    clock.advance(1000);
    expect(Object.keys(reports[0]?.signals ?? {})).toEqual([]);
    expect(agent.status().leftOut['cpu']).toEqual({ count: 2, reason: 'threw "no /proc"' });
  });

  it('asks custom signals once per interval and leaves out what is too large', () => {
    let asked = 0;
    const { agent, clock, reports } = anAgent(undefined, { jobs: () => (asked += 1), huge: () => 1e13 });
    agent.start();
    clock.advance(1000);
    expect(reports[0]?.signals).toEqual({ cpu: 0.3333, jobs: 1 });
    expect(agent.status().leftOut).toHaveProperty('huge');
  });

  it('bounds the span that it tells when the process slept or a timer came early', () => {
    const clock = new ManualClock();
    const sampler = createSampler({
      clock,
      traffic: createTraffic(),
      sensors: {},
      signals: [],
      identity: { pool: 'chat', node: { id: 'a' }, epoch: 'e' },
      onLeftOut: () => {},
    });
    clock.advance(600_000);
    expect(sampler.sample().report.intervalMs).toBe(60_000);
    clock.advance(49);
    expect(sampler.sample().report.intervalMs).toBe(50);
  });

  it('has an epoch of its own', () => {
    const epochOf = ({ agent, clock, reports }: ReturnType<typeof anAgent>) => {
      agent.start();
      clock.advance(1000);
      return reports[0]?.epoch;
    };
    expect(epochOf(anAgent(undefined, {}, 1))).not.toBe(epochOf(anAgent(undefined, {}, 2)));
  });

  it('leaves nothing behind when it stops', async () => {
    const { agent, clock, reports, stops } = anAgent();
    agent.start();
    clock.advance(1000);
    await settle();
    await agent.stop();
    expect(reports.filter(({ leaving }) => leaving)).toHaveLength(2);
    expect(clock.pending).toBe(0);
    expect(stops()).toBe(1);
    expect(agent.status().state).toBe('stopped');
    expect(() => agent.observe({} as never)).toThrow(/has stopped/);
  });

  it('stops before it was started without a word', async () => {
    const { agent, reports } = anAgent();
    await agent.stop();
    expect(reports).toEqual([]);
  });
});

describe('an agent that HAProxy asks', () => {
  const answering = (cpu: Sensor['measure'] = () => ({ cpu: 0.2 })) =>
    anAgent(cpu, {}, 1, { port: 5555, saturation: { cpu: 0.8, throughput: 100 } });

  it('opens no port without the option, nor before start', () => {
    const without = anAgent();
    without.agent.start();
    expect(without.asked).toEqual([]);
    expect(without.agent.status().agentCheck).toBeUndefined();
    const { agent, asked } = answering();
    expect(asked).toEqual([]);
    expect(agent.status().agentCheck).toMatchObject({ state: 'closed', address: undefined });
    agent.start();
    expect(asked).toHaveLength(1);
    expect(agent.status().agentCheck).toMatchObject({ state: 'listening', address: '127.0.0.1:5555' });
  });

  it('starts as though it were full, and comes up with what it measures', () => {
    const { agent, clock, asked } = answering();
    agent.start();
    const lines = [0, 1, 2, 10].map((samples) => {
      clock.advance(samples * 1000);
      return asked[0]?.line();
    });
    // After 0, 1, 3 and 13 s: of the way from full to 75 %, each second leaves 1/e of what is left.
    expect(lines).toEqual(['up ready 1%\n', 'up ready 47%\n', 'up ready 71%\n', 'up ready 75%\n']);
  });

  it('stays where it was while nothing of it can be measured', () => {
    let isBlind = true;
    const { agent, clock, asked } = answering(() => (isBlind ? {} : { cpu: 0.4 }));
    agent.start();
    clock.advance(60_000);
    expect(asked[0]?.line()).toBe('up ready 1%\n');
    isBlind = false;
    clock.advance(60_000);
    isBlind = true;
    clock.advance(60_000);
    expect(asked[0]?.line()).toBe('up ready 50%\n');
  });

  it('says what the balancers wish, and the weight again when they wish it back', async () => {
    const { agent, clock, asked, wish } = answering();
    agent.start();
    const lines: (string | undefined)[] = [];
    for (const wished of ['drain', 'maint', 'ready']) {
      wish(wished);
      clock.advance(10_000);
      await settle();
      clock.advance(10_000);
      await settle();
      lines.push(asked[0]?.line());
    }
    expect(lines).toEqual(['up drain\n', 'maint\n', 'up ready 75%\n']);
  });

  it('closes the port when it stops', async () => {
    const { agent, asked } = answering();
    agent.start();
    await agent.stop();
    expect(asked).toEqual([]);
  });
});
