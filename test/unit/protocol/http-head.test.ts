import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fieldText,
  isToken,
  joinedValue,
  listHas,
  parseFields,
  valuesOf,
} from '../../../src/protocol/http-head.ts';

describe('parseFields', () => {
  it('gives names and values as sent, without the blanks around values', () => {
    expect(parseFields('Host: a\r\nX:\t b c \t\r\nEmpty:\r\n\r\n', 0)).toEqual([
      'Host',
      'a',
      'X',
      'b c',
      'Empty',
      '',
    ]);
  });

  it('gives no fields for a head that has none', () => {
    expect(parseFields('\r\n', 0)).toEqual([]);
  });

  it('keeps bytes above 127, U+00A0 at the end included', () => {
    expect(parseFields('X: caf\xe9\xa0\r\n\r\n', 0)).toEqual(['X', 'caf\xe9\xa0']);
  });

  it.each([
    ['a folded line', 'X: a\r\n b\r\n\r\n'],
    ['a space before the colon', 'X : a\r\n\r\n'],
    ['an empty name', ': a\r\n\r\n'],
    ['a line without a colon', 'X\r\nY: a\r\n\r\n'],
    ['a name with a byte above 127', 'X\xe9: a\r\n\r\n'],
    ['a bare LF', 'X: a\nY: b\r\n\r\n'],
    ['a bare CR', 'X: a\rb\r\n\r\n'],
    ['a NUL', 'X: a\0\r\n\r\n'],
    ['a DEL', 'X: a\x7f\r\n\r\n'],
    ['no empty line', 'X: a\r\n'],
    ['no line end', 'X: a'],
    ['bytes behind the empty line', 'X: a\r\n\r\nY: b\r\n'],
  ])('refuses %s', (_name, text) => {
    expect(parseFields(text, 0)).toBeUndefined();
  });

  it('reads back what fieldText wrote', () => {
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
    const value = fc.stringMatching(
      /^([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
        const fields = pairs.flat();
        expect(parseFields(`${fieldText(fields)}\r\n`, 0)).toEqual(fields);
      }),
    );
  });

  it('never gives a name or value with a control character but tab, whatever it reads', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ':', ' ', '\t', '\r', '\n', '\0', '\xff', '\r\n') }),
        (text) => {
          const fields = parseFields(`${text}\r\n\r\n`, 0) ?? [];
          // oxlint's no-control-regex is about accidents; here control characters are the point.
          expect(fields.filter((part) => [...part].some((c) => c < ' ' && c !== '\t'))).toEqual([]);
        },
      ),
    );
  });
});

describe('questions about fields', () => {
  const fields = ['Accept', 'a', 'X', '1', 'accept', 'b'];

  it('finds all values of a name in any case', () => {
    expect(valuesOf(fields, 'accept')).toEqual(['a', 'b']);
    expect(joinedValue(fields, 'accept')).toBe('a, b');
    expect(joinedValue(fields, 'none')).toBe('');
  });

  it('finds a member of a list', () => {
    expect(listHas('keep-alive, Upgrade', 'upgrade')).toBe(true);
    expect(listHas('UPGRADE', 'upgrade')).toBe(true);
    expect(listHas('upgraded', 'upgrade')).toBe(false);
    expect(listHas('', 'upgrade')).toBe(false);
  });

  it('knows tokens', () => {
    expect(['GET', 'x-y', ''].map(isToken)).toEqual([true, true, false]);
  });
});
