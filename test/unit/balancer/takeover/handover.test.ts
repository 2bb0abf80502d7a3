// The old process's half of a takeover, with processes and time made by hand.
import { describe, expect, it } from 'vitest';
import {
  Handover,
  type HandoverOutcome,
  type SuccessorEvents,
} from '../../../../src/balancer/takeover/handover.ts';
import type { ToSuccessor } from '../../../../src/balancer/takeover/messages.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** A process that does what the test says. */
interface Puppet {
  readonly events: SuccessorEvents;
  readonly heard: ToSuccessor[];
  killed: number;
}

function aHandover(parts: Partial<ConstructorParameters<typeof Handover>[0]> = {}) {
  const clock = new ManualClock();
  const puppets: Puppet[] = [];
  const done: string[] = [];
  const outcomes: HandoverOutcome[] = [];
  const handover = new Handover({
    clock,
    spawn(events) {
      const puppet: Puppet = { events, heard: [], killed: 0 };
      puppets.push(puppet);
      return {
        pid: 100 + puppets.length,
        send: (message) => void puppet.heard.push(message),
        kill: () => void (puppet.killed += 1),
        disconnect: () => {},
      };
    },
    handState: () => {
      done.push('hand');
      return Promise.resolve(aState);
    },
    takeBack: () => void done.push('take back'),
    release: ({ taken }) => {
      done.push(`release ${taken.join()}`);
      return Promise.resolve();
    },
    heard: (message) => void done.push(`heard ${JSON.stringify(message)}`),
    successorEnded: (how) => void done.push(`successor ${how}`),
    began: (by) => void done.push(`began by ${by}`),
    ended: (outcome) => void outcomes.push(outcome),
    ...parts,
  });
  const puppet = (index = 0): Puppet => {
    const found = puppets[index];
    if (found === undefined) throw new Error(`there is no process ${index}`);
    return found;
  };
  return { clock, handover, puppet, puppets, done, outcomes };
}

const aState = { type: 'state', text: 'STATE' } as const;

/** Lets promises that are settled go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('a handover', () => {
  it('hands the state to a process that asks for it, and lets go when that one serves', async () => {
    const { clock, handover, puppet, done, outcomes } = aHandover();
    const outcome = handover.begin('local');
    clock.advance(700);
    puppet().events.heard({ type: 'prepared' });
    await settle();
    expect(puppet().heard).toEqual([{ type: 'state', text: 'STATE' }]);
    puppet().events.heard({ type: 'serving', taken: ['tcp:a:1'] });
    expect(await outcome).toEqual({ done: true, pid: 101, tookMs: 700 });
    await settle();
    expect(done).toEqual(['began by local', 'hand', 'release tcp:a:1']);
    expect(puppet().heard.at(-1)).toEqual({ type: 'released' });
    expect(handover.isOver).toBe(true);
    expect(clock.pending).toBe(0);
    expect(outcomes).toHaveLength(1);
  });

  it('passes on what the new process says afterwards', async () => {
    const { handover, puppet, done } = aHandover();
    void handover.begin('local');
    puppet().events.heard({ type: 'prepared' });
    await settle();
    puppet().events.heard({ type: 'serving', taken: [] });
    await settle();
    puppet().events.heard({ type: 'wish' });
    expect(done.at(-1)).toBe('heard {"type":"wish"}');
    puppet().events.ended('was ended by SIGKILL');
    expect(done.at(-1)).toBe('successor was ended by SIGKILL');
    expect(handover.isOver).toBe(true);
  });

  it('is refused once this process has been replaced', async () => {
    const { handover, puppet } = aHandover();
    void handover.begin('local');
    puppet().events.heard({ type: 'prepared' });
    await settle();
    puppet().events.heard({ type: 'serving', taken: [] });
    await settle();
    expect(() => handover.begin('local')).toThrow(
      expect.objectContaining({ code: 'HERALD_TAKEOVER_FAILED', message: expect.stringContaining('101') }),
    );
  });

  it('is joined by whoever asks while it is under way', async () => {
    const { handover, puppet, puppets } = aHandover();
    const [first, second] = [handover.begin('local'), handover.begin('SIGUSR2')];
    puppet().events.ended('ended with 1');
    expect(await first).toEqual(await second);
    expect(puppets).toHaveLength(1);
  });

  const failures: [string, (puppet: Puppet, clock: ManualClock) => void, string][] = [
    ['says why it cannot', ({ events }) => events.heard({ type: 'failed', reason: 'no port' }), 'no port'],
    ['ends', ({ events }) => events.ended('ended with 1'), 'the new process ended with 1'],
    ['is silent for 30 s', (_puppet, clock) => clock.advance(30_000), 'within 30 s'],
  ];
  for (const [what, fail, reason] of failures) {
    it(`before the state is asked for goes on as before when the new process ${what}`, async () => {
      const { clock, handover, puppet, done } = aHandover();
      const outcome = handover.begin('local');
      fail(puppet(), clock);
      expect(await outcome).toEqual({ done: false, reason: expect.stringContaining(reason) });
      expect(puppet().killed).toBe(1);
      expect(done).toEqual(['began by local']);
      expect(clock.pending).toBe(0);
      expect(handover.isUnderWay).toBe(false);
    });

    it(`takes the state back when the new process ${what} after it was handed over`, async () => {
      const { clock, handover, puppet, done } = aHandover();
      const outcome = handover.begin('local');
      puppet().events.heard({ type: 'prepared' });
      await settle();
      fail(puppet(), clock);
      expect(await outcome).toMatchObject({ done: false });
      expect(done).toEqual(['began by local', 'hand', 'take back']);
      expect(puppet().killed).toBe(1);
    });
  }

  it('fails when nothing can be started, and can be tried again', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const { handover } = aHandover({
      clock,
      spawn() {
        tries += 1;
        throw new Error('EAGAIN');
      },
    });
    for (const number of [1, 2]) {
      expect(await handover.begin('local')).toEqual({
        done: false,
        reason: expect.stringContaining('EAGAIN'),
      });
      expect(tries).toBe(number);
    }
  });

  it('fails when the state cannot be made', async () => {
    const { handover, puppet } = aHandover({ handState: () => Promise.reject(new Error('too large')) });
    const outcome = handover.begin('local');
    puppet().events.heard({ type: 'prepared' });
    expect(await outcome).toEqual({ done: false, reason: expect.stringContaining('too large') });
  });

  it('does not listen to a process that it has given up', async () => {
    const { handover, puppet, done } = aHandover();
    void handover.begin('local');
    handover.abort('told to stop');
    const outcome = handover.begin('local');
    puppet(0).events.heard({ type: 'prepared' });
    puppet(0).events.ended('was ended by SIGKILL');
    await settle();
    expect(done).toEqual(['began by local', 'began by local']);
    puppet(1).events.heard({ type: 'prepared' });
    await settle();
    puppet(1).events.heard({ type: 'serving', taken: [] });
    expect(await outcome).toMatchObject({ done: true, pid: 102 });
  });

  it('hands no state to a process that was given up while it was being made', async () => {
    let give: (state: typeof aState) => void = () => {};
    const { handover, puppet, done } = aHandover({
      handState: () => new Promise((resolve) => (give = resolve)),
    });
    void handover.begin('local');
    puppet().events.heard({ type: 'prepared' });
    handover.abort('told to stop');
    give(aState);
    await settle();
    expect(puppet().heard).toEqual([]);
    expect(done).toContain('take back');
  });

  it('takes "serving" from nobody who has not been handed the state', async () => {
    const { handover, puppet } = aHandover();
    void handover.begin('local');
    puppet().events.heard({ type: 'serving', taken: [] });
    puppet().events.heard('nonsense');
    puppet().events.heard({ type: 'unheard of' });
    await settle();
    expect(handover.isUnderWay).toBe(true);
    handover.abort('the test is over');
  });
});
