import { describe, expect, it } from 'vitest';
import { ServiceQueue } from '../../../src/demo/service-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function aQueue(serviceMs = 10) {
  const clock = new ManualClock();
  return { clock, queue: new ServiceQueue(clock, { serviceMs, longestDelayMs: 100 }) };
}

describe('service queue', () => {
  it('answers a message when those before it are done', () => {
    const { clock, queue } = aQueue();
    expect(queue.accept()).toBe(10);
    expect(queue.accept()).toBe(20);
    clock.advance(15);
    expect(queue.accept()).toBe(15);
  });

  it('measures the part of the time that it was busy since the last call', () => {
    const { clock, queue } = aQueue();
    const busy = queue.meter();
    queue.accept();
    queue.accept();
    clock.advance(10);
    expect(busy()).toBe(1);
    clock.advance(20);
    expect(busy()).toBe(0.5);
    clock.advance(20);
    expect(busy()).toBe(0);
  });

  it('lets two meters read at their own times', () => {
    const { clock, queue } = aQueue();
    const often = queue.meter();
    const seldom = queue.meter();
    queue.accept();
    clock.advance(20);
    expect(often()).toBe(0.5);
    clock.advance(20);
    expect(often()).toBe(0);
    expect(seldom()).toBe(0.25);
  });

  it('drops what would wait too long, and counts it', () => {
    const { queue } = aQueue();
    const answers = Array.from({ length: 13 }, () => queue.accept());
    expect(answers.slice(0, 11).every((delayMs) => delayMs !== undefined)).toBe(true);
    expect(answers.slice(11)).toEqual([undefined, undefined]);
    expect(queue.droppedTotal).toBe(2);
  });

  it('takes a new service time for the next message', () => {
    const { queue } = aQueue();
    queue.setServiceMs(40);
    expect(queue.accept()).toBe(40);
  });
});
