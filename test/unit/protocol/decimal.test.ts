import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readDecimal } from '../../../src/protocol/decimal.ts';

it.each([
  ['0', 0],
  ['-0', 0],
  ['12', 12],
  ['+12.5', 12.5],
  ['.5', 0.5],
  ['5.', 5],
  ['1.2e3', 1200],
  ['1E-2', 0.01],
])('%s is %d', (text, value) => {
  expect(readDecimal(text)).toBe(value);
});

it.each([
  '',
  ' 1',
  '1 ',
  '0x10',
  '1_000',
  '1,5',
  'NaN',
  'Infinity',
  '1e999',
  '1e1000',
  '--1',
  '.',
  'e5',
  '12ms',
])('%j is no decimal number', (text) => {
  expect(readDecimal(text)).toBeUndefined();
});

it('a number of a thousand digits is refused', () => {
  expect(readDecimal('1'.repeat(1000))).toBeUndefined();
});

it('what is read is finite and never -0', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
      const value = readDecimal(text);
      if (value === undefined) return;
      expect(Number.isFinite(value)).toBe(true);
      expect(Object.is(value, -0)).toBe(false);
    }),
  );
});
