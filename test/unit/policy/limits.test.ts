import { describe, expect, it } from 'vitest';
import { limitsSchema } from '../../../src/policy/limits-schema.ts';
import { readQuantity, units } from '../../../src/policy/quantity.ts';

const bounds = { min: 1024, max: 1024 ** 3 };

describe('limits of a listener', () => {
  it('are off by default, but for the head', () => {
    expect(limitsSchema.parse({})).toEqual({
      connections: 'off',
      connectionsPerAddress: 'off',
      head: 16_384,
      body: 'off',
    });
  });

  it.each([
    [{ connections: 0 }, '0 is not a count'],
    [{ connectionsPerAddress: 'none' }, '"none" is not a count'],
    [{ head: 16_384 }, '16384 has no unit'],
    [{ head: '16kb' }, '"16kb" is not a size'],
    [{ head: '1KiB' }, '"1KiB" is too small'],
    [{ body: '2048GiB' }, '"2048GiB" is too large'],
  ])('have one clear error: %j', (limits, message) => {
    const { error } = limitsSchema.safeParse(limits);
    expect(error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe('a size', () => {
  it.each(['1024B', '16KiB', '256MiB', '1GiB'])('is read and written the same: %s', (text) => {
    const reading = readQuantity('size', text, bounds);
    if (!('value' in reading)) throw new Error(reading.message);
    expect(readQuantity('size', units.size.write(reading.value), bounds)).toEqual(reading);
  });
});
