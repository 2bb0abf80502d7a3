// The short form of `npm run chaos`: half a minute of faults over real processes and clients, and every invariant of
// test/chaos/invariants.ts. And that the judges judge: what they are told wrong they find.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { actions } from '../chaos/actions.ts';
import { invariantNames, invariants, Verdicts } from '../chaos/invariants.ts';
import { Journal } from '../chaos/journal.ts';
import type { ChaosReport } from '../chaos/report.ts';
import { scheduleOf } from '../chaos/run-chaos.ts';
import { Wishes } from '../chaos/wishes.ts';
import { startProcess } from '../support/herald-command.ts';
import { lacksRedis } from '../support/redis-server.ts';

// A seed whose half minute has every kind of fault, each lane's overlapping the other's.
const short = { seed: 3309, minutes: 0.5, clients: 100, nodes: 5 };
const kinds = actions.map(({ name }) => name);
const limitMs = 240_000;

describe.skipIf(lacksRedis)('a fleet under chaos', () => {
  it(
    'has every client connected in the end, no lease lost or doubled, and what operators said last',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'herald-chaos-'));
      const flags = Object.entries(short).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const args = ['--import', 'tsx', 'test/chaos/run.ts', ...flags, '--folder', folder, '--quiet'];
      const run = startProcess(process.execPath, args);
      // It ends what it has started; SIGKILL could not.
      onTestFinished(() => void run.child.kill('SIGTERM'));
      const { code, stdout, stderr } = await run.ended(limitMs - 20_000);
      // Where it broke something its own text says what, and its logs stay.
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as ChaosReport;
      expect(report.violations).toEqual([]);
      expect(report.invariants.map(({ name }) => name)).toEqual(invariantNames());
      expect(report.invariants.filter(({ checked }) => checked === 0)).toEqual([]);
      // What could not be done says why: a machine that is slow to start processes has none to kill for a while.
      const { done, passedOver } = report.faults;
      expect([...Object.keys(done), ...Object.keys(passedOver).map((why) => why.split(':', 1)[0])]).toEqual(
        expect.arrayContaining(kinds),
      );
      expect(Object.keys(done).length).toBeGreaterThanOrEqual(kinds.length - 3);
      rmSync(folder, { recursive: true, force: true });
    },
    limitMs,
  );
});

describe('the schedule of a run', () => {
  const occasion = { seed: 4711, forMs: 240_000, nodes: 6 };

  it('is the same for the same seed and another for another', () => {
    expect(scheduleOf(occasion)).toEqual(scheduleOf(occasion));
    expect(scheduleOf(occasion)).not.toEqual(scheduleOf({ ...occasion, seed: 4712 }));
  });

  it('has every action in four minutes, and one fault of a lane at a time', () => {
    const { faults } = scheduleOf(occasion);
    expect(new Set(faults.map(({ action }) => action))).toEqual(new Set(actions.map(({ name }) => name)));
    for (const lane of ['state', 'process']) {
      const ofLane = faults.filter((fault) => fault.lane === lane);
      for (const [index, { atMs }] of ofLane.entries()) {
        const before = ofLane[index - 1];
        if (before !== undefined) expect(atMs).toBeGreaterThan(before.atMs + before.lastsMs);
      }
    }
  });

  it('never has more than two nodes not ready', () => {
    const states = new Map<string, string>();
    for (const { word } of scheduleOf(occasion).words) {
      if (word.kind === 'node') states.set(word.node, word.state);
      expect([...states.values()].filter((state) => state !== 'ready').length).toBeLessThanOrEqual(2);
    }
    expect(states.size).toBeGreaterThan(2);
  });
});

describe('docs/chaos.md', () => {
  it('lists every action and every invariant as the code has them', () => {
    const page = readFileSync('docs/chaos.md', 'utf8').replaceAll(/\s+/g, ' ');
    for (const { name, about } of actions) {
      expect(page).toContain(`\`${name}\``);
      expect(page).toContain(about);
    }
    for (const name of invariantNames()) expect(page).toContain(`\`${name}\` | ${invariants[name][1]}`);
  });
});

describe('what must stand after words of operators', () => {
  const ranks = ['ready', 'drain', 'maint'];
  const all = ['lb-1', 'lb-2'];
  const told = { isAnswered: true, atMs: 1, isApartFrom: () => false };
  const apart = { ...told, isApartFrom: () => true };

  it('is the last one where one balancer was told both', () => {
    const wishes = new Wishes(ranks, all);
    wishes.say('maint', { ...told, to: 'lb-1' });
    wishes.say('drain', { ...told, to: 'lb-1' });
    expect(wishes.allowed).toEqual(['drain']);
  });

  it('is the more restrictive one where no word could pass between the two', () => {
    const wishes = new Wishes(ranks, all);
    wishes.say('maint', { ...apart, to: 'lb-1' });
    wishes.say('drain', { ...apart, to: 'lb-2' });
    expect(wishes.allowed).toEqual(['maint']);
  });

  it('is either where nobody has seen whether the second had heard of the first, but never less than the last', () => {
    const wishes = new Wishes(ranks, all);
    wishes.say('maint', { ...told, to: 'lb-1' });
    wishes.say('drain', { ...told, to: 'lb-2' });
    expect(wishes.allowed.toSorted()).toEqual(['drain', 'maint']);
    wishes.settle('drain', all);
    expect(wishes.allowed).toEqual(['drain']);
  });

  it('is the last one where the second balancer was seen with the first wish before it was told another', () => {
    const wishes = new Wishes(ranks, all);
    wishes.say('maint', { ...told, to: 'lb-1' });
    wishes.witness('lb-2', 'maint');
    wishes.say('drain', { ...told, to: 'lb-2' });
    expect(wishes.allowed).toEqual(['drain']);
  });

  it('is what was wanted last where the other wish only repeated what its balancer had', () => {
    const wishes = new Wishes(ranks, all);
    wishes.settle('maint', all);
    wishes.say('maint', { ...apart, to: 'lb-1' });
    wishes.say('ready', { ...apart, to: 'lb-2' });
    expect(wishes.allowed).toEqual(['ready']);
  });

  it('may be the less restrictive one where the other may only have repeated what its balancer had', () => {
    const wishes = new Wishes(ranks, all);
    wishes.settle('maint', all);
    wishes.say('drain', { ...apart, to: 'lb-1' });
    wishes.say('maint', { ...apart, to: 'lb-2' });
    expect(wishes.allowed.toSorted()).toEqual(['drain', 'maint']);
  });

  it('may be what was before, though a balancer shows the last one: it may show one of before that', () => {
    const wishes = new Wishes(ranks, all);
    wishes.settle('ready', all);
    wishes.say('maint', { ...told, to: 'lb-1' });
    wishes.say('ready', { ...told, to: 'lb-1' });
    wishes.witness('lb-2', 'ready');
    wishes.forget('lb-1');
    expect(wishes.allowed.toSorted()).toEqual(['maint', 'ready']);
  });

  it('may be a drain that was asked for again: where the first is over it begins anew', () => {
    const wishes = new Wishes(ranks, all);
    wishes.settle('drain', all);
    wishes.say('drain', { ...apart, to: 'lb-2' });
    expect(wishes.allowed).toEqual(['drain']);
    wishes.say('ready', { ...apart, to: 'lb-1' });
    expect(wishes.allowed.toSorted()).toEqual(['drain', 'ready']);
    wishes.settle('drain', all);
    wishes.say('ready', { ...apart, to: 'lb-1' });
    expect(wishes.allowed).toEqual(['ready']);
  });

  it('may be what was before when the only one who was told has ended', () => {
    const wishes = new Wishes(ranks, all);
    wishes.say('drain', { ...told, to: 'lb-1' });
    wishes.forget('lb-1');
    expect(wishes.allowed.toSorted()).toEqual(['drain', 'ready']);
  });
});

describe('the judges of a run', () => {
  it('explain the end of a connection by what hit it, and by nothing before or after', () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-chaos-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const journal = new Journal(join(folder, 'journal.txt'), true);
    journal.happenings.push({
      kind: 'nodeKilled',
      who: 'n-1',
      fromMs: 50_000,
      untilMs: 50_000,
      left: Infinity,
    });
    journal.happenings.push({ kind: 'drain', who: 'n-2', fromMs: 10_000, untilMs: 90_000, left: Infinity });
    const ended = { balancer: 'lb-1', node: 'n-1', fromMs: 20_000, untilMs: 50_200 };
    expect(journal.explainsCut(ended)).toBe(true);
    expect(journal.explainsCut({ ...ended, node: 'n-2' })).toBe(false);
    expect(journal.explainsCut({ ...ended, fromMs: 60_000, untilMs: 61_000 })).toBe(false);
    expect(journal.explainsCut({ ...ended, untilMs: 49_000 })).toBe(false);
    expect(journal.explainsGoodbye(ended)).toBe(false);
    expect(journal.explainsGoodbye({ ...ended, node: 'n-2' })).toBe(true);
  });

  it('let a worker that was killed explain as many ends as it had connections', () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-chaos-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const journal = new Journal(join(folder, 'journal.txt'), true);
    journal.happenings.push({ kind: 'workerKilled', who: 'lb-1', fromMs: 5000, untilMs: 5000, left: 2 });
    const ended = { balancer: 'lb-1', node: 'n-1', fromMs: 1000, untilMs: 5100 };
    const explained = [1, 2, 3].map(() => journal.explainsCut(ended));
    expect(explained).toEqual([true, true, false]);
  });

  it('tell each finding with its instant, and count what they looked at', () => {
    const told: string[] = [];
    const verdicts = new Verdicts(
      () => 1234,
      (line) => told.push(line),
    );
    verdicts.check('echo', true, () => 'not asked');
    verdicts.check('echo', false, () => 'heard something else');
    expect([verdicts.checked('echo'), verdicts.broken('echo')]).toEqual([2, 1]);
    expect(verdicts.violations).toEqual([{ invariant: 'echo', atMs: 1234, seen: 'heard something else' }]);
    expect(told).toEqual(['VIOLATED echo: heard something else']);
  });
});
