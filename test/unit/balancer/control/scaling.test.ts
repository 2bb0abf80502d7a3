import { describe, expect, it } from 'vitest';
import { ScalingLoop } from '../../../../src/balancer/control/scaling.ts';
import type { EventRecord } from '../../../../src/protocol/operations.ts';
import type { Scaling } from '../../../../src/protocol/scaling.ts';
import { aPlainPolicy, type PolicyParts } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

const ids = ['a', 'b', 'c'] as const;

interface LoopRoom extends Room {
  readonly loop: ScalingLoop;
  readonly heard: Scaling[];
  readonly events: Omit<EventRecord, 'id' | 'at'>[];
  readonly frozen: Set<string>;
  /** So many seconds with a report of every node each second; without `cpu` nobody reports. */
  pass(seconds: number, cpu?: number): void;
  types(): string[];
}

/** Three nodes of pool `chat`, at least one and at most ten; a minute of fewer is enough for a scale-in. */
function aLoop(scale: PolicyParts['scale'] = {}): LoopRoom {
  const policy = {
    reports: { blackoutMs: 0, expiryMs: 3000 },
    place: { slowStartMs: 0 },
    scale: {
      min: 1,
      max: 10,
      target: 0.6,
      startTimeMs: 0,
      windowMs: 240_000,
      survive: 0,
      up: { afterMs: 0, step: 'all' as const },
      down: { afterMs: 60_000, step: 1, drainMs: 20_000 },
      ...scale,
    },
  };
  const room = aRoom({ policy: aPlainPolicy(policy), nodes: ids });
  const { clock, registry } = room;
  const heard: Scaling[] = [];
  const events: LoopRoom['events'] = [];
  const frozen = new Set<string>();
  const loop = new ScalingLoop({
    registry,
    clock,
    tell: (event) => void events.push(event),
    isFrozen: (pool) => frozen.has(pool),
  });
  loop.start();
  loop.onScaling((scaling) => void heard.push(scaling));
  return {
    ...room,
    loop,
    heard,
    events,
    frozen,
    pass(seconds, cpu) {
      for (let second = 0; second < seconds; second++) {
        if (cpu !== undefined)
          for (const id of ids) room.report({ id, signals: { cpu }, port: portOf(room, id) });
        clock.advance(1000);
      }
    },
    types: () => events.map(({ type }) => type),
  };
}

function portOf({ registry }: Room, id: string): number {
  return registry.node(id).node.identity.port;
}

describe('recommendations', () => {
  it('are computed every five seconds and told each time, changed or not', () => {
    const { pass, heard } = aLoop();
    pass(20, 0.5);
    expect(heard).toHaveLength(4);
    expect(heard.at(-1)).toMatchObject({ pool: 'chat', state: 'known', action: 'hold', nodes: 3 });
    expect(heard.at(-1)?.at).toBe(new Date(1_700_000_020_000).toISOString());
  });

  it('say as much as a policy and a load do', () => {
    const { pass, loop } = aLoop({ min: 0, max: 4 });
    pass(10, 0.9);
    expect(loop.scaling('chat')).toMatchObject({
      action: 'out',
      desiredNodes: 4,
      wantedNodes: 4,
      startingNodes: 0,
      target: 0.6,
      min: 0,
      max: 4,
      isActive: false,
      isFrozen: false,
      bottleneck: 'cpu',
    });
    expect(loop.scaling('chat').totalLoad).toBeCloseTo(2.7, 1);
    expect(loop.scaling('chat').reason).toContain('max is 4');
  });

  it('are there before the first interval has passed', () => {
    const { loop } = aLoop();
    expect(loop.scaling('chat')).toMatchObject({ state: 'unknown', action: 'hold', desiredNodes: 3 });
  });

  it('of a pool that is not there are refused with the nearest name', () => {
    expect(() => aLoop().loop.scaling('chatt')).toThrow("did you mean 'chat'?");
  });

  it('of a pool that is taken away end with it', () => {
    const { loop, registry, pass, heard } = aLoop();
    pass(5, 0.5);
    registry.configure([]);
    pass(10);
    expect(heard).toHaveLength(1);
    expect(() => loop.scaling('chat')).toThrow('there is no pool');
  });

  it('follow a policy that is replaced', () => {
    const { loop, registry, pass } = aLoop();
    pass(10, 0.5);
    const { policy } = registry.pool('chat');
    registry.pool('chat').replacePolicy({ ...policy, scale: { ...policy.scale, min: 5 } });
    pass(5, 0.5);
    expect(loop.scaling('chat')).toMatchObject({ action: 'out', desiredNodes: 5, min: 5 });
  });

  it('say at once whether the pool is frozen', () => {
    const { loop, frozen, pass } = aLoop();
    pass(5, 0.5);
    frozen.add('chat');
    expect(loop.scaling('chat').isFrozen).toBe(true);
  });

  it('of a process that has just begun take nothing away before the window has passed', () => {
    const { pass, heard, loop } = aLoop();
    pass(60, 0.1);
    expect(heard.map(({ action }) => action)).not.toContain('in');
    pass(10, 0.1);
    expect(loop.scaling('chat')).toMatchObject({ action: 'in', desiredNodes: 2 });
    expect(loop.scaling('chat').victims).toHaveLength(1);
  });

  it('take nothing away when data go missing, and have null for every load', () => {
    const { pass, loop } = aLoop();
    pass(70, 0.1);
    pass(10);
    expect(loop.scaling('chat')).toMatchObject({
      state: 'unknown',
      action: 'hold',
      desiredNodes: 3,
      wantedNodes: null,
      totalLoad: null,
      forecastLoad: null,
      capacity: null,
      load: null,
      bottleneck: '',
      victims: [],
    });
  });

  it('end with the loop, and with whoever no longer listens', () => {
    const { loop, pass, heard } = aLoop();
    const other: Scaling[] = [];
    const end = loop.onScaling((scaling) => void other.push(scaling));
    pass(5, 0.5);
    end();
    pass(5, 0.5);
    loop.stop();
    loop.stop();
    pass(10, 0.5);
    expect([heard.length, other.length]).toEqual([2, 1]);
  });
});

describe('events', () => {
  it('are none while nothing changes, the first unknown seconds included', () => {
    const { pass, types } = aLoop();
    pass(10);
    pass(30, 0.5);
    expect(types()).toEqual([]);
  });

  it('tell once of a recommendation that has changed, with figures', () => {
    const { pass, events, types } = aLoop();
    pass(30, 0.9);
    expect(types()).toEqual(['scale.recommended']);
    expect(events[0]).toMatchObject({
      pool: 'chat',
      by: 'auto',
      facts: {
        action: 'out',
        desired: 5,
        nodes: 3,
        starting: 0,
        target: 0.6,
        bottleneck: 'cpu',
        victims: '',
      },
    });
    expect(events[0]?.message).toMatch(/^scale out 3 to 5 nodes: total load 2\.7 nodes of cpu/);
  });

  it('tell of data that go missing and come back, once each', () => {
    const { pass, types, events } = aLoop();
    pass(10, 0.5);
    pass(20);
    expect(types()).toEqual(['scale.unknown']);
    expect(events[0]?.message).toMatch(/^load is not known: 0 of 3 nodes have valid data/);
    pass(10, 0.5);
    expect(types()).toEqual(['scale.unknown', 'scale.known']);
  });

  it('name the victims of a scale-in', () => {
    const { pass, events } = aLoop();
    pass(70, 0.1);
    expect(events.at(-1)).toMatchObject({ type: 'scale.recommended', facts: { action: 'in' } });
    expect(ids).toContain(events.at(-1)?.facts['victims']);
  });
});
