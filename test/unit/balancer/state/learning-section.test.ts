import { describe, expect, it } from 'vitest';
import { createLearningSection } from '../../../../src/balancer/state/learning-section.ts';
import type { StateSection } from '../../../../src/balancer/state/ports.ts';
import { learnedOf } from '../../../../src/core/learned.ts';
import type { NodeLearning } from '../../../../src/protocol/learned.ts';
import { anIdentity } from '../../../support/a-node.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

const slope = { a: 0.001, b: 0.003 };
type Id = keyof typeof slope;
const ids = ['a', 'b'] as const satisfies readonly Id[];

/** A room and its section; nothing is known in it. */
function aFreshRoom(nodes: readonly string[] = []): { room: Room; section: StateSection } {
  const room = aRoom({ nodes });
  return { room, section: createLearningSection(room.registry, room.clock) };
}

function report(room: Room, id: Id, connections: number): void {
  room.report({ id, connections, signals: { cpu: 0.1 + slope[id] * connections } });
}

/** Twenty seconds of reports from nodes whose connections cost differently. */
function aTaughtRoom(): { room: Room; section: StateSection } {
  const made = aFreshRoom();
  for (let second = 0; second < 20; second += 1) {
    made.room.clock.advance(1000);
    for (const id of ids) report(made.room, id, 20 + ((second * 37) % 100));
  }
  return made;
}

function learned({ clock, registry }: Room, id: string): NodeLearning | undefined {
  const pool = registry.pool('chat');
  const assessment = pool.assessment(clock.nowMs());
  const index = assessment.snapshot.nodes.findIndex((node) => node.id === id);
  return learnedOf(assessment, pool.policy.signals).nodes[index];
}

const slopeOf = (room: Room, id: string) => learned(room, id)?.connectionSlope;

/** What a file would carry: text, and nothing else. */
const throughText = (saved: unknown): unknown => JSON.parse(JSON.stringify(saved));

describe('learning', () => {
  it('comes back to static nodes before they report, and to others with their first report', () => {
    const taught = aTaughtRoom();
    const saved = throughText(taught.section.save());
    const { room, section } = aFreshRoom(['a']);
    expect(section.restore(saved, 0)).toBe(2);
    expect(learned(room, 'a')?.isRestored).toBe(true);
    // Alone it has another idle part to go by than beside the other node, so not to the digit.
    expect((slopeOf(room, 'a')?.own ?? NaN) / (slopeOf(taught.room, 'a')?.own ?? NaN)).toBeCloseTo(1, 0);
    // One report is one pair more, on top of what was there.
    room.clock.advance(1000);
    for (const id of ids) report(room, id, 50);
    for (const id of ids) {
      const before = slopeOf(taught.room, id);
      expect(learned(room, id)?.isRestored).toBe(false);
      expect(slopeOf(room, id)?.value).toBeCloseTo(before?.value ?? NaN, 3);
      expect(slopeOf(room, id)?.pairs).toBeGreaterThan((before?.pairs ?? NaN) * 0.9);
    }
  });

  it('brings no load: nodes are as unknown as before, and there is no panic', () => {
    const { section, room } = aFreshRoom(['a', 'b']);
    section.restore(throughText(aTaughtRoom().section.save()), 0);
    const { states, panic, basis } = room.registry.pool('chat').assessment(room.clock.nowMs());
    expect([states, panic, basis]).toEqual([['none', 'none'], false, 'connections']);
  });

  it('weighs less the longer the balancer was down, and nothing when that is long', () => {
    const saved = throughText(aTaughtRoom().section.save());
    const pairsAfter = (ageMs: number) => {
      const { room, section } = aFreshRoom(['a']);
      section.restore(saved, ageMs);
      return slopeOf(room, 'a')?.pairs ?? NaN;
    };
    expect(pairsAfter(10_000)).toBeLessThan(pairsAfter(0));
    expect(pairsAfter(20_000)).toBeLessThan(pairsAfter(10_000));
    expect(pairsAfter(60 * 60_000)).toBe(0);
    const { section } = aFreshRoom(['a', 'b']);
    expect(section.restore(saved, 60 * 60_000)).toBe(0);
  });

  it('ages by the same clock, whether it is restored twice in a row or once', () => {
    const saved = throughText(aTaughtRoom().section.save());
    const once = aFreshRoom(['a', 'b']);
    once.section.restore(saved, 20_000);
    const between = aFreshRoom();
    between.section.restore(saved, 5000);
    between.room.clock.advance(5000);
    const twice = aFreshRoom(['a', 'b']);
    // Nobody came back in between: what waits is saved again.
    expect(twice.section.restore(throughText(between.section.save()), 10_000)).toBe(2);
    for (const id of ids)
      expect(slopeOf(twice.room, id)?.pairs).toBeCloseTo(slopeOf(once.room, id)?.pairs ?? NaN, 6);
  });

  it('belongs to the id: a node that comes back at another address goes on where it was', () => {
    const taught = aTaughtRoom();
    const { room, section } = aFreshRoom();
    section.restore(throughText(taught.section.save()), 0);
    const cpu = 0.1 + slope.a * 50;
    room.report({ id: 'a', connections: 50, signals: { cpu }, host: '10.9.9.9', port: 7777 });
    expect(slopeOf(room, 'a')?.pairs).toBeGreaterThan(10);
  });

  it('does not go over what a node has said since, nor into pools that are no more', () => {
    const saved = throughText(aTaughtRoom().section.save());
    const { room, section } = aFreshRoom(['a']);
    report(room, 'a', 10);
    expect(section.restore(saved, 0)).toBe(1);
    expect(slopeOf(room, 'a')?.pairs).toBe(1);
    room.addPool('games', 'x');
    expect(section.restore({ ...Object(saved), pools: { gone: Object(saved).pools.chat } }, 0)).toBe(0);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'learning'],
    ['a list', []],
    ['other fields', { fields: ['weight'], pools: {} }],
    ['no pools', { fields: aFreshRoomFields(), pools: 3 }],
  ])('that is %s is not understood', (_, saved) => {
    expect(aFreshRoom(['a']).section.restore(saved, 0)).toBeUndefined();
  });

  it('leaves single nodes out that make no sense', () => {
    const six = [1, 2, 3, 4, 5, 6];
    const sound = { byMessages: six, byConnections: six, byThroughput: six };
    const entry = (learning: unknown, ageMs: unknown = 0) => ({ ageMs, learning });
    const nodes = {
      a: entry(sound),
      b: entry({ ...sound, byMessages: [1, 2] }),
      c: entry({ ...sound, byMessages: [1, null, 3, 4, 5, 6] }),
      d: entry({ ...sound, byMessages: [1, -2, 3, 4, 5, 6] }),
      e: entry({ byMessages: six }),
      f: entry(sound, -1),
      g: entry(sound, 'old'),
      h: 'nonsense',
      i: null,
    };
    const { section } = aFreshRoom(['a']);
    expect(section.restore({ fields: aFreshRoomFields(), pools: { chat: nodes } }, 0)).toBe(1);
  });

  it('of 5,000 nodes fits in 2 MiB and comes back whole', () => {
    const many = Array.from(
      { length: 5000 },
      (_, index) => `node-${index}.of-a-zone.with-a-long-name.example`,
    );
    const { room, section } = aFreshRoom(many);
    const line = [Math.PI * 10, Math.E * 1e5, Math.PI, Math.E * 1e5, Math.E * 1e9, Math.PI * 1e4];
    const learning = { byMessages: line, byConnections: line, byThroughput: line };
    const nodes = Object.fromEntries(many.map((id) => [id, { ageMs: 500, learning }]));
    expect(section.restore({ fields: aFreshRoomFields(), pools: { chat: nodes } }, 0)).toBe(5000);
    const text = JSON.stringify(section.save());
    expect(text.length).toBeLessThan(2 * 1024 * 1024);
    expect(aFreshRoom(many).section.restore(JSON.parse(text), 0)).toBe(5000);
    room.registry.stop();
  });

  it('that nobody has taught is not saved', () => {
    const { room, section } = aFreshRoom();
    room.registry.addStatic('chat', anIdentity('a'));
    expect(section.save()).toMatchObject({ pools: { chat: {} } });
    const before = section.revision();
    report(room, 'a', 10);
    expect(section.revision()).not.toBe(before);
  });
});

function aFreshRoomFields(): unknown {
  const saved = aFreshRoom().section.save();
  return typeof saved === 'object' && saved !== null && 'fields' in saved ? saved.fields : undefined;
}
