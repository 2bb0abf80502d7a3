// What broke once: drained nodes were in the median, so a node that nothing was known of scored as idle as they were.
import { describe, expect, it } from 'vitest';
import { assess, liveScore } from '../../../src/core/assess.ts';
import { addPair, noMoments, type Moments } from '../../../src/core/moments.ts';
import type { NodeView } from '../../../src/core/snapshot.ts';
import { aLoad, aLoadedNode, aNode } from '../../support/a-node.ts';
import { aPlainPolicy } from '../../support/a-policy.ts';
import { aSnapshot, connectionsSeen } from '../../support/a-snapshot.ts';

const policy = aPlainPolicy();

/** What a node would have learned whose utilization is idle + slope × x, x between 1 and 2 times `around`. */
function learned(slope: number, { idle = 0, around = 10, pairs = 200 } = {}): Moments {
  let moments = noMoments;
  for (let i = 0; i < pairs; i += 1) {
    const x = around * (1 + (i % 11) / 10);
    moments = addPair(moments, { x, y: idle + slope * x }, 1);
  }
  return moments;
}

/** A node that carries `open` connections, reports `utilization` and has learned what a connection costs. */
function byConnections(utilization: number, open: number, parts: Parameters<typeof aNode>[0] = {}): NodeView {
  const node = aLoadedNode(utilization, { open, ...parts });
  const load = aLoad({ ...node.load, byConnections: learned(0.01) });
  return { ...node, load };
}

/** A node whose relay carries `messagesPerSecond`, and has learned what a message costs. */
function byMessages(utilization: number, messagesPerSecond: number, parts: Parameters<typeof aNode>[0] = {}) {
  const node = aLoadedNode(utilization, { messagesPerSecond, ...parts });
  return { ...node, load: aLoad({ ...node.load, byMessages: learned(0.001, { around: 300 }) }) };
}

const seenByCount = { visibility: connectionsSeen };
const judge = (nodes: readonly NodeView[], parts: Parameters<typeof aSnapshot>[1] = {}) =>
  assess(aSnapshot(nodes, parts), policy);

const honest = () => byMessages(0.6, 600);

const known = () => [0.4, 0.6, 0.8].map((utilization) => aLoadedNode(utilization));

const at = (distress: number) => aLoadedNode(0.5, { load: aLoad({ utilization: 0.5, distress }) });

describe('the score by connections', () => {
  it('is the reported utilization when nothing has happened since', () => {
    const { score, slope, evidence } = judge([byConnections(0.5, 50), byConnections(0.3, 30)], seenByCount);
    expect(score[0]).toBeCloseTo(0.5, 6);
    expect(score[1]).toBeCloseTo(0.3, 6);
    expect(slope[0]).toBeCloseTo(0.01, 3);
    expect(evidence).toEqual(['measured', 'measured']);
  });

  it('rises with a placement at once, in the live score and in the next assessment alike', () => {
    const node = byConnections(0.5, 50);
    const before = judge([node, byConnections(0.5, 50)], seenByCount);
    node.counters.dialling += 3;
    const slope = before.slope[0] ?? NaN;
    expect(liveScore(before, 0)).toBeCloseTo(0.5 + 3 * slope, 9);
    expect(judge([node, byConnections(0.5, 50)], seenByCount).score[0]).toBeCloseTo(0.5 + 3 * slope, 6);
  });

  it('falls with a close at once', () => {
    const node = byConnections(0.5, 50);
    node.counters.open -= 20;
    expect(judge([node, byConnections(0.5, 50)], seenByCount).score[0]).toBeCloseTo(0.3, 2);
  });

  it('does not count what the report shows once more, only what the smoothing still hides', () => {
    const node = byConnections(0.5, 60);
    const smoothed = { ...node, load: aLoad({ ...node.load, smoothedConnections: 50 }) };
    expect(judge([smoothed, byConnections(0.5, 50)], seenByCount).score[0]).toBeCloseTo(0.6, 2);
  });

  it('counts connections that came around the balancer as the node saw them', () => {
    const node = byConnections(0.5, 20);
    const load = aLoad({
      ...node.load,
      reportedConnections: 50,
      smoothedConnections: 50,
      countedAtSample: 20,
    });
    node.counters.open += 10;
    expect(judge([{ ...node, load }, byConnections(0.5, 50)], seenByCount).score[0]).toBeCloseTo(0.6, 2);
  });

  it('computes the demand of a node whose signal is clipped', () => {
    const { score } = judge([byConnections(1, 250), byConnections(1, 150)], seenByCount);
    expect(score[0]).toBeCloseTo(2.5, 1);
    expect(score[1]).toBeCloseTo(1.5, 1);
  });

  it('is never below zero', () => {
    const node = byConnections(0.2, 50);
    node.counters.open = 0;
    expect(judge([node, byConnections(0.5, 50)], seenByCount).score[0]).toBeGreaterThanOrEqual(0);
  });
});

describe('the score by messages', () => {
  it('follows what the relay carries now, without a report', () => {
    const node = byMessages(0.3, 300);
    const others = [byMessages(0.3, 300), byMessages(0.3, 300)];
    expect(judge([node, ...others]).score[0]).toBeCloseTo(0.3, 3);
    node.counters.messagesPerSecond = 500;
    expect(judge([node, ...others]).score[0]).toBeCloseTo(0.5, 2);
    node.counters.messagesPerSecond = 100;
    expect(judge([node, ...others]).score[0]).toBeCloseTo(0.1, 2);
  });

  it('takes a fresh connection to bring the mean rate', () => {
    const { slope } = judge([byMessages(0.3, 300)], { messagesPerSecondPerConnection: 20 });
    expect(slope[0]).toBeCloseTo(0.02, 3);
  });

  it('computes the demand of a node whose signal is clipped', () => {
    expect(judge([byMessages(1, 1800), byMessages(0.4, 400)]).score[0]).toBeCloseTo(1.8, 1);
  });

  it('goes by declared capacity where one is declared', () => {
    const nodes = [byMessages(0.15, 300, { capacity: 2 }), byMessages(0.3, 300, { capacity: 1 })];
    const { costs } = judge(nodes);
    expect((costs.slopes[1] ?? NaN) / (costs.slopes[0] ?? NaN)).toBeCloseTo(2, 9);
  });
});

describe('doubt', () => {
  it('gives a node that claims to be idle under measured load the median, or what the relay measures if more', () => {
    const liar = byMessages(0.01, 600);
    const { score, evidence } = judge([liar, honest(), honest(), honest()]);
    expect(evidence).toEqual(['doubted', 'measured', 'measured', 'measured']);
    expect(score[0]).toBeCloseTo(0.6, 2);
    const worse = byMessages(0.01, 900);
    expect(judge([worse, honest(), honest(), honest()]).score[0]).toBeCloseTo(0.9, 1);
  });

  it('does not touch a fast node: four times the speed of the others is honest', () => {
    const fast = byMessages(0.17, 600);
    expect(judge([fast, honest(), honest(), honest()]).evidence[0]).toBe('measured');
  });

  it('does not touch a node that says it is full, whatever the messages it carries would cost elsewhere', () => {
    const full = byMessages(0.95, 6000);
    const cheap = { ...full, load: aLoad({ ...full.load, byMessages: learned(0.0001, { around: 3000 }) }) };
    const { evidence, utilization, score } = judge([cheap, honest(), honest(), honest()]);
    expect(evidence[0]).toBe('measured');
    expect(utilization[0]).toBeCloseTo(0.95, 2);
    expect(score[0]).toBeCloseTo(0.95, 2);
    expect(judge([byMessages(0.8, 6000), honest(), honest(), honest()]).evidence[0]).toBe('doubted');
  });

  it('does not touch small loads, where noise decides', () => {
    const idle = byMessages(0.001, 90);
    expect(judge([idle, honest(), honest()]).evidence[0]).toBe('measured');
  });
});

describe('the unknown', () => {
  it.each([
    ['has never reported', aNode()],
    ['is in its blackout', aNode({ joinedAtMs: -3000, load: aLoad({ utilization: 0, firstAtMs: -2000 }) })],
    ['has gone silent', aNode({ load: aLoad({ utilization: 0, sampledAtMs: -20_000 }) })],
    ['reports no additive signal', aNode({ load: aLoad({ utilization: NaN }) })],
  ])('scores as the median when it %s', (_, node) => {
    const { score, evidence, basis } = judge([...known(), node]);
    expect(basis).toBe('load');
    expect(evidence[3]).toBe('median');
    expect(score[3]).toBeCloseTo(0.6, 9);
  });

  it('scores as what the relay measures when that is more than the median', () => {
    const busy = aNode({ messagesPerSecond: 950 });
    const nodes = [byMessages(0.3, 300), byMessages(0.3, 300), byMessages(0.3, 300), busy];
    expect(judge(nodes).score[3]).toBeCloseTo(0.95, 1);
  });

  it('takes the median of the nodes that may take connections: drained ones are idle for another reason', () => {
    const drained = Array.from({ length: 6 }, () => aLoadedNode(0.01, { adminState: 'drain' }));
    const nodes = [...known(), ...drained, aNode()];
    const { score } = judge(nodes);
    expect(score.at(-1)).toBeCloseTo(0.6, 9);
  });
});

describe('distress', () => {
  it('raises the score: ten points at its saturation, forty at twice that', () => {
    const { score } = judge([at(0), at(1), at(2), at(0)]);
    expect([...score].map((each) => Number(each.toFixed(9)))).toEqual([0.5, 0.6, 0.9, 0.5]);
  });

  it('of an expired report says nothing', () => {
    const silent = aNode({ load: aLoad({ distress: 9, sampledAtMs: -20_000 }) });
    const { score, ineligible } = judge([at(0), at(0), at(0), silent]);
    expect(ineligible[3]).toBeUndefined();
    expect(score[3]).toBeCloseTo(0.5, 9);
  });
});

describe('an idle pool', () => {
  it('counts connections for their own sake, in full when nothing is loaded', () => {
    const { score, slope } = judge([aLoadedNode(0, { open: 10 }), aLoadedNode(0, { open: 30 })], seenByCount);
    // A mean of 20 connections stands for the ten points below which load says nothing.
    expect(score[0]).toBeCloseTo(0.05, 9);
    expect(score[1]).toBeCloseTo(0.15, 9);
    expect(slope[0]).toBeCloseTo(0.005, 9);
  });

  it('counts them by declared size', () => {
    const { score } = judge([
      aLoadedNode(0, { open: 20, capacity: 2 }),
      aLoadedNode(0, { open: 10, capacity: 1 }),
    ]);
    expect(score[0]).toBeCloseTo(score[1] ?? NaN, 9);
  });

  it('does not count them any more when the load says something', () => {
    const { score } = judge([aLoadedNode(0.3, { open: 10 }), aLoadedNode(0.3, { open: 500 })], seenByCount);
    expect(score[1]).toBeCloseTo(score[0] ?? NaN, 9);
  });
});

describe('below load', () => {
  it('scores by relayed messages for each size', () => {
    const nodes = [
      aNode({ messagesPerSecond: 40, capacity: 2 }),
      aNode({ messagesPerSecond: 20 }),
      aNode({ messagesPerSecond: 60 }),
    ];
    const { basis, score, evidence } = judge(nodes, { messagesPerSecondPerConnection: 1 });
    expect(basis).toBe('relay');
    expect(evidence).toEqual(['counted', 'counted', 'counted']);
    expect(score[0]).toBeCloseTo(score[1] ?? NaN, 9);
    expect((score[2] ?? NaN) / (score[1] ?? NaN)).toBeCloseTo(3, 9);
  });

  it('scores by connections for each size when nothing is relayed', () => {
    const { basis, score } = judge([aNode({ open: 10, capacity: 2 }), aNode({ open: 5 })]);
    expect(basis).toBe('connections');
    expect(score[0]).toBeCloseTo(score[1] ?? NaN, 9);
  });

  it('has equal scores when nothing is seen at all', () => {
    const { basis, score } = judge([aNode({ open: 10 }), aNode({ open: 5 })], {
      visibility: { countsMessages: false, countsConnections: false },
    });
    expect(basis).toBe('rotation');
    expect([...score]).toEqual([0, 0]);
  });
});
