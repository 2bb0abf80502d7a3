import { describe, expect, it } from 'vitest';
import { readPolicy } from '../../../src/policy/compile-policy.ts';
import { formatProblem, sortProblems } from '../../../src/policy/problem.ts';

const head = 'apiVersion: herald/v1\nkind: Policy\nname: chat\n';

/** The problems of a policy whose body starts on line 4. */
function problemsOf(body: string): string[] {
  return sortProblems(readPolicy('p.yaml', head + body).problems).map(formatProblem);
}

describe('a policy file', () => {
  it('has every problem told at once, each with its place and a hint', () => {
    const body = `signals:
  cpu: { saturation: 80 }
  eventLoopLagg: { saturation: 50ms }
plaec: { picker: p2c }
place:
  picker: p3c
  attempts: 11
  slowStart: 5 minutes
health: { passive: 5 }
`;
    expect(problemsOf(body)).toEqual([
      'p.yaml:5:22 signals.cpu.saturation: 80 has no unit (write 80%)',
      'p.yaml:6:3 signals.eventLoopLagg: unknown signal (did you mean eventLoopLag? A custom signal of this name states its kind)',
      'p.yaml:6:32 signals.eventLoopLagg.saturation: "50ms" has a unit, and this signal is a custom one (write 50, in the unit that the signal is reported in)',
      'p.yaml:7:1 plaec: unknown key (did you mean place?)',
      'p.yaml:9:11 place.picker: "p3c" is not one of waterfill, p2c, least, leastConnections, roundRobin, random (did you mean p2c?)',
      'p.yaml:10:13 place.attempts: 11 is too large (at most 10)',
      'p.yaml:11:14 place.slowStart: "5 minutes" is not a duration (such as 500ms, 1s, 5m, 2h)',
      'p.yaml:12:20 health.passive: expected a mapping, got 5',
    ]);
  });

  it.each([
    ['score: { smooting: 1s }', 'p.yaml:4:10 score.smooting: unknown key (did you mean smoothing?)'],
    [
      'scale: { down: { zzzzzzzz: 1 } }',
      'p.yaml:4:18 scale.down.zzzzzzzz: unknown key (known: after, step, drain)',
    ],
    ['score:', 'p.yaml:4:1 score: expected a mapping, got nothing (leave the key out for its default)'],
    ['reports: []', 'p.yaml:4:10 reports: expected a mapping, got a list'],
    ['place: { attempts: 1.5 }', 'p.yaml:4:20 place.attempts: expected a whole number, got 1.5'],
    ['place: { attempts: 0 }', 'p.yaml:4:20 place.attempts: 0 is too small (at least 1)'],
    ['place: { maxShare: 0% }', 'p.yaml:4:20 place.maxShare: "0%" is too small (at least 1%)'],
    ['place: { slowStart: 2h }', 'p.yaml:4:21 place.slowStart: "2h" is too large (at most 1h)'],
    ['place: { horizon: 10 }', 'p.yaml:4:19 place.horizon: 10 has no unit (write 10s or 10ms, or auto)'],
    [
      'reports: { interval: 10s, expiry: 10s }',
      'p.yaml:4:35 reports.expiry: data would expire before the next report (more than interval, 10s)',
    ],
    ['scale: { min: 5, max: 3 }', 'p.yaml:4:23 scale.max: 3 is below min (at least min, 5)'],
    ['scale: { target: 0% }', 'p.yaml:4:18 scale.target: "0%" is too small (at least 1%)'],
    [
      'scale: { down: { step: 0 } }',
      'p.yaml:4:24 scale.down.step: 0 is no step (1 to 10000 nodes, 1% to 100% of them, or all)',
    ],
    [
      'scale: { up: { step: 0 } }',
      'p.yaml:4:22 scale.up.step: 0 is no step (1 to 10000 nodes, 1% to 100% of them, or all)',
    ],
    [
      'scale: { up: { step: al } }',
      'p.yaml:4:22 scale.up.step: "al" is no step (1 to 10000 nodes, 1% to 100% of them, or all)',
    ],
    [
      'scale: { max: 3, survive: 3 }',
      'p.yaml:4:27 scale.survive: nothing would be left when 3 of at most 3 are lost (less than max, 3)',
    ],
    [
      'scale: { startTime: 3m, down: { after: 2m } }',
      'p.yaml:4:40 scale.down.after: a node would be taken away sooner than one can be started (at least startTime, 3m)',
    ],
    [
      'scale: { startTime: 10m }',
      'p.yaml:4:8 scale.down.after: a node would be taken away sooner than one can be started (at least startTime, 10m)',
    ],
    ['scale: { surviveOf: rack }', 'p.yaml:4:21 scale.surviveOf: "rack" is not one of node, zone'],
    [
      'scale: { victims: oldest }',
      'p.yaml:4:19 scale.victims: "oldest" is not one of any, ordinal, external',
    ],
    [
      'health: { check: { kind: http } }',
      'p.yaml:4:18 health.check.path: is missing (http asks for a path, such as path: /healthz)',
    ],
    [
      'health: { check: { kind: tcp, path: /x } }',
      'p.yaml:4:37 health.check.path: has no use with tcp (write kind: http)',
    ],
    [
      'health: { check: { timeout: 6s } }',
      'p.yaml:4:29 health.check.timeout: is longer than interval (checks of one node would overlap)',
    ],
    [
      'health: { check: { path: healthz } }',
      'p.yaml:4:26 health.check.path: "healthz" is not a path (it starts with / and has no spaces, such as /healthz)',
    ],
    [
      'health: { passive: { maxEjected: 0% } }',
      'p.yaml:4:34 health.passive.maxEjected: nothing may be ejected (write errors: 0 to eject nothing)',
    ],
    ['affinity: { name: x }', 'p.yaml:4:19 affinity.name: needs a kind (add kind: cookie)'],
    ['affinity: { bound: 150% }', 'p.yaml:4:20 affinity.bound: needs a kind (add kind: header)'],
    [
      'affinity: { kind: header }',
      'p.yaml:4:11 affinity.name: is missing (header needs one: letters, digits and -, such as X-Session)',
    ],
    [
      'affinity: { kind: query, name: "a=b" }',
      'p.yaml:4:32 affinity.name: "a=b" is not the name of a parameter (letters, digits and . _ ~ -, such as session)',
    ],
    [
      'affinity: { kind: path }',
      'p.yaml:4:11 affinity.segment: is missing (path needs to know which, such as segment: 3)',
    ],
    ['affinity: { kind: path, segment: 0 }', 'p.yaml:4:34 affinity.segment: 0 is too small (at least 1)'],
    [
      'affinity: { kind: source, secure: auto }',
      'p.yaml:4:35 affinity.secure: has no use with kind: source (it goes with cookie)',
    ],
    [
      'affinity: { kind: cookie, bound: 150% }',
      'p.yaml:4:34 affinity.bound: has no use with kind: cookie (it goes with header, query, path, source)',
    ],
    [
      'affinity: { kind: cookie, sameSite: none }',
      'p.yaml:4:37 affinity.sameSite: none is refused by browsers without Secure (add secure: always)',
    ],
    [
      'affinity: { kind: cookie, name: "a b" }',
      'p.yaml:4:33 affinity.name: "a b" is not a cookie name (letters, digits, _ and -, such as herald)',
    ],
    [
      'signals: { eventLoopLag: {} }',
      'p.yaml:4:10 signals: no signal is additive, so nothing says how full a node is (add cpu, or kind: additive to a custom signal)',
    ],
    [
      'signals: { throughput: {} }',
      'p.yaml:4:24 signals.throughput.saturation: auto is learned from another additive signal (add cpu, or write a rate such as 7000/s)',
    ],
    [
      'signals: { cpu: {}, queueDelayMs: { saturation: 0 } }',
      'p.yaml:4:49 signals.queueDelayMs.saturation: 0 is not a saturation (a number above 0, up to 1e12)',
    ],
    ['signals: { cpu: {}, queueDelayMs: {} }', 'p.yaml:4:35 signals.queueDelayMs.saturation: is missing'],
    ['signals: { cpu: { kind: additive } }', 'p.yaml:4:19 signals.cpu.kind: unknown key (known: saturation)'],
    [
      'signals: { cpu: {}, eventLoopLagMs: { saturation: 5 } }',
      'p.yaml:4:21 signals.eventLoopLagMs: unknown signal (did you mean eventLoopLag? A custom signal of this name states its kind)',
    ],
    [
      'signals: { cpu: {}, "1st": { saturation: 5 } }',
      'p.yaml:4:21 signals.1st: is not a name of a custom signal (it must start with a letter and hold at most 64 letters, digits and _)',
    ],
    [
      'score: { weights: { cpuu: 2 } }',
      'p.yaml:4:21 score.weights.cpuu: is no additive signal of this policy (did you mean cpu?)',
    ],
  ])('%s', (body, problem) => {
    expect(problemsOf(body)).toEqual([problem]);
  });

  it('takes at most 32 custom signals', () => {
    const names = Array.from({ length: 33 }, (_, index) => `custom${index}Ms: { saturation: 1 }`);
    expect(problemsOf(`signals: { cpu: {}, ${names.join(', ')} }`)).toEqual([
      'p.yaml:4:10 signals: 33 custom signals (at most 32)',
    ]);
  });

  it.each([1000, 1003, 1007, 1012, 1014, 3000, 4999])('may say goodbye with %d', (code) => {
    expect(problemsOf(`drain: { closeCode: ${code} }`)).toEqual([]);
  });

  it.each([
    ['5', 'drain.closeReason: 5 is no text (such as reconnect)'],
    [`"${'x'.repeat(101)}"`, 'drain.closeReason: is too long (at most 100 bytes on one line)'],
    ['"two\\nlines"', 'drain.closeReason: has a control character (at most 100 bytes on one line)'],
  ])('may not say goodbye in the words %s', (words, problem) => {
    expect(problemsOf(`drain: { closeReason: ${words} }`)).toEqual([`p.yaml:4:23 ${problem}`]);
  });

  it.each(['""', 'reconnect', '"please come back, grüße"'])('may say goodbye in the words %s', (words) => {
    expect(problemsOf(`drain: { closeReason: ${words} }`)).toEqual([]);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 1012.5])('may not say goodbye with %d', (code) => {
    expect(problemsOf(`drain: { closeCode: ${code} }`)).toEqual([
      `p.yaml:4:21 drain.closeCode: ${code} is not a close code that may be sent (1012 restarts, 1001 goes away, 3000 to 4999 are yours)`,
    ]);
  });

  it('tells of the header alone when the file is of another kind', () => {
    const { problems } = readPolicy('p.yaml', 'apiVersion: herald/v1\nkind: Config\npools: {}\n');
    expect(problems.map(formatProblem)).toEqual([
      'p.yaml:2:7 kind: this is a Config, expected a Policy (write kind: Policy, or move the file)',
    ]);
  });

  it('needs apiVersion, kind and name', () => {
    expect(readPolicy('p.yaml', 'kinds: x\n').problems.map(formatProblem)).toEqual([
      'p.yaml:1:1 apiVersion: is missing (write apiVersion: herald/v1)',
      'p.yaml:1:1 kind: is missing (write kind: Policy)',
      'p.yaml:1:1 name: is missing',
      'p.yaml:1:1 kinds: unknown key (did you mean kind?)',
    ]);
  });

  it('is told which version and kind are known', () => {
    const text = 'apiVersion: herald/v2\nkind: Polcy\nname: 5\n';
    expect(readPolicy('p.yaml', text).problems.map(formatProblem)).toEqual([
      'p.yaml:1:13 apiVersion: unknown version (this Herald reads herald/v1)',
      'p.yaml:2:7 kind: unknown kind (did you mean Policy?)',
      'p.yaml:3:7 name: 5 is not a name (write "5")',
    ]);
  });

  // What broke: a mapping with a key `toString` cannot be turned into text, and throws.
  it('survives values that cannot be turned into text', () => {
    const text = 'apiVersion: { toString: 1 }\nkind: { toString: 1 }\nname: { toString: 1 }\n';
    expect(readPolicy('p.yaml', text).problems.map(formatProblem)).toEqual([
      'p.yaml:1:13 apiVersion: unknown version (this Herald reads herald/v1)',
      'p.yaml:2:7 kind: unknown kind (write kind: Policy)',
      'p.yaml:3:7 name: a mapping is not a name (letters, digits and . _ : -, at most 64)',
    ]);
    expect(problemsOf('place: { picker: { toString: 1 } }')).toHaveLength(1);
  });

  it('takes weights for what is additive', () => {
    expect(problemsOf('score: { combine: mean, weights: { cpu: 2, throughput: 0.5 } }')).toEqual([]);
    expect(problemsOf('score: { weights: { cpu: 0 } }')).toEqual([
      'p.yaml:4:26 score.weights.cpu: 0 is too small (more than 0)',
    ]);
  });

  it('names the bounds of shares per second', () => {
    expect(problemsOf('rebalance: { rate: 101%/s }')).toEqual([
      'p.yaml:4:20 rebalance.rate: "101%/s" is too large (at most 100%/s)',
    ]);
    expect(problemsOf('rebalance: { rate: 0.1 }')).toEqual([
      'p.yaml:4:20 rebalance.rate: 0.1 has no unit (write 0.1%/s)',
    ]);
  });
});
