import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readQuantity, units, type UnitName } from '../../../src/policy/quantity.ts';

const anything = { min: 0, max: Number.MAX_SAFE_INTEGER };

describe('readQuantity', () => {
  it.each<[UnitName, string, number]>([
    ['duration', '500ms', 500],
    ['duration', '1s', 1000],
    ['duration', '1.1s', 1100],
    ['duration', '5m', 300_000],
    ['duration', '2h', 7_200_000],
    ['duration', '0s', 0],
    ['percentage', '80%', 0.8],
    ['percentage', '0.1%', 0.001],
    ['percentage', '110%', 1.1],
    ['rate', '200/s', 200],
    ['rate', '0.5/s', 0.5],
    ['share', '0.1%/s', 0.001],
  ])('reads a %s of %s as %d', (unit, text, value) => {
    expect(readQuantity(unit, text, anything)).toEqual({ value });
  });

  it.each<[UnitName, number, string]>([
    ['duration', 5, 'write 5s or 5ms'],
    ['duration', 0, 'write 0s or 0ms'],
    ['percentage', 80, 'write 80%'],
    ['percentage', 0.8, 'write 80%'],
    ['rate', 200, 'write 200/s'],
    ['share', 0.1, 'write 0.1%/s'],
  ])('refuses a bare number as a %s: %d', (unit, bare, hint) => {
    expect(readQuantity(unit, bare, anything)).toEqual({ message: `${bare} has no unit`, hint });
  });

  it.each(['5 s', '5sec', '-5s', '1e3s', '5', '.5s', '5s ', '1h30m', '٣s', ''])(
    'refuses %j as a duration',
    (text) => {
      expect(readQuantity('duration', text, anything)).toEqual({
        message: `${JSON.stringify(text)} is not a duration`,
        hint: 'such as 500ms, 1s, 5m, 2h',
      });
    },
  );

  it.each([null, true, [], {}, NaN, Infinity])('refuses %j as a duration', (value) => {
    expect(readQuantity('duration', value, anything)).toHaveProperty('message');
  });

  it('names the bound that a value passes', () => {
    const bounds = { min: 100, max: 60_000 };
    expect(readQuantity('duration', '99ms', bounds)).toMatchObject({ hint: 'at least 100ms' });
    expect(readQuantity('duration', '61s', bounds)).toMatchObject({ hint: 'at most 1m' });
    expect(readQuantity('duration', `${'9'.repeat(400)}s`, bounds)).toMatchObject({ hint: 'at most 1m' });
  });

  it('refuses fractions of a millisecond', () => {
    expect(readQuantity('duration', '1.4ms', anything)).toMatchObject({ hint: 'write 1ms' });
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (value) => {
        expect(readQuantity('duration', units.duration.write(value), anything)).toEqual({ value });
        expect(readQuantity('rate', units.rate.write(value), anything)).toEqual({ value });
      }),
    );
  });
});
