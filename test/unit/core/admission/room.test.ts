import { describe, expect, it } from 'vitest';
import { isFilled } from '../../../../src/core/admission/room.ts';
import { anOpenPolicy } from '../../../support/a-policy.ts';
import { aRoom } from '../../../support/a-room.ts';

/** Whether one node is filled that has reported this utilization for ten seconds with so many connections. */
function filled({
  utilization,
  connections,
  more = 0,
}: {
  utilization: number;
  connections: number;
  more?: number;
}) {
  const room = aRoom({ policy: anOpenPolicy({ admit: { fillTo: 10 } }), nodes: ['a'] });
  for (let i = 0; i < connections; i += 1) room.place()?.opened();
  for (let second = 0; second < 10; second += 1) {
    room.report({ id: 'a', connections, signals: { cpu: 0.8 * utilization } });
    room.clock.advance(1000);
  }
  const assessment = room.registry.pool('chat').assessment(room.clock.nowMs());
  for (let i = 0; i < more; i += 1) room.place()?.opened();
  return isFilled(assessment, 0, 1);
}

/** Whether a node is filled that last reported 80 %, eight seconds ago, and whose 40 clients talk so much more since. */
function filledByTalk(more: number): boolean {
  const room = aRoom({ policy: anOpenPolicy({ admit: { fillTo: 10 } }), nodes: ['a'] });
  const leases = Array.from({ length: 40 }, () => room.place());
  for (const lease of leases) lease?.opened();
  for (let second = 0; second < 28; second += 1) {
    const messages = second < 20 ? 100 : 100 * (1 + more);
    for (const lease of leases) lease?.toNode(messages, messages);
    room.clock.advance(1000);
    if (second < 20) room.report({ id: 'a', connections: 40, signals: { cpu: 0.8 * 0.8 } });
  }
  return isFilled(room.registry.pool('chat').assessment(room.clock.nowMs()), 0, 1);
}

describe('room below the level', () => {
  it('is half of what the report shows', () => {
    expect(filled({ utilization: 0.8, connections: 40 })).toBe(false);
    // Each is worth two hundredths, and a tenth may be filled.
    expect(filled({ utilization: 0.8, connections: 40, more: 3 })).toBe(false);
    expect(filled({ utilization: 0.8, connections: 40, more: 7 })).toBe(true);
  });

  it('is filled by busier clients once they are seen to take three quarters of it', () => {
    // Seen at 92 % it is not: that is above half, where a report is at 80, but below three quarters.
    expect(filledByTalk(0.25)).toBe(false);
    expect(filledByTalk(0.4)).toBe(true);
  });

  it('is none on a node at its saturation', () => {
    expect(filled({ utilization: 1, connections: 40 })).toBe(true);
  });

  it('is not judged where little is known: few connections, little load, or none known at all', () => {
    expect(filled({ utilization: 1, connections: 19 })).toBe(false);
    expect(filled({ utilization: 0.4, connections: 40, more: 100 })).toBe(false);
    const room = aRoom({ nodes: ['a'] });
    for (let i = 0; i < 50; i += 1) room.place()?.opened();
    expect(isFilled(room.registry.pool('chat').assessment(room.clock.nowMs()), 0, 0.1)).toBe(false);
  });
});
