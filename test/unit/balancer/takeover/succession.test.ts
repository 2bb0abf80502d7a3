// The new process's half of a takeover, and the parts that both use: gate, remainder, counts, wishes.
import { describe, expect, it } from 'vitest';
import { ChangeGate } from '../../../../src/balancer/takeover/change-gate.ts';
import type { ToPredecessor } from '../../../../src/balancer/takeover/messages.ts';
import { Remainder } from '../../../../src/balancer/takeover/remainder.ts';
import { Succession } from '../../../../src/balancer/takeover/succession.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function aSuccession() {
  const clock = new ManualClock();
  const sent: ToPredecessor[] = [];
  let hear: (message: unknown) => void = () => {};
  let gone: () => void = () => {};
  const succession = new Succession(2, {
    clock,
    channel: {
      send: (message) => void sent.push(message),
      onMessage: (listen) => (hear = listen),
      onGone: (listen) => (gone = listen),
      close: () => {},
    },
  });
  return { clock, sent, succession, hear: (message: unknown) => hear(message), gone: () => gone() };
}

describe('a succession', () => {
  it('asks for the state, says that it serves, and waits until the old process has let go', async () => {
    const { clock, sent, succession, hear } = aSuccession();
    const state = succession.state();
    hear({ type: 'state', text: 'STATE' });
    expect(await state).toBe('STATE');
    const released = succession.serving(['tcp:a:1']);
    expect(sent).toEqual([{ type: 'prepared' }, { type: 'serving', taken: ['tcp:a:1'] }]);
    expect(succession.isReleased).toBe(false);
    hear({ type: 'released' });
    await released;
    expect(succession.isReleased).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('begins with what is on the disk when the old process dies before it has handed over', async () => {
    const { succession, gone } = aSuccession();
    const state = succession.state();
    gone();
    expect(await state).toBeUndefined();
    expect(await succession.state()).toBeUndefined();
    await succession.serving([]);
    expect(succession.isReleased).toBe(true);
  });

  it('waits ten seconds at most for an old process that does not let go', async () => {
    const { clock, succession } = aSuccession();
    const released = succession.serving([]);
    clock.advance(10_000);
    await released;
    expect(succession.isReleased).toBe(true);
  });

  it('hears of the end of the old process, also when it had ended before anybody listened', () => {
    const { succession, hear, gone } = aSuccession();
    const heard: string[] = [];
    succession.follow(
      ({ processes }) => heard.push(`${processes.length}`),
      () => heard.push('gone'),
    );
    hear({ type: 'counts', isWhole: true, processes: [] });
    gone();
    succession.follow(
      () => {},
      () => heard.push('gone before'),
    );
    expect(heard).toEqual(['0', 'gone', 'gone before']);
  });
});

describe('the gate of changes', () => {
  it('lets changes wait while it is held, then pass', async () => {
    const gate = new ChangeGate();
    await gate.pass();
    gate.hold();
    const order: string[] = [];
    const waiting = gate.pass().then(() => order.push('passed'));
    await Promise.resolve();
    order.push('opened');
    gate.open();
    await waiting;
    expect(order).toEqual(['opened', 'passed']);
    await gate.pass();
  });

  it('refuses those that wait, and those that come, once another process serves', async () => {
    const gate = new ChangeGate();
    gate.hold();
    const waiting = gate.pass();
    gate.close();
    await expect(waiting).rejects.toMatchObject({ code: 'HERALD_HANDED_OVER' });
    await expect(gate.pass()).rejects.toMatchObject({ code: 'HERALD_HANDED_OVER' });
  });
});

describe('what is left of a replaced process', () => {
  it('is over when nothing is open', async () => {
    const clock = new ManualClock();
    let open = 2;
    const remainder = new Remainder({ clock, count: () => open, relayForMs: () => Infinity });
    let isOver = false;
    const over = remainder.over.then(() => (isOver = true));
    remainder.start();
    clock.advance(3_600_000);
    await Promise.resolve();
    expect(isOver).toBe(false);
    open = 0;
    clock.advance(250);
    await over;
    expect(clock.pending).toBe(0);
  });

  it('is over when its time is, whatever is open', async () => {
    const clock = new ManualClock();
    const remainder = new Remainder({ clock, count: () => 1, relayForMs: () => 1000 });
    remainder.start();
    clock.advance(1000);
    await remainder.over;
    expect(clock.pending).toBe(0);
  });
});
