import { describe, expect, it, onTestFinished } from 'vitest';
import { explain } from '../../../src/core/explain.ts';
import { pickerNames } from '../../../src/core/pick/picker-name.ts';
import type { NodeExplanation, PoolExplanation } from '../../../src/protocol/admin-api.ts';
import { anIdentity } from '../../support/a-node.ts';
import { anOpenPolicy, type PolicyParts } from '../../support/a-policy.ts';
import type { ReportParts } from '../../support/a-report.ts';
import { anOpenRoom } from '../../support/a-room.ts';

class Room {
  readonly #room;
  readonly registry;
  readonly clock;

  constructor(change: PolicyParts = {}) {
    this.#room = anOpenRoom(change);
    ({ registry: this.registry, clock: this.clock } = this.#room);
    onTestFinished(() => this.registry.stop());
  }

  /** `cpu` 0.4 unless other signals are given: half of its saturation. */
  report(id: string, change: ReportParts): void {
    this.#room.report({ signals: { cpu: 0.4 }, ...change, id });
  }

  place(times: number): void {
    for (let i = 0; i < times; i += 1) this.#room.place()?.opened();
  }

  explain(): PoolExplanation {
    const pool = this.registry.pool('chat');
    const explanation = explain(pool.assessment(this.clock.nowMs()), pool.policy);
    // What JSON cannot say must not be in it.
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    return explanation;
  }

  node(id: string): NodeExplanation {
    const found = this.explain().nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`no node ${id}`);
    return found;
  }
}

const place = anOpenPolicy().place;

describe('where the next connection goes', () => {
  it('is nowhere in an empty pool', () => {
    const { summary, level, nodes } = new Room().explain();
    expect(summary).toBe('The next connection goes nowhere: the pool has no nodes.');
    expect({ level, nodes }).toEqual({ level: null, nodes: [] });
  });

  it('is nowhere when nobody may take it, with the reasons counted', () => {
    const room = new Room();
    for (const id of ['a', 'b', 'c']) room.registry.addStatic('chat', anIdentity(id));
    room.registry.setAdminState('a', 'drain');
    room.registry.setCheckFailure('b', 'answers 500');
    room.registry.setCheckFailure('c', 'refused');
    const { summary, basisReason } = room.explain();
    expect(summary).toBe('The next connection goes nowhere: no node may take it (1 drain, 2 down).');
    expect(basisReason).toContain('No node is eligible');
  });

  it('is the only node there is', () => {
    const room = new Room();
    room.registry.addStatic('chat', anIdentity('a'));
    expect(room.explain().summary).toBe("The next connection goes to 'a', the only node that may take it.");
  });

  it.each(pickerNames)('is told for every picker: %s', (picker) => {
    const room = new Room({ place: { ...place, picker } });
    room.report('a', { signals: { cpu: 0.2 } });
    room.report('b', { signals: { cpu: 0.6 } });
    const { summary, notes } = room.explain();
    const expected = {
      waterfill: "goes to 'a' (100%)",
      p2c: "drawn at random; 'a' has the lowest",
      least: "goes to 'a': 'a' has the lowest",
      leastConnections: "goes to 'a', which has the fewest connections for its size (0)",
      roundRobin: 'one of 2 eligible nodes in turn',
      random: 'one of 2 eligible nodes at random',
    }[picker];
    expect(summary).toContain(expected);
    expect(notes.some((note) => note.includes(`the picker of this policy is ${picker}`))).toBe(
      picker !== 'waterfill',
    );
  });

  it('names three of many', () => {
    const room = new Room();
    for (let i = 0; i < 6; i += 1) room.report(`n${i}`, { signals: { cpu: 0.4 } });
    expect(room.explain().summary).toMatch(/goes by share to 'n\d' \(17%\), .* and 3 more: the next /);
  });
});

describe('what it is placed by', () => {
  it('is load while reports are valid', () => {
    const room = new Room();
    room.report('a', {});
    expect(room.explain()).toMatchObject({
      basis: 'load',
      panic: false,
      basisReason: 'By load: 1 of 1 eligible nodes past their blackout have valid reports.',
    });
  });

  it('is connections before anyone has reported', () => {
    const room = new Room();
    room.registry.addStatic('chat', anIdentity('a'));
    expect(room.explain().basisReason).toBe('By connections: no node has reported.');
    expect(room.node('a').scoreReason).toMatch(/^Scores 0% by 0 connections\.$/);
  });

  it('is called panic when data that was there has expired', () => {
    const room = new Room();
    room.report('a', {});
    room.report('b', {});
    room.clock.advance(11_000);
    const { panic, basisReason } = room.explain();
    expect(panic).toBe(true);
    expect(basisReason).toMatch(/^Panic, by connections: only 0 of 2/);
  });
});

describe('a score', () => {
  it('is what was reported plus what has come since', () => {
    const room = new Room();
    room.report('a', { signals: { cpu: 0.4, eventLoopLag: 50 } });
    const { score, reported, added, scoreReason } = room.node('a');
    expect(reported).toBeCloseTo(0.5);
    expect(added).toBeCloseTo((score ?? NaN) - 0.5);
    expect(scoreReason).toMatch(/^Scores 60% = 50% reported \(cpu\) \+ 10% for what/);
  });

  it('is what was reported when nothing has changed since', () => {
    const room = new Room();
    room.report('a', {});
    expect(room.node('a').scoreReason).toBe('Scores 50%, as reported (cpu).');
  });

  it('says how far below its messages a doubted report is', () => {
    const room = new Room();
    for (const id of ['a', 'b', 'liar']) room.registry.addStatic('chat', anIdentity(id));
    const nodes = ['a', 'b', 'liar'].map((id) => room.registry.node(id).node);
    for (let seq = 1; seq <= 20; seq += 1) {
      for (const { counters, identity } of nodes) {
        counters.messagesToNodeTotal += 1000 + seq * 10;
        counters.messagesPerSecond = 1000;
        const cpu = identity.id === 'liar' ? 0.001 : 0.4;
        room.report(identity.id, { seq, signals: { cpu } });
      }
      room.clock.advance(1000);
      for (const { counters } of nodes) counters.messagesPerSecond = 1000;
    }
    const { evidence, scoreReason } = room.node('liar');
    expect(evidence).toBe('doubted');
    expect(scoreReason).toMatch(/^Reports 0\.13%, far below what its messages cost elsewhere/);
  });

  it('below load is what the relay counts', () => {
    const room = new Room();
    for (const id of ['a', 'b']) room.registry.addStatic('chat', anIdentity(id));
    for (const { counters } of room.registry.pool('chat').nodes.values()) counters.messagesPerSecond = 50;
    expect(room.node('a')).toMatchObject({
      evidence: 'counted',
      scoreReason: 'Scores 50% by 50 messages/s that the relay sees.',
    });
  });

  it.each([
    ['none', 'It has not reported'],
    ['expired', 'Its last usable report is too old'],
    ['blackout', 'Its first reports are not trusted yet'],
  ] as const)('of a node without valid data is the median: %s', (state, words) => {
    const room = new Room({ reports: { intervalMs: 1000, blackoutMs: 2000, expiryMs: 10_000 } });
    room.registry.addStatic('chat', anIdentity('odd'));
    if (state === 'expired') room.report('odd', {});
    room.clock.advance(8000);
    for (const id of ['a', 'b']) room.report(id, {});
    room.clock.advance(4000);
    if (state === 'blackout') room.report('odd', {});
    const { loadState, evidence, added, scoreReason } = room.node('odd');
    expect({ loadState, evidence, added }).toEqual({ loadState: state, evidence: 'median', added: null });
    expect(scoreReason).toContain(words);
  });
});

describe('a share', () => {
  it('is nothing for the ineligible, with the reason', () => {
    const room = new Room();
    for (const id of ['maint', 'down', 'full', 'ok'])
      room.registry.addStatic('chat', anIdentity(id, { maxConnections: id === 'full' ? 0 : Infinity }));
    room.registry.setAdminState('maint', 'maint');
    room.registry.setCheckFailure('down', 'answers 500');
    const reasons = Object.fromEntries(room.explain().nodes.map(({ id, shareReason }) => [id, shareReason]));
    expect(reasons).toMatchObject({
      maint: 'Takes nothing: the operator has set it to maint.',
      down: 'Takes nothing: it is down (answers 500).',
      full: 'Takes nothing: it holds 0 connections of the 0 that it may.',
      ok: expect.stringMatching(/^Takes 100%: there is room for /),
    });
  });

  it('is nothing for a node that hardly answers', () => {
    const room = new Room();
    room.report('hurt', { signals: { cpu: 0.1, eventLoopLag: 500 } });
    for (const id of ['a', 'b']) room.report(id, {});
    expect(room.node('hurt').shareReason).toBe('Takes nothing: its distress is 10 times its saturation.');
  });

  it('is held by the guard that bounds it most', () => {
    const room = new Room({ place: { ...place, maxShare: 0.3, slowStartMs: 60_000 } });
    for (let i = 0; i < 4; i += 1) room.registry.addStatic('chat', anIdentity(`old${i}`));
    room.clock.advance(60_000);
    for (let i = 0; i < 4; i += 1)
      room.report(`old${i}`, { signals: { cpu: i === 0 ? 0.05 : 0.6 }, connections: 100 });
    room.report('new', { signals: { cpu: 0 }, connections: 0 });
    const { nodes } = room.explain();
    const [old] = nodes;
    const fresh = nodes.at(-1);
    expect(old).toMatchObject({ guard: 'maxShare', shareReason: expect.stringContaining('by maxShare') });
    expect(fresh).toMatchObject({
      guard: 'slowStart',
      shareReason: expect.stringContaining('slow start (it joined 0 s ago)'),
    });
  });

  it('stays within its bound', () => {
    const room = new Room({ place: { ...place, connectRatePerSecond: 0.5 } });
    for (const id of ['a', 'b', 'c']) room.report(id, {});
    const { nodes, arrivals, unplaced } = room.explain();
    for (const { share, bound, guard } of nodes) {
      expect(guard).toBe('connectRate');
      expect(share * (arrivals - unplaced)).toBeLessThanOrEqual((bound ?? Infinity) + 1e-9);
    }
  });
});

describe('notes', () => {
  it('say that the fleet is idle', () => {
    const room = new Room();
    for (const id of ['a', 'b']) room.report(id, { signals: { cpu: 0.01 } });
    expect(room.explain().notes).toEqual([
      expect.stringMatching(/^The fleet is idle \(mean utilization 1\.3%\)/),
    ]);
  });

  it('say that load does not follow connections or messages', () => {
    const room = new Room();
    for (let seq = 1; seq <= 30; seq += 1) {
      // Connections come and go; the load stays as it is.
      for (const id of ['a', 'b'])
        room.report(id, { seq, connections: (seq * 37) % 100, signals: { cpu: 0.5 } });
      room.clock.advance(1000);
    }
    expect(room.explain().notes).toEqual([
      expect.stringMatching(/^Load does not follow connections or messages here \(mean utilization 63%/),
    ]);
  });

  it('are silent where load follows connections', () => {
    const room = new Room();
    for (const id of ['a', 'b']) room.registry.addStatic('chat', anIdentity(id));
    room.place(100);
    for (let seq = 1; seq <= 10; seq += 1) {
      for (const id of ['a', 'b']) {
        const { open } = room.registry.node(id).node.counters;
        room.report(id, { seq, connections: open, signals: { cpu: open * 0.008 } });
      }
      room.clock.advance(1000);
    }
    expect(room.explain().notes).toEqual([]);
  });

  it('say what the guards leave without a place', () => {
    const room = new Room({ place: { ...place, connectRatePerSecond: 1 } });
    for (const id of ['a', 'b']) room.report(id, { signals: { cpu: 0.5 } });
    room.place(500);
    room.clock.advance(1000);
    expect(room.explain().notes[0]).toMatch(/^The guards leave .* arrivals without a place/);
  });
});
