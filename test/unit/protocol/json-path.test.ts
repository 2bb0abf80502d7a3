import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonPath, readAtPath } from '../../../src/protocol/json-path.ts';

describe('a JSON path', () => {
  it.each([
    ['', []],
    ['queue.delayMs', ['queue', 'delayMs']],
    ['workers[0].busy', ['workers', 0, 'busy']],
    ['[2]', [2]],
    ['["odd.name"]', ['odd.name']],
    ['["odd.name"].now', ['odd.name', 'now']],
    ['a["\\"\\u00e9"][10]', ['a', '"é', 10]],
    ['größe.jetzt', ['größe', 'jetzt']],
    ['a.0', ['a', '0']],
    ['a-b.c_d$', ['a-b', 'c_d$']],
  ])('%j is %j', (text, path) => {
    expect(parseJsonPath(text)).toEqual({ value: path });
  });

  it.each([
    ['.a', 1],
    ['a.', 2],
    ['a..b', 2],
    ['a[', 2],
    ['a[]', 2],
    ['a[-1]', 2],
    ['a[01]', 2],
    ['a[*]', 2],
    ["a['b']", 2],
    ['a["b]', 2],
    ['a["\\x"]', 2],
    ['a b', 2],
    ['[0]a', 4],
    ['a[9999999999]', 2],
  ])('%j is refused from character %i on', (text, character) => {
    expect(parseJsonPath(text)).toEqual({
      message: expect.stringContaining(`from character ${character} on`),
      hint: expect.stringContaining('workers[0].busy'),
    });
  });

  it('is told to leave out the $ of JSONPath', () => {
    expect(parseJsonPath('$.queue')).toMatchObject({ hint: expect.stringContaining('leave out $') });
    expect(parseJsonPath('$total')).toEqual({ value: ['$total'] });
  });

  it('is bounded in length and parts', () => {
    expect(parseJsonPath('a'.repeat(513))).toHaveProperty('message');
    expect(parseJsonPath(`a${'.a'.repeat(32)}`)).toHaveProperty('message');
    expect(parseJsonPath(`a${'.a'.repeat(31)}`)).toHaveProperty('value');
  });

  it('is read or refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a.[]"0\\ ') })), (text) => {
        const read = parseJsonPath(text);
        if ('value' in read) readAtPath({ a: [{ a: 1 }] }, read.value);
        else expect(read.message).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});

describe('reading at a path', () => {
  const root: unknown = JSON.parse(
    '{"queue":{"delayMs":3},"workers":[{"busy":2}],"__proto__":{"a":1},"no":null}',
  );

  it.each([
    [['queue', 'delayMs'], 3],
    [['workers', 0, 'busy'], 2],
    [['__proto__', 'a'], 1],
    [['no'], null],
  ])('finds what is at %j', (path, value) => {
    expect(readAtPath(root, path)).toEqual({ value });
  });

  it.each([
    [['queue', 'delay'], 'queue has no member "delay"'],
    [['nothing', 'here'], 'the document has no member "nothing"'],
    [['workers', 1], 'workers has 1 elements, no [1]'],
    [['workers', 'busy'], 'workers is an array, not an object'],
    [['queue', 0], 'queue is an object, not an array'],
    [['queue', 'delayMs', 'p99'], 'queue.delayMs is 3, not an object'],
    [['no', 'x'], 'no is null, not an object'],
    [['queue', 'constructor'], 'queue has no member "constructor"'],
    [['queue', 'toString'], 'queue has no member "toString"'],
  ])('says what is at %j instead', (path, missing) => {
    expect(readAtPath(root, path)).toEqual({ missing });
  });

  it('gives the document itself at the empty path', () => {
    expect(readAtPath(12, [])).toEqual({ value: 12 });
  });
});
