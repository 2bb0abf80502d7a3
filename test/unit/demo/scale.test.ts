import { describe, expect, it } from 'vitest';
import type { ScaleResult, ScaleRow } from '../../../src/demo/scale-run.ts';
import { createScaleScenario, curve } from '../../../src/demo/scale-scenario.ts';
import { renderScaleSummary, scaleFiguresOf } from '../../../src/demo/scale-view.ts';
import { planTraffic } from '../../../src/demo/traffic.ts';

const plain = (_: unknown, text: string) => text;

function aRow(second: number, utilizations: readonly number[]): ScaleRow {
  const nodes = utilizations.map((utilization, index) => ({ id: `n${index}`, utilization, connections: 1 }));
  return { second, desiredNodes: nodes.length, wantedNodes: nodes.length, totalLoad: 1, nodes };
}

function aResult(rows: readonly ScaleRow[], trouble: Readonly<Record<string, number>> = {}): ScaleResult {
  const answers = { answered: 10, p50Ms: 4, p99Ms: 31.6 };
  return { rows, clients: { kind: 'finished', connected: 120, returned: 7, trouble, ...answers } };
}

describe('the traffic of the scaling demo', () => {
  it('is calm, then a rush, then calm, without a jump', () => {
    expect([0, 0.05, 0.65, 1].map(curve)).toEqual([1, 1, 1, 1]);
    expect(curve(0.4)).toBeGreaterThan(4);
    const steps = Array.from({ length: 1000 }, (_, index) => curve((index + 1) / 1000) - curve(index / 1000));
    expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.05);
  });

  it('brings clients as the curve says', () => {
    const { traffic } = createScaleScenario(90_000);
    const plans = planTraffic(traffic, 1);
    const openAt = (ms: number) =>
      plans.filter(({ arriveAtMs, holdMs }) => arriveAtMs <= ms && ms < arriveAtMs + holdMs).length;
    // 90 and 405 are expected; four deviations of such counts are 38 and 80.
    expect(openAt(7000)).toBeGreaterThan(52);
    expect(openAt(7000)).toBeLessThan(140);
    expect(openAt(44_000)).toBeGreaterThan(325);
    expect(openAt(44_000)).toBeLessThan(485);
    expect(openAt(88_000)).toBeLessThan(160);
  });
});

describe('the figures of the scaling demo', () => {
  it('count nodes, seconds and what clients could not read', () => {
    const rows = [aRow(1, [0.5, 0.5]), aRow(2, [0.97, 0.5, 0.5, 0.1]), aRow(3, [0.4, 0.4, 0.4])];
    const figures = scaleFiguresOf(aResult(rows, { 'closed: 1006': 2, 'error: x': 1 }));
    expect(figures).toEqual({
      nodes: [2, 4, 3],
      nodeSeconds: 9,
      nodeSecondsAtMost: 12,
      connected: 120,
      moved: 7,
      closed1006: 2,
      trouble: { 'error: x': 1 },
      seconds: 3,
      saturatedSeconds: 1,
      answerP99Ms: 31.6,
    });
  });

  it('are said in lines of at most 80 columns', () => {
    const text = renderScaleSummary(scaleFiguresOf(aResult([aRow(1, [0.5, 0.5])])), plain);
    expect(text).toContain('From 2 nodes to 2 and back to 2');
    expect(text).toContain('0 closed by 1006\n');
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});
