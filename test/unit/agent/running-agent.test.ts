import { describe, expect, it } from 'vitest';
import { createTraffic } from '../../../src/agent/observers/traffic.ts';
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
) {
  const clock = new ManualClock();
  const reports: Report[] = [];
  let stops = 0;
  const traffic = createTraffic();
  const settings = readOptions(
    { balancers: ['http://a', 'http://b'], pool: 'chat', id: 'a', signals },
    { nodeId: undefined, hostname: 'h' },
  );
  const agent = new RunningAgent(
    settings,
    {},
    {
      clock,
      traffic,
      rng: pcg32(seed),
      eventLoopLagMaxMs: () => 7,
      sensors: { cpu: { measure: cpu, stop: () => (stops += 1) } },
      openSender: () => ({
        async post(body) {
          reports.push(decodeReport(JSON.parse(body)));
          return { status: 200, body: '{"directives":{"adminState":"ready"}}' };
        },
        close: async () => {},
      }),
    },
  );
  return { agent, clock, reports, traffic, stops: () => stops };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

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
