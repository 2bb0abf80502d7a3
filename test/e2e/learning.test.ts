// What nodes have taught a real daemon, over real sockets and reports: seen by the commands, and there again after a
// restart.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { NodeDetail } from '../../src/protocol/admin-api.ts';
import { anEchoNode, type AgentNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { connectWs } from '../support/ws-client.ts';

const idle = 0.05;
const sentEveryMs = 10;
// Both ways: what the relay counts for one message and its echo.
const costs = { cheap: 0.00025, dear: 0.00075 };
type Name = keyof typeof costs;

const written = 'herald_state_writes_total{outcome="written"}';

/** A node whose reports say what its messages cost it, by what its own server has seen in the last span. */
async function aTalkingNode(herald: HeraldProcess, id: Name): Promise<AgentNode> {
  let messages = 0;
  let since = performance.now();
  const busy = (): number => {
    const seconds = (performance.now() - since) / 1000;
    const rate = seconds > 0 ? messages / seconds : 0;
    messages = 0;
    since = performance.now();
    return idle + costs[id] * rate;
  };
  const node = await anEchoNode(id, herald.intakeUrl, {
    agent: { signals: { busy } },
    greet: (socket) => socket.on('message', () => (messages += 2)),
  });
  return node;
}

/** Clients that talk, in turn much and little, so that an idle part and a cost can be told apart. */
async function talk(herald: HeraldProcess): Promise<() => void> {
  const clients = await Promise.all(Array.from({ length: 8 }, () => connectWs(herald.publicPort)));
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    const part = tick % 100 < 50 ? clients : clients.slice(0, 4);
    for (const { socket } of part) if (socket.readyState === socket.OPEN) socket.send('hello');
  }, sentEveryMs);
  const stop = () => clearInterval(timer);
  onTestFinished(stop);
  return stop;
}

async function aTaughtHerald(): Promise<HeraldProcess> {
  const policy = aPolicy({
    signals: { busy: { saturation: 1, kind: 'additive' } },
    affinity: { kind: 'none' },
  });
  const herald = await aHerald({ policies: { chat: policy } });
  for (const id of ['cheap', 'dear'] as const) await aTalkingNode(herald, id);
  await herald.eligible('cheap', 'dear');
  const stop = await talk(herald);
  await eventually(
    () => herald.nodes(),
    (nodes) => Object.keys(costs).every((id) => (nodes[id]?.learned.messageCost.pairs ?? 0) > 40),
    30_000,
  );
  stop();
  return herald;
}

const costOf = (node: NodeDetail | undefined) => node?.learned.messageCost;

/** The nodes as the first answers after a restart have them: as soon as both are back. */
function firstSeen(herald: HeraldProcess): Promise<Record<string, NodeDetail>> {
  return eventually(
    () => herald.nodes(),
    (nodes) => Object.keys(costs).every((id) => nodes[id] !== undefined),
  );
}

describe('what was learned', () => {
  it('is shown by status, explain and metrics', async () => {
    const herald = await aTaughtHerald();
    const { cheap, dear } = await herald.nodes();
    expect(costOf(cheap)?.from).toBe('own');
    expect(costOf(cheap)?.value).toBeGreaterThan(0);
    expect(costOf(dear)?.value).toBeGreaterThan(1.5 * (costOf(cheap)?.value ?? NaN));
    const status = (await herald.cli('status', '-o', 'wide')).stdout.split('\n');
    const wide = status.slice(status.findIndex((line) => line.startsWith('learned: ')));
    expect(wide[0]).toMatch(/^learned: a message\/s costs [\d.]+% above [\d.]+% idle · a connection adds /);
    expect(wide[1]).toMatch(/REPORT +COST\/MSG +÷POOL +FULL +ADD\/CONN +PAIRS +FROM +AUTO$/);
    expect(wide[2]).toMatch(/ [\d.]+% +[\d.]+× +\d+\/s +[\d.]+% +\d+ +own +-$/);
    const { stdout } = await herald.cli('explain', 'chat');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/Learned: a message per second costs [\d.e-]+%, full at/);
    const samples = await herald.metrics();
    expect(samples.get('herald_node_message_cost_ratio{pool="chat",node="dear"}')).toBeGreaterThan(0);
    expect(
      samples.get('herald_pool_idle_utilization_ratio{pool="chat",by="messages"}'),
    ).toBeGreaterThanOrEqual(0);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('is there at once after a restart by %s', async (signal) => {
    const herald = await aTaughtHerald();
    // One writing that began after the lesson: a kill leaves what was written last.
    const before = (await herald.metrics()).get(written) ?? 0;
    if (signal === 'SIGKILL')
      await eventually(
        () => herald.metrics(),
        (samples) => (samples.get(written) ?? 0) > before,
      );
    const taught = await herald.nodes();
    const from = herald.logs.length;
    await herald.restart({ signal });
    const again = await firstSeen(herald);
    for (const id of ['cheap', 'dear']) {
      // No agent can have sent a dozen reports by now: it reports ten times a second and has lost its connection.
      expect(costOf(again[id])?.pairs).toBeGreaterThan(12);
      const ratio = (costOf(again[id])?.value ?? NaN) / (costOf(taught[id])?.value ?? NaN);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.25);
    }
    const line = await herald.logged('saved state restored', from);
    expect(line['learning']).toBe(2);
    expect(statSync(join(herald.folder, 'herald-state.json')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(herald.folder, 'herald-state.json.tmp'))).toBe(false);
  });
});

describe('a state file', () => {
  const file = (herald: HeraldProcess) => join(herald.folder, 'herald-state.json');

  it.each([
    ['cut off', '{"format":"herald-state","version":1,"sections":{"lear', /not JSON/],
    ['empty', '', /not JSON/],
    ['of another program', '{"name":"package.json"}', /not a herald-state file/],
    ['of a later version', '{"format":"herald-state","version":99,"sections":{}}', /version 99/],
  ])('that is %s is put aside, and the balancer serves', async (_, content, reason) => {
    const herald = await aHerald();
    const from = herald.logs.length;
    await herald.restart({ signal: 'SIGTERM', between: () => writeFileSync(file(herald), content) });
    const line = await herald.logged('saved state put aside: starting without it', from);
    expect(line['reason']).toMatch(reason);
    expect(line['movedTo']).toBe(`${file(herald)}.bad`);
    expect(readFileSync(`${file(herald)}.bad`, 'utf8')).toBe(content);
    expect((await herald.cli('status')).code).toBe(0);
  });

  it('in a directory that is none is told once and counted, and the balancer serves', async () => {
    const herald = await aHerald({
      files: { blocked: 'a file where a directory should be' },
      config: { state: { file: './blocked/state.json' } },
    });
    await anEchoNode('a', herald.intakeUrl);
    const line = await herald.logged('saved state cannot be read: nothing is restored or saved');
    expect(line['reason']).toContain('not a directory');
    await herald.eligible('a');
  });

  it('in a directory that is missing is made with it, and `off` makes none', async () => {
    const there = await aHerald({ config: { state: { file: './deep/er/state.json' } } });
    const off = await aHerald({ config: { state: { file: 'off' } } });
    for (const herald of [there, off]) {
      await anEchoNode('a', herald.intakeUrl);
      await herald.eligible('a');
      await herald.restart({ signal: 'SIGTERM' });
    }
    expect(existsSync(join(there.folder, 'deep/er/state.json'))).toBe(true);
    expect(existsSync(file(off))).toBe(false);
  });
});
