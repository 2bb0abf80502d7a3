import { describe, expect, it } from 'vitest';
import { createHealthChecker } from '../../../../src/balancer/health/checker.ts';
import type { Registry } from '../../../../src/balancer/state/registry.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const rule = { kind: 'http', path: '/healthz', intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 } as const;

/** One pool with one node, and the verdicts that the checker reaches. */
function aChecker(answers: { next: string | undefined }, check: object = rule) {
  const clock = new ManualClock();
  const node = { identity: { id: 'a', host: '127.0.0.1', port: 1 }, checkFailure: '' };
  const pool = { policy: { health: { check } }, nodes: new Map([['a', node]]) };
  const verdicts: string[] = [];
  let asked = 0;
  const registry = {
    pools: new Map([['chat', pool]]),
    hasNode: () => pool.nodes.has('a'),
    setCheckFailure: (_: string, failure: string) => {
      if (node.checkFailure !== failure) verdicts.push(failure);
      node.checkFailure = failure;
    },
  } as unknown as Registry;
  const probe = async () => {
    asked += 1;
    return answers.next;
  };
  // No chance: checks fall at 0.5 s, 5.5 s, 10.5 s and so on.
  const checker = createHealthChecker({ registry, probe, clock, rng: { next: () => 0.5 } });
  checker.start();
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { checker, verdicts, advance, pool, node, asked: () => asked };
}

describe('health checker', () => {
  it('calls a node down after `fall` failures in a row, and up after `rise` successes', async () => {
    const answers = { next: 'check: refused' };
    const { verdicts, advance } = aChecker(answers);
    await advance(10_000);
    expect(verdicts).toEqual([]);
    await advance(2000);
    expect(verdicts).toEqual(['check: refused']);
    answers.next = '';
    await advance(5000);
    expect(verdicts).toEqual(['check: refused']);
    await advance(5000);
    expect(verdicts).toEqual(['check: refused', '']);
  });

  it('forgives failures that are not in a row', async () => {
    const answers = { next: 'check: refused' };
    const { verdicts, advance } = aChecker(answers);
    for (let i = 0; i < 8; i += 1) {
      answers.next = i % 3 === 2 ? '' : 'check: refused';
      await advance(5000);
    }
    expect(verdicts).toEqual([]);
  });

  it('says nothing of a node that was removed while it was asked', async () => {
    const { verdicts, advance, pool } = aChecker({ next: 'check: refused' });
    await advance(9000);
    pool.nodes.clear();
    await advance(20_000);
    expect(verdicts).toEqual([]);
  });

  it('brings a node up when the policy no longer checks', async () => {
    const { verdicts, advance, node, asked } = aChecker({ next: '' }, { kind: 'off' });
    node.checkFailure = 'check: refused';
    await advance(200);
    expect(verdicts).toEqual(['']);
    expect(asked()).toBe(0);
  });

  it('asks nobody after stop', async () => {
    const { checker, advance, asked } = aChecker({ next: '' });
    await advance(6000);
    checker.stop();
    const before = asked();
    await advance(20_000);
    expect(asked()).toBe(before);
  });

  it('takes no verdict for none: a row of failures goes on behind it', async () => {
    const answers: { next: string | undefined } = { next: 'check: refused' };
    const { verdicts, advance } = aChecker(answers);
    await advance(6_000);
    answers.next = undefined;
    await advance(20_000);
    expect(verdicts).toEqual([]);
    answers.next = 'check: refused';
    await advance(6_000);
    expect(verdicts).toEqual(['check: refused']);
  });
});
