import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../src/core/error.ts';
import { readConfig } from '../../../src/policy/compile-config.ts';
import { parsePolicy, readPolicy } from '../../../src/policy/compile-policy.ts';
import { formatProblem } from '../../../src/policy/problem.ts';
import { parseYaml } from '../../../src/policy/yaml-document.ts';

const head = 'apiVersion: herald/v1\nkind: Policy\nname: chat\n';

function problemsOf(text: string): string[] {
  return readPolicy('p.yaml', text).problems.map(formatProblem);
}

describe('a text that is no sound YAML', () => {
  const empty = 'p.yaml:1:1: the file is empty (it needs apiVersion, kind and the rest)';
  it.each([
    ['is empty', '', empty],
    ['has only comments', '# nothing\n', empty],
    ['has only a document start', '---\n', empty],
    [
      'is a list',
      '- a\n',
      'p.yaml:1:1: the file is not a mapping (start with apiVersion: herald/v1 and kind: Policy)',
    ],
    [
      'is one word',
      'chat',
      'p.yaml:1:1: the file is not a mapping (start with apiVersion: herald/v1 and kind: Policy)',
    ],
    [
      'starts with a byte order mark',
      `\uFEFF${head}`,
      'p.yaml:1:1: the file starts with a byte order mark (save it as UTF-8 without BOM)',
    ],
    [
      'is indented by a tab',
      `${head}score:\n\tcombine: max\n`,
      'p.yaml:5:1: a tab cannot indent YAML (use spaces)',
    ],
    [
      'repeats a key',
      `${head}score: {}\nscore: {}\n`,
      'p.yaml:5:1 score: this key is here twice (keep one of them)',
    ],
    [
      'holds two documents',
      `${head}---\n${head}`,
      'p.yaml:4:1: a second document starts here (put each into a file of its own)',
    ],
    [
      'uses an alias without anchor',
      `${head}score: *x\n`,
      'p.yaml:4:8: unresolved alias (the anchor must be set before the alias): x (quote text that starts with *)',
    ],
    [
      'has an unknown tag',
      `${head}score: !!js/function {}\n`,
      'p.yaml:4:8: unknown tag (write plain values)',
    ],
    [
      'starts text with a reserved character',
      `${head}score: @x\n`,
      'p.yaml:4:8: text cannot start with this character (put it in quotes)',
    ],
    ['has a NUL', `${head}score: \u0000\n`, 'p.yaml:4:8: control character U+0000 (remove it)'],
    [
      'has an escape character',
      `${head}score: "\u001B[31m"\n`,
      'p.yaml:4:9: control character U+001B (remove it)',
    ],
    [
      'is larger than 1 MiB',
      ' '.repeat(1024 * 1024 + 1),
      'p.yaml: the file is larger than 1 MiB (a policy needs a few KiB)',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('tells of an IPv6 address that lacks its quotes', () => {
    const text = 'apiVersion: herald/v1\nkind: Config\nlisteners:\n  - bind: [::1]:8080\n';
    expect(readConfig('h.yaml', text, {}).problems.map(formatProblem)).toEqual([
      'h.yaml:4:16: this does not belong here (put text with [ ] { } : or # in quotes)',
    ]);
  });

  it('refuses an alias bomb', () => {
    const rows = ['a0: &a0 [x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      rows.push(`a${level}: &a${level} [${Array.from({ length: 8 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    expect(problemsOf(rows.join('\n'))).toEqual([
      'p.yaml:1:1: aliases repeat too much of this file (at most 100 values by alias)',
    ]);
  });

  it('takes a few aliases and tells their place', () => {
    const { policy } = readPolicy('p.yaml', `${head}reports: { blackout: &long 20s, expiry: *long }\n`);
    expect(policy?.reports).toEqual({ intervalMs: 1000, blackoutMs: 20_000, expiryMs: 20_000 });
    expect(problemsOf(`${head}score: &s { combin: max }\nplace: *s\n`)).toContain(
      'p.yaml:4:13 place.combin: unknown key (known: picker, horizon, maxShare, attempts, slowStart, connectRate)',
    );
  });

  // What broke: 20,000 brackets did not throw but killed the process, in the middle of the parser's recursion.
  it.each([
    ['brackets', '['.repeat(20_000)],
    ['brackets beside quoted ones', '[ "]", '.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['question marks', '? '.repeat(20_000)],
    ['mappings in braces', '{a: '.repeat(20_000)],
    ['indentation', Array.from({ length: 1200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('refuses to go down thousands of %s', (_, text) => {
    expect(problemsOf(text)).toHaveLength(1);
    expect(problemsOf(text)[0]).toMatch(/nested too deeply/);
  });

  it('does not take brackets in text for nesting', () => {
    const block = `text: |\n${'  [[[[ {{{{ - - - -\n'.repeat(100)}`;
    expect(parseYaml('p.yaml', block).problems).toEqual([]);
    const oneLine = JSON.stringify(
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, [index]])),
    );
    expect(parseYaml('p.yaml', oneLine).problems).toEqual([]);
  });

  it('knows the place of every part', () => {
    const { source } = parseYaml('p.yaml', 'a:\n  - b: 1\n    "c d":   [x, yy]\n');
    expect(source?.locate(['a', 0, 'c d', 1], 'value')).toEqual({ file: 'p.yaml', line: 3, column: 18 });
    expect(source?.locate(['a', 0, 'c d'], 'key')).toEqual({ file: 'p.yaml', line: 3, column: 5 });
    expect(source?.locate(['a', 0, 'missing'], 'value')).toEqual({ file: 'p.yaml', line: 2, column: 5 });
  });

  it('does not let a key reach a prototype', () => {
    expect(problemsOf(`${head}__proto__: { polluted: true }\nconstructor: 1\n`)).toEqual([
      expect.stringContaining('p.yaml:4:1 __proto__: unknown key'),
      expect.stringContaining('p.yaml:5:1 constructor: unknown key'),
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

// Hundreds of parses each: a busy machine may need longer than the usual limit.
describe('whatever the text', { timeout: 60_000 }, () => {
  const word = fc.constantFrom(
    'apiVersion: herald/v1',
    'kind: Policy',
    'kind: Config',
    'name: x',
    'signals:',
    'cpu:',
    'saturation: 80%',
    'place: {',
    'pools:',
    'nodes: [',
    '}',
    ']',
    '- ',
    '? ',
    ': ',
    '&a ',
    '*a',
    '!!map ',
    '|',
    '>',
    '"',
    "'",
    '#',
    '---',
    '...',
    '%YAML 1.1',
    '\n',
    '\n  ',
    '\n    ',
    '\t',
    '__proto__: ',
    '<<: ',
    'null',
    '.nan',
    '1e999',
    '0x1F',
    '\uFEFF',
    '\u0000',
    '\r',
    '@',
    '`',
  );
  const soup = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));

  it('parsing gives a policy or a HeraldError with problems', () => {
    fc.assert(
      fc.property(
        fc.oneof(soup, fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 50 })),
        (text) => {
          try {
            expect(Object.isFrozen(parsePolicy('p.yaml', head + text))).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(HeraldError);
            expect(error).toHaveProperty('code', 'HERALD_CONFIG_INVALID');
            expect((error as HeraldError).message).not.toBe('');
          }
          expect(Array.isArray(readPolicy('p.yaml', text).problems)).toBe(true);
          const reading = readConfig('h.yaml', text, {});
          expect(reading.document === undefined).toBe(reading.problems.length > 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('any value in any place is a problem with a place, or taken', () => {
    const value = fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.stringify(json));
    const key = fc.constantFrom(
      'signals',
      'score',
      'reports',
      'place',
      'affinity',
      'drain',
      'rebalance',
      'scale',
      'health',
    );
    fc.assert(
      fc.property(key, value, (name, text) => {
        const { policy, problems } = readPolicy('p.yaml', `${head}${name}: ${text}\n`);
        expect(policy === undefined).toBe(problems.length > 0);
        for (const problem of problems) expect(problem.line).toBe(4);
      }),
      { numRuns: 150 },
    );
  });

  it('keys that objects have anyway do not throw, wherever they stand', () => {
    const key = fc.constantFrom(
      'toString',
      'valueOf',
      'length',
      'constructor',
      '__proto__',
      'name',
      'bind',
      'nodes',
    );
    const leaf = fc.constantFrom<unknown>(null, 5, -1, true, '', 'x', '127.0.0.1:80');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const section = fc.constantFrom(
      'listeners',
      'intake',
      'admin',
      'state',
      'log',
      'policies',
      'pools',
      'kind',
      'name',
    );
    fc.assert(
      fc.property(fc.dictionary(section, value, { maxKeys: 5 }), (sections) => {
        const text = Object.entries(sections).map(([name, part]) => `${name}: ${JSON.stringify(part)}\n`);
        const reading = readConfig('h.yaml', text.join(''), { HERALD_LOG_LEVEL: 'info' });
        expect(reading.problems.map(formatProblem).join('')).not.toBe('');
      }),
      { numRuns: 150 },
    );
  });
});
