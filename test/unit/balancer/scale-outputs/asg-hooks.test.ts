import { beforeEach, describe, expect, it } from 'vitest';
import type { AsgAction } from '../../../../src/balancer/scale-outputs/asg-call.ts';
import { AsgHooks } from '../../../../src/balancer/scale-outputs/asg-hooks.ts';
import type { InstanceNode } from '../../../../src/balancer/scale-outputs/asg-ports.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import type { AsgCall, AsgConfig } from '../../../../src/policy/config.ts';
import type { AdminStateRequest } from '../../../../src/protocol/operations.ts';
import { aLifecycleEvent } from '../../../support/a-lifecycle-event.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aStubControl, type StubControl } from '../../../support/stub-control.ts';

const i1 = 'i-0123456789abcdef0';
const complete: AsgCall = { kind: 'command', command: ['complete'] };
const heartbeat: AsgCall = { kind: 'command', command: ['heartbeat'] };
const anybody = { by: 'aws', pools: 'all' as const };

let clock: ManualClock;
let control: StubControl;
let nodes: InstanceNode[];
let told: AsgAction[];
let faults: string[];
let events: { type: string; message: string }[];

beforeEach(() => {
  clock = new ManualClock();
  control = aStubControl();
  nodes = [{ pool: 'chat', id: i1 }];
  told = [];
  faults = [];
  events = [];
});

function hooksWith(change: Partial<AsgConfig> = {}, ageMs = 60_000): AsgHooks {
  const hooks = new AsgHooks({
    config: {
      groups: ['chat-nodes-*'],
      nodes: '{instance}',
      timeoutMs: 300_000,
      heartbeat: undefined,
      complete,
      ...change,
    },
    clock,
    rng: pcg32(1),
    control,
    tell: (event) => events.push(event),
    tellAws: (_, { action }) => {
      told.push(action);
      return Promise.resolve(faults.shift());
    },
    nodes: () => nodes,
  });
  // How long the balancer has run.
  clock.advance(ageMs);
  return hooks;
}

/** Moves the clock in small steps, so that what was promised meanwhile happens. */
async function pass(forMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += 500) {
    clock.advance(500);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

const asked = () =>
  control.asked.map(({ target, request }) => ({ target, ...(request as AdminStateRequest) }));

describe('an instance that terminates', () => {
  it('is drained as by itself within what AWS waits for, and completed when the drain is over', async () => {
    const hooks = hooksWith();
    const answer = hooks.take(aLifecycleEvent(), anybody);
    expect(answer).toMatchObject({ state: 'draining', instance: i1, nodes: [i1], operations: ['op-1'] });
    expect(asked()).toMatchObject([{ target: [i1], adminState: 'drain', self: true, deadlineMs: 290_000 }]);
    await pass(5000);
    expect(told).toEqual([]);
    control.finish('op-1', 'done');
    await pass(1000);
    expect(told).toEqual(['complete']);
    expect(hooks.take(aLifecycleEvent(), anybody)).toMatchObject({
      state: 'completed',
      reason: `drained: ${i1} (done)`,
    });
    expect(events.map(({ type }) => type)).toEqual(['lifecycle.began', 'lifecycle.completed']);
    expect(clock.pending).toBe(0);
  });

  it('is one drain and one completion when its event comes twice', async () => {
    const hooks = hooksWith();
    hooks.take(aLifecycleEvent(), anybody);
    expect(hooks.take(aLifecycleEvent(), anybody)).toMatchObject({ state: 'draining', operations: ['op-1'] });
    control.finish('op-1', 'deadline');
    await pass(1000);
    hooks.take(aLifecycleEvent(), anybody);
    await pass(1000);
    expect([control.asked.length, told]).toEqual([1, ['complete']]);
  });

  it('may carry several nodes, of several pools', async () => {
    nodes = [
      { pool: 'chat', id: `${i1}:8081` },
      { pool: 'games', id: `${i1}:8082` },
      { pool: 'chat', id: 'i-other:8081' },
    ];
    const hooks = hooksWith({ nodes: '{instance}:*' });
    const answer = hooks.take(aLifecycleEvent(), anybody);
    expect(answer.nodes).toEqual([`${i1}:8081`, `${i1}:8082`]);
    control.finish('op-1', 'done');
    await pass(2000);
    expect(told).toEqual([]);
    control.finish('op-2', 'done');
    await pass(1000);
    expect(told).toEqual(['complete']);
  });

  it('of which nobody knows a node is completed at once, and it is said so', async () => {
    nodes = [];
    const hooks = hooksWith();
    const { reason } = hooks.take(aLifecycleEvent(), anybody);
    expect(reason).toBe(`no node here is on instance '${i1}', so there is nothing to drain`);
    await pass(500);
    expect([control.asked, told]).toEqual([[], ['complete']]);
  });

  it('is waited for when the balancer has just started: its node may not have reported yet', async () => {
    nodes = [];
    const young = hooksWith({}, 0);
    expect(young.take(aLifecycleEvent(), anybody).state).toBe('looking');
    await pass(10_000);
    expect(told).toEqual([]);
    nodes = [{ pool: 'chat', id: i1 }];
    await pass(1000);
    expect(young.take(aLifecycleEvent(), anybody).state).toBe('draining');
    nodes = [];
    expect(young.take(aLifecycleEvent({ instance: 'i-2', token: 't2' }), anybody).state).toBe('looking');
    await pass(30_000);
    expect(told).toEqual(['complete']);
  });

  it('is left alone when an operator cancels its drain', async () => {
    const hooks = hooksWith();
    hooks.take(aLifecycleEvent(), anybody);
    control.finish('op-1', 'cancelled');
    await pass(1000);
    expect(told).toEqual([]);
    expect(hooks.take(aLifecycleEvent(), anybody).state).toBe('leftAlone');
  });

  it('whose drain is forgotten counts as drained', async () => {
    const hooks = hooksWith();
    hooks.take(aLifecycleEvent(), anybody);
    control.operation = () => {
      throw new HeraldError('HERALD_OPERATION_UNKNOWN', 'forgotten');
    };
    await pass(1000);
    expect(told).toEqual(['complete']);
  });
});

describe('AWS', () => {
  it('is told to wait at once and three times in each timeout, while the policy alone sets the deadline', async () => {
    const hooks = hooksWith({ heartbeat });
    hooks.take(aLifecycleEvent(), anybody);
    expect(asked()[0]?.deadlineMs).toBeUndefined();
    await pass(1000);
    expect(told).toEqual(['heartbeat']);
    await pass(300_000);
    expect(told).toHaveLength(4);
    control.finish('op-1', 'done');
    await pass(1000);
    expect(told.at(-1)).toBe('complete');
  });

  it('that cannot be told to wait gets the drain done within what it waits for', async () => {
    const hooks = hooksWith({ heartbeat });
    faults = [undefined, 'no credentials'] as string[];
    hooks.take(aLifecycleEvent(), anybody);
    await pass(110_000);
    const { deadlineMs = Infinity } = asked()[1] ?? {};
    // Told at 0.5 s, failed at 100.5 s: 300 s − 100 s − 10 s are left.
    expect(deadlineMs).toBeLessThanOrEqual(190_000);
    expect(deadlineMs).toBeGreaterThan(185_000);
    expect(events.at(-1)).toMatchObject({
      type: 'lifecycle.heartbeatFailed',
      message: 'AWS was not told to wait: no credentials',
    });
  });

  it('that does not take the completion is told again, five times at most; a repeated event begins anew', async () => {
    const hooks = hooksWith();
    faults = ['1', '2', '3', '4', '5'];
    hooks.take(aLifecycleEvent(), anybody);
    control.finish('op-1', 'done');
    await pass(60_000);
    expect(told).toHaveLength(5);
    expect(events.at(-1)?.message).toContain('it waits out its timeout: 5');
    expect(hooks.take(aLifecycleEvent(), anybody).state).toBe('completing');
    await pass(500);
    expect(hooks.take(aLifecycleEvent(), anybody).state).toBe('completed');
    expect(told).toHaveLength(6);
  });

  it('is told nothing any more when the balancer stops', async () => {
    const hooks = hooksWith();
    faults = ['1', '2', '3'];
    hooks.take(aLifecycleEvent(), anybody);
    control.finish('op-1', 'done');
    await pass(500);
    hooks.stop();
    await pass(60_000);
    expect(told).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('an event', () => {
  it.each([
    [{ detailType: 'EC2 Instance-launch Lifecycle Action' }, "'EC2 Instance-launch Lifecycle Action' is not"],
    [{ detailType: 'EC2 Instance Terminate Successful' }, "is not 'EC2 Instance-terminate"],
    [{ transition: 'autoscaling:EC2_INSTANCE_LAUNCHING' }, "the transition 'autoscaling:EC2_INSTANCE_LAUNCH"],
    [{ group: 'batch' }, "group 'batch' is not among asg.groups: its hooks are left alone"],
  ])('with %j is ignored with a reason', async (parts, reason) => {
    const hooks = hooksWith();
    const answer = hooks.take(aLifecycleEvent(parts), anybody);
    expect(answer).toMatchObject({ state: 'ignored', nodes: [] });
    expect(answer.reason).toContain(reason);
    await pass(1000);
    expect([control.asked, told]).toEqual([[], []]);
  });

  it.each([
    [[], "'detail-type'|body"],
    [{ 'detail-type': 'EC2 Instance-terminate Lifecycle Action' }, 'detail'],
    [aLifecycleEvent({ instance: '--profile' }), 'detail.EC2InstanceId'],
    [aLifecycleEvent({ instance: 'i-1 i-2' }), 'detail.EC2InstanceId'],
    [aLifecycleEvent({ token: '--x' }), 'detail.LifecycleActionToken'],
    [aLifecycleEvent({ group: '-chat' }), 'detail.AutoScalingGroupName'],
    [
      { Type: 'Notification', TopicArn: 'arn:aws:sns:…', Message: '{}' },
      'notifications of SNS are not taken',
    ],
  ])('%j is refused', (body, why) => {
    expect(() => hooksWith().take(body, anybody)).toThrow(new RegExp(why));
  });

  it('about a node out of the scope of its token is refused, not completed', async () => {
    const hooks = hooksWith();
    expect(() => hooks.take(aLifecycleEvent(), { by: 'games', pools: ['games'] })).toThrow('not good for');
    await pass(1000);
    expect(told).toEqual([]);
  });

  it('whose drain cannot begin may come again', () => {
    const hooks = hooksWith();
    control.refusal = new HeraldError('HERALD_NOT_AVAILABLE', 'not now');
    expect(() => hooks.take(aLifecycleEvent(), anybody)).toThrow('not now');
    expect(hooks.take(aLifecycleEvent(), anybody).state).toBe('draining');
  });

  it('is refused when two thousand instances wait; those that are over make room', async () => {
    nodes = [];
    const hooks = hooksWith();
    nodes = [];
    for (let i = 0; i < 2000; i++)
      hooks.take(aLifecycleEvent({ instance: `i-${i}`, token: `t${i}` }), anybody);
    expect(() => hooks.take(aLifecycleEvent(), anybody)).toThrow('2000 instances wait');
    await pass(1000);
    expect(hooks.take(aLifecycleEvent(), anybody).state).toBe('completing');
  });
});
