import { describe, expect, it } from 'vitest';
import { PoolReturns } from '../../../../src/balancer/control/returns.ts';
import type { Out } from '../../../../src/core/returns.ts';

function anOut(count: number, atMs: number, owner = 'drain-1'): Out[] {
  return [{ owner, atMs, nodeId: 'a', count, work: 1 }];
}

/** Ticks every 250 ms with so many arrivals a second. */
function aPool() {
  const returns = new PoolReturns();
  let opened = 0;
  let nowMs = 0;
  let back = 0;
  const live = (seconds: number, perSecond: number): void => {
    for (let i = 0; i < seconds * 4; i++) {
      opened += perSecond / 4;
      nowMs += 250;
      returns.tick(opened, nowMs);
    }
  };
  returns.tick(0, 0);
  return {
    returns,
    live,
    shed: (count: number) => returns.shed(anOut(count, nowMs), { cameBack: (more) => (back += more) }),
    back: () => back,
  };
}

describe('clients that come back', () => {
  it('are what arrives above the usual rate', () => {
    const { live, shed, back, returns } = aPool();
    live(60, 40);
    shed(100);
    live(5, 40);
    expect(back()).toBe(0);
    live(5, 60);
    expect(back()).toBeGreaterThanOrEqual(95);
    expect(back()).toBeLessThanOrEqual(100);
    expect(returns.out).toBe(100 - back());
  });

  it('are never more than were shed', () => {
    const { live, shed, back, returns } = aPool();
    shed(30);
    live(2, 400);
    expect([back(), returns.out]).toEqual([30, 0]);
  });

  it('are not waited for longer than a minute', () => {
    const { live, shed, returns } = aPool();
    shed(30);
    live(59, 0);
    expect(returns.out).toBe(30);
    live(2, 0);
    expect(returns.out).toBe(0);
  });

  it('are told from a storm that came before them', () => {
    const { live, shed, back } = aPool();
    live(4, 400);
    live(8, 0);
    shed(100);
    live(2, 60);
    expect(back()).toBe(100);
  });

  it('do not become the usual rate', () => {
    const { live, shed, returns } = aPool();
    live(60, 8);
    shed(1000);
    live(10, 80);
    expect(returns.usualPerSecond).toBeCloseTo(8, 5);
  });

  it('are not taken away by a count that starts anew, as when a node is removed', () => {
    const returns = new PoolReturns();
    let back = 0;
    returns.tick(500, 0);
    returns.tick(500, 250);
    returns.shed(anOut(5, 250), { cameBack: (more) => (back += more) });
    returns.tick(20, 500);
    returns.tick(24, 750);
    expect(back).toBe(4);
  });

  it('are told to whoever has shed them, each arrival once, and who is lost likewise', () => {
    const returns = new PoolReturns();
    const heard: string[] = [];
    const hears = (name: string) => ({
      cameBack: (count: number) => void heard.push(`${name} ${count} back`),
      stayedAway: (count: number) => void heard.push(`${name} ${count} lost`),
    });
    returns.tick(0, 0);
    returns.shed(anOut(5, 0, 'drain'), hears('drain'));
    returns.shed(anOut(3, 0, 'rebalance'), hears('rebalance'));
    returns.tick(6, 1000);
    returns.tick(6, 61_000);
    expect(heard).toEqual(['drain 5 back', 'rebalance 1 back', 'rebalance 2 lost']);
  });
});
