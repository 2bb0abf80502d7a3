import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../src/protocol/label-pattern.ts';

function matches(pattern: string, value: string): boolean {
  const compiled = compilePattern(pattern);
  if (!('value' in compiled)) throw new Error(compiled.message);
  return compiled.value(value);
}

describe('a pattern for labels', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a', 'ba', false],
    ['a|b', 'b', true],
    ['a|', '', true],
    ['a.c', 'abc', true],
    ['a.c', 'a\nc', true],
    ['.', '😀', true],
    ['5..', '503', true],
    ['a*', 'aaa', true],
    ['a+', '', false],
    ['ab?c', 'ac', true],
    ['a+?b*?', 'aab', true],
    ['(ab)*c', 'ababc', true],
    ['(ab)*c', 'abac', false],
    ['(?:x|yz)+', 'xyzx', true],
    ['(a*)*', 'aaaa', true],
    ['(a|b|)*', 'abba', true],
    ['^a$', 'a', true],
    ['[a-c]+', 'abc', true],
    ['[^a-c]+', 'xyz', true],
    ['[^a-c]', 'b', false],
    ['[a-]', '-', true],
    ['[-a]', '-', true],
    ['[\\]\\d]+', ']5', true],
    ['[.]', 'x', false],
    ['\\d+\\.\\d+', '1.25', true],
    ['\\w+', 'a_9', true],
    ['\\w', '-', false],
    ['\\D\\W\\S', 'a-b', true],
    ['\\s\\t\\n', ' \t\n', true],
    ['10\\.0\\.0\\.1:80', '10.0.0.1:80', true],
    ['10\\.0\\.0\\.1', '10x0.0.1', false],
    ['größe', 'größe', true],
    ['}', '}', true],
  ])('%j on %j: %s', (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected);
  });

  it.each([
    ['a{2}', 'a repeat count {}'],
    ['(?i)a', 'a group that begins with (?'],
    ['(?=a)', 'a group that begins with (?'],
    ['(a', 'a ( that is not closed'],
    ['a)', 'a ) that closes nothing'],
    ['[a', 'a [ that is not closed'],
    ['[a-', 'a [ that is not closed'],
    ['[]', 'brackets with nothing between'],
    ['[z-a]', 'a range that ends before it begins'],
    ['[\\d-z]', undefined],
    ['[[:alpha:]]', 'a class such as [[:alpha:]]'],
    ['*a', 'a * that repeats nothing'],
    ['a**', 'a second repetition *'],
    ['a+*', 'a second repetition *'],
    ['(a)\\1', 'an escape \\1'],
    ['\\bx', 'an escape \\b'],
    ['\\', 'an escape \\'],
    ['a^b', 'a ^ inside'],
    ['a$b', 'a $ inside'],
  ])('%j is told: %s', (pattern, message) => {
    const compiled = compilePattern(pattern);
    if (message === undefined) expect(compiled).toHaveProperty('value');
    else expect(compiled).toHaveProperty('message', expect.stringContaining(message));
  });

  it('a pattern beyond 200 characters is refused', () => {
    expect(compilePattern('a'.repeat(201))).toHaveProperty('message');
    expect(compilePattern('('.repeat(100) + ')'.repeat(100))).toHaveProperty('value');
  });

  it('ends on values that stop an engine that backtracks', () => {
    const value = `${'a'.repeat(5000)}!`;
    for (const pattern of ['(a+)+', '(a|a)*', '(a*)*b', '(.*)*x', '(a?a?a?)*b']) {
      expect(matches(pattern, value)).toBe(false);
    }
  });

  it("agrees with the language's own engine on small patterns", () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', '(a|)', '\\d', '\\w');
    const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '*?')).map(([one, sign]) => one + sign);
    const branch = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const pattern = fc.array(branch, { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|'));
    const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, value, (text, subject) => {
        expect(matches(text, subject)).toBe(new RegExp(`^(?:${text})$`, 's').test(subject));
      }),
      { numRuns: 500 },
    );
  });

  it('is compiled or refused, whatever the text', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'ab()[]|*+?\\^$.{-:') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), noise), fc.string(), (text, value) => {
        const compiled = compilePattern(text);
        if ('value' in compiled) expect(typeof compiled.value(value)).toBe('boolean');
        else expect(compiled.message).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 500 },
    );
  });
});
