// `herald demo --scale` as a whole: a real fleet grows and shrinks by the recommendation, and nobody is cut off.
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startCommand } from '../support/herald-command.ts';
import { hasGroup } from '../support/process-group.ts';

interface Row {
  readonly second: number;
  readonly desiredNodes: number;
  readonly totalLoad: number | null;
  readonly nodes: readonly { id: string; utilization: number; connections: number }[];
}

interface Figures {
  readonly nodes: readonly [number, number, number];
  readonly nodeSeconds: number;
  readonly connected: number;
  readonly moved: number;
  readonly closed1006: number;
  readonly trouble: Readonly<Record<string, number>>;
}

describe('herald demo --scale', () => {
  it('starts and stops node processes as the work asks, drained first: none is closed by 1006', async () => {
    const demo = startCommand(['demo', '--scale', '--json', '--duration', '60'], { ownGroup: true });
    onTestFinished(() => {
      if (hasGroup(demo.pid)) process.kill(-demo.pid, 'SIGKILL');
    });
    const { code, stdout, stderr } = await demo.ended(180_000);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    // Proof of `as`: the expectations below look at every member.
    const rows = lines.slice(0, -1).map((line) => JSON.parse(line) as Row);
    const figures = JSON.parse(lines.at(-1) ?? '') as Figures;
    expect(rows.map(({ second }) => second)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    const counts = rows.map(({ nodes }) => nodes.length);
    expect(figures.nodes).toEqual([counts[0], Math.max(...counts), counts.at(-1)]);
    expect(figures.nodeSeconds).toBe(counts.reduce((sum, count) => sum + count, 0));
    // Two carry the calm; the rush is four and a half times as much.
    expect(counts[0]).toBe(2);
    expect(figures.nodes[1]).toBeGreaterThanOrEqual(4);
    expect(figures.nodes[2]).toBeLessThan(figures.nodes[1]);
    for (const { desiredNodes } of rows) {
      expect(desiredNodes).toBeGreaterThanOrEqual(2);
      expect(desiredNodes).toBeLessThanOrEqual(8);
    }
    // Whoever was on a node that went was told, and came back.
    expect(figures.moved).toBeGreaterThan(0);
    expect(figures.connected).toBeGreaterThan(figures.moved);
    expect([figures.closed1006, figures.trouble]).toEqual([0, {}]);
    await eventually(
      () => hasGroup(demo.pid),
      (isLeft) => !isLeft,
    );
  });

  it('runs one seed only, and says so', async () => {
    const demo = startCommand(['demo', '--scale', '--seeds', '2']);
    const { code, stderr } = await demo.ended();
    expect([code, stderr]).toEqual([2, 'herald: --scale runs one seed: leave --seeds out [HERALD_USAGE]\n']);
  });
});
