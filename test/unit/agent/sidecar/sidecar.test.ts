import { describe, expect, it } from 'vitest';
import { Sidecar } from '../../../../src/agent/sidecar/sidecar.ts';
import type { Source } from '../../../../src/agent/sources/source.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { createSilentLogger } from '../../../../src/platform/logger.ts';
import type { AgentConfig } from '../../../../src/policy/agent-config.ts';
import { readAgent } from '../../../../src/policy/agent-reading.ts';
import { compileAgent } from '../../../../src/policy/compile-agent.ts';
import { decodeReport } from '../../../../src/protocol/decode-report.ts';
import type { Report } from '../../../../src/protocol/report.ts';
import { aMachine } from '../../../support/a-machine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function configOf(body: string): AgentConfig {
  const { document, problems } = readAgent(
    'a.yaml',
    `apiVersion: herald/v1\nkind: Agent\npool: chat\n${body}`,
    {},
  );
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return compileAgent(document, { resolvePath: (path) => path, secrets: new Map() });
}

const base = 'balancers: [http://a]\nnode: { id: a, port: 81 }\n';
const withSource = `${base}signals: { depth: { statsd: {} } }\n`;

function aSidecar() {
  const clock = new ManualClock();
  const machine = aMachine({
    'proc/stat': 'cpu  10 0 0 10 0 0 0 0\n',
    'proc/meminfo': 'MemTotal: 10 kB\nMemAvailable: 5 kB\n',
  });
  const reports: Report[] = [];
  let ready = 0;
  let opened = 0;
  let fails = false;
  const sidecar = new Sidecar({
    clock,
    rng: pcg32(1),
    log: createSilentLogger(),
    root: machine.root,
    hostname: 'h',
    machine: () => ({ cpus: 1, memoryBytes: 1 }),
    onReady: () => (ready += 1),
    openSender: () => ({
      async post(body) {
        reports.push(decodeReport(JSON.parse(body)));
        return { status: 200, body: '{"directives":{"adminState":"ready"}}' };
      },
      close: async () => {},
    }),
    openAgentCheckServer: () => ({ status: { state: 'listening', address: 'x' }, close: async () => {} }),
    async openSources({ sources }) {
      const source: Source = { start: () => (opened += 1), read: () => ({ value: 3 }), stop: async () => {} };
      return {
        async open() {
          if (fails) throw new HeraldError('HERALD_LISTEN_FAILED', 'in use');
          return sources.map(({ signal }) => [signal, source] as const);
        },
        stats: { asked: 0, failed: 0, statsd: undefined },
        statsdAddress: undefined,
        stop: async () => void (opened -= 1),
      };
    },
  });
  const tick = async (): Promise<Report | undefined> => {
    clock.advance(1000);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    return reports.at(-1);
  };
  return {
    clock,
    machine,
    sidecar,
    reports,
    tick,
    ready: () => ready,
    opened: () => opened,
    fail: (now: boolean) => (fails = now),
  };
}

describe('a sidecar', () => {
  it('is ready with the first report that is taken', async () => {
    const { sidecar, tick, ready, machine } = aSidecar();
    await sidecar.start(configOf(base));
    expect(ready()).toBe(0);
    machine.write({ 'proc/stat': 'cpu  15 0 0 25 0 0 0 0\n' });
    expect((await tick())?.signals).toEqual({ cpu: 0.25, memory: 0.5 });
    await tick();
    expect(ready()).toBe(1);
    await sidecar.stop();
  });

  it('is ready at once when only HAProxy asks it', async () => {
    const { sidecar, ready } = aSidecar();
    await sidecar.start(configOf('node: { id: a, port: 81 }\nagentCheck: {}\n'));
    expect(ready()).toBe(1);
    await sidecar.stop();
  });

  it('does not care where the date jumps', async () => {
    const { sidecar, tick, clock } = aSidecar();
    await sidecar.start(configOf(base));
    await tick();
    clock.wallMs = () => 0;
    const [before, after] = [await tick(), await tick()];
    expect(after).toMatchObject({ intervalMs: 1000, ageMs: 0, epoch: before?.epoch });
    await sidecar.stop();
  });

  it('keeps its agent when only what it measures changes, and another otherwise', async () => {
    const { sidecar, tick, opened, reports } = aSidecar();
    await sidecar.start(configOf(base));
    const first = await tick();
    await sidecar.reload(configOf(withSource));
    const second = await tick();
    expect(second).toMatchObject({ epoch: first?.epoch, signals: { depth: 3 } });
    expect(opened()).toBe(1);
    await sidecar.reload(configOf(withSource.replace('id: a', 'id: b')));
    const third = await tick();
    expect(third).toMatchObject({ node: { id: 'b' }, seq: 0 });
    expect(reports.filter(({ leaving }) => leaving).map(({ node }) => node.id)).toEqual(['a']);
    await sidecar.stop();
    await sidecar.stop();
    expect(opened()).toBe(0);
  });

  it('goes on by the old configuration when the sources of the new one cannot be opened', async () => {
    const { sidecar, tick, fail } = aSidecar();
    await sidecar.start(configOf(base));
    fail(true);
    await expect(sidecar.reload(configOf(withSource))).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
    });
    const report = await tick();
    expect(report?.signals).toHaveProperty('memory');
    expect(report?.signals).not.toHaveProperty('depth');
    await sidecar.stop();
  });

  it('does not start when its sources cannot be opened', async () => {
    const { sidecar, fail } = aSidecar();
    fail(true);
    await expect(sidecar.start(configOf(withSource))).rejects.toMatchObject({ code: 'HERALD_LISTEN_FAILED' });
    await sidecar.stop();
  });
});
